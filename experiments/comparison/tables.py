"""The tables of a report, computed from its rows alone."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from experiments.comparison.measures import measure, runs_of, summarize
from experiments.comparison.paired import compare_methods
from experiments.comparison.paper import table_1
from experiments.comparison.rows import Rows
from experiments.evidence import correct
from experiments.figures.operation_shares import count_shares
from experiments.reports.scores import ScoreKind
from nascore.spaces.cells import CellSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.recurrent import RecurrentSpace
from nascore.spaces.space import Space
from nascore.stats import paired_test

# Parts of what ENAS's best epoch mean is worth, for the time to reach scores.
_TARGET_PARTS = (0.5, 0.75, 0.9)
_ENAS = ("enas", "recurrent_enas")
# A controller whose last epoch repeats itself has collapsed.
COLLAPSED_UNIQUE = 0.5
# A whole network in the place of a cell, and the part of its possible skips.
NETWORK, SKIPS = "network", "skips"
# That of a recurrent network.
RECURRENT = "recurrent"


@dataclasses.dataclass(frozen=True)
class Tables:
    """All tables; one CSV file each.

    Attributes:
      metrics: a row for each run, all of its epochs; a column for each of
        `METRICS`.
      summary: means and 95% intervals of the metrics over seeds, over the
        epochs that all methods have at a seed.
      table_1: table I of the paper, beside its numbers; empty where scores
        are none of those.
      reached: time until the epoch's mean score reached a target.
      differences: paired comparisons at equal seeds.
      diversity: unique architectures and entropy.
      operations: share of each operation in the last epoch; of whole
        networks also the part of the possible skips.
      rank_check: Kendall's tau of shared and standalone accuracy.
    """

    metrics: pd.DataFrame
    summary: pd.DataFrame
    table_1: pd.DataFrame
    reached: pd.DataFrame
    differences: pd.DataFrame
    diversity: pd.DataFrame
    operations: pd.DataFrame
    rank_check: pd.DataFrame


def make_tables(rows: Rows, targets: Sequence[float] = ()) -> Tables:
    """Computes every table.

    Args:
      rows: what was measured.
      targets: scores for the table of times; empty chooses them from
        ENAS's runs.
    """
    return Tables(
        measure(rows),
        summarize(rows),
        table_1(rows),
        _reached(rows, targets),
        compare_methods(rows),
        _diversity(rows),
        _operations(rows),
        _rank_check(rows),
    )


def _reached(rows: Rows, targets: Sequence[float]) -> pd.DataFrame:
    """When the epoch's mean score first reached given scores.

    Medians over all runs, where a run that did not reach it counts as later
    than all that did; NaN where the median is such a run.
    """
    table, kind = [], rows.kind
    for dataset in rows.datasets:
        part = rows.epochs[rows.epochs["dataset"] == dataset]
        for target in targets or _choose_targets(part, kind):
            for method in rows.methods(dataset):
                runs = part[part["method"] == method]
                hits = runs[kind.reaches(runs["score_mean"], target)]
                first = hits.groupby("seed").first()
                seeds = runs["seed"].unique()
                times = first.assign(epoch=first["epoch"] + 1)[
                    ["epoch", "evaluations", "seconds"]
                ].astype(float)
                median = (
                    times.reindex(seeds, fill_value=np.inf)
                    .median()
                    .replace(np.inf, np.nan)
                )
                table.append(
                    {
                        "dataset": dataset,
                        "target": target,
                        "method": method,
                        "seeds": len(seeds),
                        "reached": len(first),
                        "epochs": median["epoch"],
                        "evaluations": median["evaluations"],
                        "seconds": median["seconds"],
                    }
                )
    return pd.DataFrame(table)


def _choose_targets(epochs: pd.DataFrame, kind: ScoreKind) -> list[float]:
    enas = epochs[epochs["method"].isin(_ENAS)]
    best = kind.best((enas if len(enas) else epochs)["score_mean"])
    return [round(kind.part(best, share), 2) for share in _TARGET_PARTS]


def _diversity(rows: Rows) -> pd.DataFrame:
    table = []
    for (dataset, method), part in rows.evaluations.groupby(
        ["dataset", "method"], sort=False
    ):
        unique, last_unique, last_entropy = [], [], []
        space = rows.space(dataset, method)
        columns = list(space.column_names)
        for _, run in part.groupby("seed"):
            last = run[run["epoch"] == run["epoch"].max()]
            unique.append(1 - run[columns].duplicated().mean())
            last_unique.append(1 - last[columns].duplicated().mean())
            if "entropy" in last:
                last_entropy.append(last["entropy"].mean())
        table.append(
            {
                "dataset": dataset,
                "method": method,
                "seeds": len(unique),
                "unique": float(np.mean(unique)),
                "unique_last_epoch": float(np.mean(last_unique)),
                "entropy_last_epoch": (
                    float(np.mean(last_entropy)) if last_entropy else math.nan
                ),
                "entropy_uniform": math.log(space.size()),
                "collapsed_runs": int(
                    np.sum(np.array(last_unique) < COLLAPSED_UNIQUE)
                ),
            }
        )
    return pd.DataFrame(table)


def _operations(rows: Rows) -> pd.DataFrame:
    """Share of each operation among the last epoch's cells, if any."""
    columns = ["dataset", "method", "cell", "operation", "share"]
    table = []
    last = runs_of(rows.evaluations)["epoch"].transform("max")
    final = rows.evaluations[rows.evaluations["epoch"] == last]
    for (dataset, method), part in final.groupby(
        ["dataset", "method"], sort=False
    ):
        for cell, name, share in _shares(rows.space(dataset, method), part):
            table.append((dataset, method, cell, name, share))
    return pd.DataFrame(table, columns=columns)


