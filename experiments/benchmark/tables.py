"""The tables of a benchmark, from its searches alone; one CSV file each."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from experiments.benchmark.protocols import Protocol
from experiments.benchmark.published import ROWS
from experiments.benchmark.results import RECENT, Results
from experiments.benchmark.statistics import chances, expect, expect_distinct
from experiments.evidence import correct, judge
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.names import DATASETS, SPLITS, TableColumn
from nascore.spaces.bench201 import classes
from nascore.stats import paired_test

TITLES = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet16-120": "ImageNet-16-120",
}
EXACT = "random search (exact)"
ORACLE = "the searched column's best cell"
OPTIMUM = "the best of each column"
# Standard deviation, in points, of the accuracies of cells that compute the
# same, among the better fifth: what training anew changes.
NOISE = {"cifar10": 0.2, "cifar100": 0.5, "imagenet16-120": 0.5}
# What methods are compared by: what the found cell is worth, and how well
# the search did what it was to do.
TESTED, SEARCHED = "test accuracy", "searched accuracy"
PROPOSED = f"mean searched accuracy of the last {RECENT} queries"
_FAMILY = ["protocol", "dataset", "measure"]
# Of two accuracies in percent.
_LIMITS = (-100.0, 100.0)


class ResultTables(NamedTuple):
    """All tables; accuracies in percent.

    Attributes:
      accuracies: a row for each protocol, budget, method, data set and
        split.
      ends: how many runs met the best cell, and how many different cells
        they looked up.
      differences: paired comparisons of all methods.
      published: printed rows and their protocols.
    """

    accuracies: pd.DataFrame
    ends: pd.DataFrame
    differences: pd.DataFrame
    published: pd.DataFrame


def make_tables(results: Results, jobs: int = 1) -> ResultTables:
    """Computes every table.

    Args:
      results: what was searched.
      jobs: processes for the tests.
    """
    every = list(_cases(results))
    return ResultTables(
        pd.DataFrame([row for case in every for row in _told(results, *case)]),
        pd.DataFrame([row for case in every for row in _ended(results, *case)]),
        _compare(results, jobs),
        _published(),
    )


def _cases(results: Results) -> Iterator[tuple[Protocol, int, str]]:
    """Each protocol, budget and data set."""
    for protocol in results.scope.protocols:
        for at in results.scope.budgets(protocol):
            for dataset in results.scope.datasets:
                yield protocol, at, dataset


def _told(
    results: Results, protocol: Protocol, at: int, dataset: str
) -> Iterator[dict[str, Any]]:
    """Accuracies of what each method found."""
    for split in SPLITS:
        searched = protocol.searched(dataset, split)
        names = {
            "protocol": protocol.label,
            "queries": at,
            "dataset": dataset,
            "split": split,
            "searched": searched.key,
        }
        values = 100 * table.accuracies(TableColumn(dataset, split))
        seen = table.accuracies(searched)
        yield {
            **names,
            "method": OPTIMUM,
            "mean": float(values.max()),
            "cell": int(values.argmax()),
        }
        yield {
            **names,
            "method": ORACLE,
            "mean": float(values[seen.argmax()]),
            "cell": int(seen.argmax()),
        }
        exact = expect(chances(seen, at), values)
        yield {
            **names,
            "method": EXACT,
            "mean": exact.mean,
            "deviation": exact.deviation,
        }
        for variant in results.variants:
            told = results.told(variant.label, protocol, dataset, split, at)
            yield {
                **names,
                "method": variant.label,
                "runs": len(told),
                "mean": float(told.mean()),
                "deviation": _deviation(told),
            }


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else math.nan


def _ended(
    results: Results, protocol: Protocol, at: int, dataset: str
) -> Iterator[dict[str, Any]]:
    """How the searches on what decides the test number came out."""
    column = protocol.searched(dataset)
    seen = table.accuracies(column)
    names = {
        "protocol": protocol.label,
        "queries": at,
        "dataset": dataset,
        "searched": column.key,
    }
    yield {
        **names,
        "method": EXACT,
        "optimum": float(chances(seen, at)[seen == seen.max()].sum()),
        "strings": expect_distinct(np.ones(table.CELLS), at),
        "classes": expect_distinct(np.bincount(classes()), at),
        "median_queries": _median_draws(int((seen == seen.max()).sum())),
    }
    for variant in results.variants:
        own = results.searched[variant.label, column]
        place = own.place(at)
        # Where fewer than half of the runs met it, it is not known.
        median = float(np.median(own.met))
        yield {
            **names,
            "method": variant.label,
            "runs": len(own.seeds),
            "optimum": float((own.met <= at).mean()),
            "strings": float(own.strings[:, place].mean()),
            "classes": float(own.classes[:, place].mean()),
            "median_queries": median if math.isfinite(median) else math.nan,
            "recent_mean": 100 * float(own.recent[:, place].mean()),
            "seconds": own.seconds,
        }


def _median_draws(best: int) -> float:
    """Draws until half of all random searches met one of the best cells."""
    return math.ceil(math.log(0.5) / math.log1p(-best / table.CELLS))


def _compare(results: Results, jobs: int) -> pd.DataFrame:
    """Each pair of methods, by what they found and by what they searched on.

    Holm's correction is over the pairs of one protocol, data set and measure.
    """
    names, pairs = [], []
    for name, told in _measured(results):
        for first, second in itertools.combinations(told, 2):
            names.append({**name, "first": first, "second": second})
            pairs.append((told[first], told[second]))
    if not pairs:
        return pd.DataFrame(columns=[*_FAMILY, "queries", "first", "second"])
    tests = joblib.Parallel(jobs)(
        joblib.delayed(paired_test)(*told, _LIMITS) for told in pairs
    )
    rows = [
        # A mean of many cells has little of it.
        {
            **name,
            **dataclasses.asdict(test),
            "noise": math.nan
            if name["measure"] == PROPOSED
            else NOISE[name["dataset"]],
        }
        for name, test in zip(names, tests, strict=True)
    ]
    found = correct(pd.DataFrame(rows), _FAMILY)
    words = [judge(row, row["first"], row["second"]) for row in _rows(found)]
    return found.assign(
        verdict=words, below_noise=found["mean"].abs() < found["noise"]
    )


def _measured(
    results: Results,
) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """What methods are compared by: its name, and a number of each run."""
    labels = [variant.label for variant in results.variants]
    for protocol in results.scope.protocols:
        at = results.scope.budget(protocol)
        searched: dict[TableColumn, None] = {}
        for dataset in results.scope.datasets:
            name = {
                "protocol": protocol.label,
                "dataset": dataset,
                "measure": TESTED,
                "queries": at,
            }
            yield (
                name,
                {
                    label: results.told(label, protocol, dataset, "test", at)
                    for label in labels
                },
            )
            searched[protocol.searched(dataset)] = None
        # A leak's are the same; one search may serve all data sets.
        for column in () if protocol.leak else searched:
            name = {
                "protocol": protocol.label,
                "dataset": column.dataset,
                "measure": SEARCHED,
                "queries": at,
            }
            values = 100 * table.accuracies(column)
            own = {label: results.searched[label, column] for label in labels}
            yield name, {k: values[v.best_at(at)] for k, v in own.items()}
            recent = {k: 100 * v.recent[:, v.place(at)] for k, v in own.items()}
            yield {**name, "measure": PROPOSED}, recent


def _rows(frame: pd.DataFrame) -> Sequence[dict[str, Any]]:
    return frame.to_dict("records")


def _published() -> pd.DataFrame:
    places = list(itertools.product(DATASETS, SPLITS))
    return pd.DataFrame(
        [
            {
                "method": row.method,
                "protocol": row.protocol,
                "runs": row.runs or math.nan,
                "dataset": dataset,
                "split": split,
                "mean": number[0] if number else math.nan,
                "deviation": number[1] if number else math.nan,
            }
            for row in ROWS
            for (dataset, split), number in zip(
                places, row.numbers, strict=True
            )
        ]
    )
