"""Paired comparisons of every two methods, at the seeds they share."""

import dataclasses
import itertools

import pandas as pd

from experiments.comparison.measures import (
    METRICS,
    count_epochs,
    cut_to_common,
    measure,
)
from experiments.comparison.rows import Rows
from experiments.evidence import correct
from flags import methods as known

_COLUMNS = ["dataset", "first", "second", "metric"]


def compare_methods(rows: Rows) -> pd.DataFrame:
    """A row for each data set, pair of methods and metric.

    Runs of a pair are measured over the epochs that both have; `cut_pairs`
    counts those where one has more. Runs of limited time are measured over
    all that they have. Of perplexities a difference is a part of that of the
    second method, see `ScoreKind.compare`. Holm's correction is over the pairs
    of methods of one data set and metric.
    """
    counts = count_epochs(rows)
    table = []
    for dataset in rows.datasets:
        for first, second in list_pairs(rows.methods(dataset)):
            metrics = measure(cut_to_common(rows, [first, second]))
            metrics = metrics[metrics["dataset"] == dataset]
            epochs = counts[dataset].unstack()
            for metric in METRICS:
                by_method = metrics.pivot(
                    index="seed", columns="method", values=metric
                )
                pairs = by_method[[first, second]].dropna()
                if pairs.empty:
                    continue
                test = rows.kind.compare(
                    pairs[first].to_numpy(), pairs[second].to_numpy()
                )
                shared = epochs.loc[pairs.index]
                cut = int((shared[first] != shared[second]).sum())
                if rows.hours(dataset):
                    cut = 0
                names = (dataset, first, second, metric)
                table.append(
                    {
                        **dict(zip(_COLUMNS, names, strict=True)),
                        **dataclasses.asdict(test),
                        "cut_pairs": cut,
                    }
                )
    if not table:
        return pd.DataFrame(columns=_COLUMNS)
    return correct(pd.DataFrame(table), ["dataset", "metric"])


def list_pairs(methods: list[str]) -> list[tuple[str, str]]:
    """I-ENAS against ENAS, then all against their random search.

    Where neither is there, every two are compared.
    """
    ienas = [method for method in methods if method.startswith("ienas")]
    pairs = [(method, "enas") for method in ienas if "enas" in methods]
    if {"recurrent_ienas", "recurrent_enas"} <= set(methods):
        pairs.append(("recurrent_ienas", "recurrent_enas"))
    for method in methods:
        rival = _rival(method)
        if rival in methods and rival != method:
            pairs.append((method, rival))
    return pairs or list(itertools.combinations(methods, 2))


def _rival(method: str) -> str:
    """The random search that a method is held against."""
    if method in known.names():
        return known.find(method).rival
    return "random"
