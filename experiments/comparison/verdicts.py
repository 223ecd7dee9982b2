"""What the numbers of a comparison support, in plain sentences."""

from collections.abc import Mapping
from typing import Any

from experiments.comparison.methods import look_of
from experiments.comparison.paper import ANCHORS
from experiments.comparison.tables import Tables
from experiments.evidence import judge, measured


def verdicts(
    tables: Tables, dataset: str, measure: str = "accuracy"
) -> list[str]:
    """A plain sentence on each pair of methods, none left out.

    I-ENAS against ENAS comes first; that there are no such pairs is said.

    Args:
      tables: of the report.
      dataset: its name.
      measure: what architectures are ranked by.
    """
    table = tables.differences
    part = table[
        (table["dataset"] == dataset) & (table["metric"] == "curve_mean")
    ]
    said = [_sentence(row, measure) for row in part.to_dict("records")]
    methods = set(tables.metrics.loc[_is(tables, dataset), "method"])
    both = part["first"].isin(ANCHORS) & (part["second"] == "enas")
    if not both.any() and methods & {"enas", *ANCHORS}:
        said.insert(
            0,
            f"{dataset}: there are no runs of I-ENAS and ENAS at the same "
            "seeds, so nothing can be said about the two.",
        )
    return said


def _is(tables: Tables, dataset: str) -> Any:
    return tables.metrics["dataset"] == dataset


def _sentence(row: Mapping[str, Any], measure: str) -> str:
    first, second = look_of(row["first"]).title, look_of(row["second"]).title
    count = row["count"]
    seeds = "one seed" if count == 1 else f"{count} seeds"
    size, is_ahead = f"{abs(row['mean']):.2%} (absolute)", row["mean"] >= 0
    if measure == "accuracy":
        what = f"{size} {'more' if is_ahead else 'less'} accurate than"
    else:
        what = f"{size} {'above' if is_ahead else 'below'}, by {measure},"
    words = (
        f"{row['dataset']}: over {seeds}, the architectures that {first} "
        f"sampled were on average {what} those of {second}"
    )
    if count > 1:
        words += f" ({measured(row, '+.2%')})"
    if row["cut_pairs"]:
        words += (
            f", {row['cut_pairs']} of the {count} pairs over the epochs that "
            "both have"
        )
    return f"{words}; {judge(row, first, second)}."
