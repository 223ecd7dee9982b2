"""What the numbers of a benchmark support, in plain sentences."""

import collections
from collections.abc import Sequence
from typing import Any

import pandas as pd

from experiments.benchmark.protocols import Protocol
from experiments.benchmark.results import Results
from experiments.benchmark.tables import (
    EXACT,
    NOISE,
    SEARCHED,
    TESTED,
    TITLES,
    ResultTables,
)


def leader(
    tables: ResultTables, protocol: Protocol, dataset: str, at: int
) -> str:
    """The method whose cells have the highest mean test accuracy."""
    told = _told(tables, protocol, dataset, at)
    return str(told[told["runs"].notna()]["mean"].idxmax())


def verdicts(results: Results, tables: ResultTables) -> list[str]:
    """A sentence on each protocol and data set."""
    said = []
    # One alone is not the first of many.
    have = "the highest mean test accuracy,"
    if len(results.variants) == 1:
        have = "a mean test accuracy of"
    for protocol in results.scope.protocols:
        at = results.scope.budget(protocol)
        for dataset in results.scope.datasets:
            best = leader(tables, protocol, dataset, at)
            told = _told(tables, protocol, dataset, at)["mean"]
            rows = _pairs(tables, protocol, dataset, TESTED)
            words = [
                f"{TITLES[dataset]}, {protocol.label}, {at:,} queries, "
                f"{results.seeds:,} runs each: the cells of {best} have {have} "
                f"{told[best]:.2f}% ({EXACT}: {told[EXACT]:.2f}%)",
                *_against(rows, NOISE[dataset], best),
            ]
            said.append(f"{'; '.join(words)}.")
    return said


def search_verdicts(tables: ResultTables, protocol: Protocol) -> list[str]:
    """Who searches best by what the search sees, whatever test says."""
    said = []
    table = tables.differences
    own = table[table["protocol"] == protocol.label]
    for dataset in own.loc[own["measure"] == SEARCHED, "dataset"].unique():
        rows = _pairs(tables, protocol, dataset, SEARCHED)
        # The sum of its leads is largest where the mean is highest.
        leads: dict[str, float] = collections.defaultdict(float)
        for row in rows:
            leads[row["first"]] += row["mean"]
            leads[row["second"]] -= row["mean"]
        best = max(leads, key=lambda label: leads[label])
        words = [
            f"{TITLES[dataset]}: by the accuracy that it searches on, {best} "
            "is first",
            *_against(rows, NOISE[dataset], best),
        ]
        said.append(f"{'; '.join(words)}.")
    return said


def _told(
    tables: ResultTables, protocol: Protocol, dataset: str, at: int
) -> pd.DataFrame:
    table = tables.accuracies
    return table[
        (table["protocol"] == protocol.label)
        & (table["dataset"] == dataset)
        & (table["queries"] == at)
        & (table["split"] == "test")
    ].set_index("method")


def _pairs(
    tables: ResultTables, protocol: Protocol, dataset: str, measure: str
) -> list[dict[str, Any]]:
    table = tables.differences
    found = table[
        (table["protocol"] == protocol.label)
        & (table["dataset"] == dataset)
        & (table["measure"] == measure)
    ]
    return found.to_dict("records")


def _against(
    pairs: Sequence[dict[str, Any]], noise: float, best: str
) -> list[str]:
    """Over whom the best one's lead is supported, and how large it is."""
    behind, level, large = [], [], []
    for row in pairs:
        if best not in (row["first"], row["second"]):
            continue
        other = row["second"] if row["first"] == best else row["first"]
        if not row["verdict"].startswith("supported"):
            level.append(other)
            continue
        behind.append(f"{other} (by {abs(row['mean']):.2f})")
        if not row["below_noise"]:
            large.append(other)
    words = []
    if behind:
        words.append(f"supported: it is ahead of {', '.join(behind)}")
    if level:
        words.append(f"undecided against {', '.join(level)}")
    size = f"the {noise} points that training a cell anew changes"
    if large:
        words.append(f"as large as {size}: the lead over {', '.join(large)}")
    elif behind:
        words.append(
            f"no lead is as large as {size}: they rank searchers on this "
            "table, not the networks that are found"
        )
    return words