def _shares(
    space: Space, part: pd.DataFrame
) -> Iterator[tuple[str, str, float]]:
    """Cell, operation and its share; of whole networks also their skips.

    The operations of recurrent cells are the functions of their nodes.
    """
    if isinstance(space, RecurrentSpace):
        cells = [space.parse(text) for text in part["architecture"]]
        chosen = np.array([[f for _, f in cell.nodes] for cell in cells])
        for place, name in enumerate(space.functions):
            yield RECURRENT, name, float((chosen == place).mean())
    if isinstance(space, CellSpace):
        for cell in space.cell_types:
            shares = count_shares(part[f"{cell}_cell"], space.operations)
            for name, share in zip(space.operations, shares, strict=True):
                yield cell, name, float(share)
    if isinstance(space, MacroSpace):
        texts = part["architecture"]
        chosen = np.array([text.split() for text in texts], int)
        operations = chosen[:, ~space.is_skip]
        for place, name in enumerate(space.operations):
            yield NETWORK, name, float((operations == place).mean())
        yield NETWORK, SKIPS, float(chosen[:, space.is_skip].mean())


def _rank_check(rows: Rows) -> pd.DataFrame:
    """Kendall's tau inside each run, averaged over the runs."""
    columns = ["dataset", "method", "runs", "architectures", "tau"]
    table = []
    for (dataset, method), part in rows.rank_check.groupby(
        ["dataset", "method"], sort=False
    ):
        taus = [
            run["shared_accuracy"].corr(
                run["standalone_accuracy"], method="kendall"
            )
            for _, run in part.groupby("seed")
        ]
        known = np.array([tau for tau in taus if not math.isnan(tau)])
        if not len(known):
            continue
        # Against no order at all; a tau is from -1 to 1.
        test = paired_test(known, np.zeros_like(known), (-1.0, 1.0))
        table.append(
            {
                "dataset": dataset,
                "method": method,
                "runs": len(known),
                "architectures": len(part),
                "tau": test.mean,
                "low": test.low,
                "high": test.high,
                "p_value": test.p_value,
                "least_p": test.least_p,
                "standalone_mean": float(part["standalone_accuracy"].mean()),
                "measured_on": " and ".join(part["measured_on"].unique()),
            }
        )
    if not table:
        return pd.DataFrame(columns=columns)
    return correct(pd.DataFrame(table), ["dataset"])
