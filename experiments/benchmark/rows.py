"""The raw rows of a benchmark: each run after 50, 100, 200, ... queries.

Two files: which cell each run had found, and what the table says of these
cells. Together they are as small as one file that repeats the accuracies is
large.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmark.protocols import LEAK
from experiments.benchmark.results import CHECKPOINTS, Results
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.names import DATASETS, SPLITS, TableColumn
from nascore.spaces.bench201 import Bench201Space, rows_of

RUNS, CELLS = "runs.csv.gz", "cells.csv.gz"


def write_rows(results: Results, folder: Path) -> None:
    """Writes both files."""
    runs = _runs(results)
    for name, frame in ((RUNS, runs), (CELLS, _cells(runs["cell"].unique()))):
        # Without the time of writing: the same rows, the same bytes.
        frame.to_csv(
            folder / name,
            index=False,
            compression={"method": "gzip", "mtime": 1},
        )


def _runs(results: Results) -> pd.DataFrame:
    """A row for each run and checkpoint."""
    parts = []
    for (label, column), own in results.searched.items():
        wanted = {*CHECKPOINTS, int(own.counts[-1])}
        for at in sorted(wanted & set(own.counts.tolist())):
            place = own.place(at)
            parts.append(
                pd.DataFrame(
                    {
                        "method": label,
                        "searched": column.key,
                        "leak": LEAK if column.split == "test" else "",
                        "queries": at,
                        "seed": own.seeds,
                        "cell": own.best[:, place],
                        "strings": own.strings[:, place],
                        "classes": own.classes[:, place],
                        "recent_mean": (100 * own.recent[:, place]).round(3),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _cells(codes: np.ndarray) -> pd.DataFrame:
    """What the table says of cells: all accuracies after 200 epochs."""
    space = Bench201Space()
    codes = np.sort(codes)
    texts = [space.format(space.decode(row)) for row in rows_of(codes)]
    numbers = {
        column.key: (100 * table.accuracies(column)[codes]).round(4)
        for dataset in DATASETS
        for split in SPLITS
        for column in [TableColumn(dataset, split)]
    }
    return pd.DataFrame({"cell": codes, "architecture": texts, **numbers})
