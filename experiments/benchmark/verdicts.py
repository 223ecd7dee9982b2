"""What the numbers of a benchmark support, in plain sentences."""

from typing import Any

import pandas as pd

from experiments.benchmark.protocols import Protocol
from experiments.benchmark.results import Results
from experiments.benchmark.tables import EXACT, NOISE, TITLES, Tables


def leader(tables: Tables, protocol: Protocol, dataset: str, at: int) -> str:
    """The method whose cells have the highest mean test accuracy."""
    told = _told(tables, protocol, dataset, at)
    return str(told[told["runs"].notna()]["mean"].idxmax())


def verdicts(results: Results, tables: Tables) -> list[str]:
    """A sentence on each protocol and data set."""
    said = []
    for protocol in results.task.protocols:
        at = results.task.budget(protocol)
        for dataset in results.task.datasets:
            best = leader(tables, protocol, dataset, at)
            told = _told(tables, protocol, dataset, at)["mean"]
            words = [
                f"{TITLES[dataset]}, {protocol.label}, {at:,} queries, "
                f"{results.seeds:,} runs each: the cells of {best} have the "
                f"highest mean test accuracy, {told[best]:.2f}% ({EXACT}: "
                f"{told[EXACT]:.2f}%)",
                *_against(tables.differences, protocol, dataset, best),
            ]
            said.append(f"{'; '.join(words)}.")
    return said


def _told(
    tables: Tables, protocol: Protocol, dataset: str, at: int
) -> pd.DataFrame:
    table = tables.accuracies
    return table[
        (table["protocol"] == protocol.label)
        & (table["dataset"] == dataset)
        & (table["queries"] == at)
        & (table["split"] == "test")
    ].set_index("method")


def _against(
    differences: pd.DataFrame, protocol: Protocol, dataset: str, best: str
) -> list[str]:
    """Over whom the best one's lead is supported, and how large it is."""
    rows: list[dict[str, Any]] = differences[
        (differences["protocol"] == protocol.label)
        & (differences["dataset"] == dataset)
        & ((differences["first"] == best) | (differences["second"] == best))
    ].to_dict("records")
    if not rows:
        return []
    behind, level, large = [], [], []
    for row in rows:
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
    noise = f"the {NOISE[dataset]} points that training a cell anew changes"
    if large:
        words.append(f"as large as {noise}: the lead over {', '.join(large)}")
    elif behind:
        words.append(
            f"no lead is as large as {noise}: they rank searchers on this "
            "table, not the networks that are found"
        )
    return words
