"""What paired comparisons support; one rule for every report.

A difference is supported if its 95% t interval leaves out 0 and its
sign-flip p, corrected for the number of comparisons, is below `LEVEL`; else
it is undecided. The interval says how large the difference may be; that it
can be narrow by luck is why the exact test, which a handful of seeds can
seldom pass, decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nascore.stats import holm

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.05


def correct(table: pd.DataFrame, family: Sequence[str]) -> pd.DataFrame:
    """Adds Holm's correction to rows of paired tests.

    Args:
      table: a row for each comparison, with `p_value` and `least_p`.
      family: columns; rows that are alike in them are corrected together.

    Returns:
      The rows with `p_holm`, `least_holm` (the smallest that `p_holm` could
      be with so many pairs) and `comparisons`.
    """
    grouped = table.groupby(list(family), sort=False)
    return table.assign(
        p_holm=grouped["p_value"].transform(holm),
        least_holm=grouped["least_p"].transform(holm),
        comparisons=grouped["p_value"].transform("size"),
    )


def measured(row: Mapping[str, Any], form: str, scale: float = 1.0) -> str:
    """Interval and p-values of a comparison.

    Args:
      row: of `correct`, of two pairs or more.
      form: how an end of the interval is written.
      scale: what it is multiplied with.
    """
    low, high = scale * row["low"], scale * row["high"]
    words = "95% t interval "
    words += (
        "not known" if math.isnan(low) else f"{low:{form}} to {high:{form}}"
    )
    if math.isnan(row["p_value"]):
        return words
    words += f", sign-flip p = {row['p_value']:.3g}"
    if row["comparisons"] > 1:
        words += (
            f", by Holm {row['p_holm']:.3g} for {row['comparisons']} "
            "comparisons"
        )
    return words


def judge(row: Mapping[str, Any], first: str, second: str) -> str:
    """Says in words what a comparison supports, see the module.

    Args:
      row: of `correct`.
      first: what is ahead if the difference is positive.
      second: what is ahead if it is negative.
    """
    if row["count"] < 2:
        return "undecided: one pair of runs says nothing about chance"
    if math.isnan(row["p_value"]):
        return "undecided: no pair differs"
    if math.isnan(row["low"]):
        return (
            "undecided: the pairs differ by the same, so that their spread "
            "is not known"
        )
    if row["low"] <= 0 <= row["high"]:
        return "undecided: the interval includes 0"
    if row["p_holm"] < LEVEL:
        return f"supported: {first if row['mean'] > 0 else second} is ahead"
    if row["least_holm"] >= LEVEL:
        return (
            f"undecided: these {row['count']} seeds cannot give a corrected "
            f"p below {row['least_holm']:.3g}; "
            f"{_seeds_needed(row['comparisons'])} could give one below {LEVEL}"
        )
    return f"undecided: the corrected p is not below {LEVEL}"


def _seeds_needed(comparisons: int) -> int:
    """Seeds whose least p stays below the level after Holm's correction."""
    return 2 + math.floor(math.log2(comparisons / LEVEL))
