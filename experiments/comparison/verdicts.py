"""What the numbers of a comparison support, in plain sentences."""

from collections.abc import Mapping
from typing import Any

from experiments.comparison.methods import look_of
from experiments.comparison.paper import ANCHORS
from experiments.comparison.tables import Tables
from experiments.evidence import judge, measured


def verdicts(tables: Tables, dataset: str) -> list[str]:
    """A plain sentence on each pair of methods, none left out.

    I-ENAS against ENAS comes first; that there are no such pairs is said.
    """
    table = tables.differences
    part = table[
        (table["dataset"] == dataset) & (table["metric"] == "curve_mean")
    ]
    said = [_sentence(row) for row in part.to_dict("records")]
    both = part["first"].isin(ANCHORS) & (part["second"] == "enas")
    if not both.any():
        said.insert(
            0,
            f"{dataset}: there are no runs of I-ENAS and ENAS at the same "
            "seeds, so nothing can be said about the two.",
        )
    return said


def _sentence(row: Mapping[str, Any]) -> str:
    first, second = look_of(row["first"]).title, look_of(row["second"]).title
    count = row["count"]
    seeds = "one seed" if count == 1 else f"{count} seeds"
    words = (
        f"{row['dataset']}: over {seeds}, the architectures that {first} "
        "sampled were on average "
        f"{abs(row['mean']):.2%} (absolute) "
        f"{'more' if row['mean'] >= 0 else 'less'} accurate than those of "
        f"{second}"
    )
    if count > 1:
        words += f" ({measured(row, '+.2%')})"
    if row["cut_pairs"]:
        words += (
            f", {row['cut_pairs']} of the {count} pairs over the epochs that "
            "both have"
        )
    return f"{words}; {judge(row, first, second)}."
