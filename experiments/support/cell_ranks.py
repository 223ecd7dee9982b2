"""How well the weights of a search rank NAS-Bench-201's cells.

Cells are measured one by one with the weights, and written down beside what
the table has of them. Which ones does not depend on the run, so that two runs
are compared on the same; fewer of them are the first of more.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from nascore.evaluators.nasbench201.names import TRUTH
from nascore.evaluators.nasbench201.table import (
    CELLS,
    accuracies,
    parameters,
)
from nascore.runs.atomic import write_json
from nascore.runs.csv_files import read_table
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Limit
from nascore.runs.progress import Progress
from nascore.spaces.bench201 import Bench201Space, rows_of

TABLE, SUMMARY = "cell_ranks", "cell_ranks.json"
ACCURACY, PARAMETERS, _EPOCHS = "accuracy", "parameters", "epochs"
WEIGHTS, _BASELINE = "these weights", "number of parameters"
# Which cells come first.
_SEED = 201
# Cells between two writings.
_AT_ONCE = 20
NO_LIMIT = Limit()


def choose(count: int) -> np.ndarray:
    """The numbers of the first so many cells, all different, int64."""
    return np.random.default_rng(_SEED).permutation(CELLS)[:count]


def read(path: Path) -> pd.DataFrame:
    """What was measured in a run folder; empty if nothing was.

    Raises:
      InputError: the file is damaged.
    """
    numbers = [ACCURACY, *TRUTH, PARAMETERS, _EPOCHS]
    return read_table(path / f"{TABLE}.csv", numbers, ["architecture"])


def left(path: Path, count: int, epochs: int) -> int:
    """How many of the first cells are still to be measured.

    Args:
      path: the run folder.
      count: of cells.
      epochs: of the search; what was measured after fewer does not count.
    """
    table = read(path)
    done = len(table) if set(table.get(_EPOCHS, ())) <= {epochs} else 0
    return max(0, count - done)


def measure(
    evaluator: Any,
    folder: RunFolder,
    count: int,
    epochs: int,
    limit: Limit = NO_LIMIT,
) -> pd.DataFrame:
    """Measures what is missing of the first cells, and writes it down.

    Args:
      evaluator: has the weights; its `cell_score` measures.
      folder: of the run.
      count: of cells.
      epochs: that the weights were trained for.
      limit: when to stop.

    Returns:
      A row for each cell; fewer where the time was over before.
    """
    missing = left(folder.path, count, epochs)
    if missing == count:
        folder.table(TABLE).clear()
    codes = choose(count)[count - missing :]
    progress = Progress(count, count - missing, "cells")
    found = {name: accuracies(column) for name, column in TRUTH.items()}
    sizes, space = parameters(), Bench201Space()
    rows: list[dict[str, Any]] = []
    for place, code in enumerate(codes.tolist(), 1):
        if limit.left() <= 0:
            folder.append(TABLE, rows)
            break
        row = rows_of(np.array(code))
        rows.append(
            {
                "architecture": space.format(space.decode(row)),
                ACCURACY: evaluator.cell_score(row),
                **{name: float(all_[code]) for name, all_ in found.items()},
                PARAMETERS: int(sizes[code]),
                _EPOCHS: epochs,
            }
        )
        if place % _AT_ONCE == 0 or place == len(codes):
            folder.append(TABLE, rows)
            rows = []
        progress.advance(1, "cells")
    progress.close()
    table = read(folder.path).iloc[:count]
    if len(table):
        _write(folder.path, table)
    return table


def taus(table: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b of what cells are ranked by with their accuracies.

    Args:
      table: of `measure`.

    Returns:
      A row for the weights and one for the number of parameters, a column
      for each accuracy of the table; NaN where all cells are alike.
    """
    ranked = {WEIGHTS: ACCURACY, _BASELINE: PARAMETERS}
    return pd.DataFrame(
        {
            truth: {
                name: float(kendalltau(table[column], table[truth]).statistic)
                for name, column in ranked.items()
            }
            for truth in TRUTH
        }
    )


def report(table: pd.DataFrame) -> str:
    """What the ranks come to, several lines."""
    heads = [column.dataset for column in TRUTH.values()]
    every = len(table) == CELLS
    which = f"all {CELLS:,}" if every else f"{len(table):,} random"
    lines = [
        f"Kendall's tau with the table's test accuracy, over {which} cells of "
        "NAS-Bench-201:",
        " " * 24 + "  ".join(f"{head:>14}" for head in heads),
    ]
    for name, row in taus(table).iterrows():
        numbers = "  ".join(f"{value:>+14.3f}" for value in row)
        lines.append(f"  {name:<22}{numbers}")
    return "\n".join(lines)


def describe_truth(numbers: Mapping[str, float]) -> str:
    """What the table has of a cell, one line.

    Args:
      numbers: with those of `TRUTH` among them.
    """
    return ", ".join(
        f"{numbers[name]:.2%} on {column.dataset}"
        for name, column in TRUTH.items()
    )


def _write(path: Path, table: pd.DataFrame) -> None:
    """The same for programs."""
    write_json(
        path / SUMMARY,
        {
            "cells": len(table),
            "epochs": int(table[_EPOCHS].iloc[0]),
            "measured_on": "the whole validation set",
            "kendall_tau": {
                str(name): {
                    truth: None if np.isnan(value) else float(value)
                    for truth, value in row.items()
                }
                for name, row in taus(table).iterrows()
            },
        },
    )
