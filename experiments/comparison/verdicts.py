"""What the numbers of a comparison support, in plain sentences."""

import math
from collections.abc import Mapping
from typing import Any

from experiments.comparison.methods import look_of
from experiments.comparison.paper import ANCHORS
from experiments.comparison.tables import Tables

# The usual level; a verdict needs the test and the interval to agree.
LEVEL = 0.05


def verdicts(tables: Tables, dataset: str) -> list[str]:
    """Plain sentences on I-ENAS that the numbers support.

    The first holds it against ENAS, the second against random search, if
    there are such runs.
    """
    table = tables.differences
    part = table[
        (table["dataset"] == dataset) & (table["metric"] == "curve_mean")
    ]
    for method in ANCHORS:
        own = part[part["first"] == method]
        if "enas" in set(own["second"]):
            return [_sentence(row) for row in own.to_dict("records")]
    return [
        f"{dataset}: there are no runs of I-ENAS and ENAS at the same seeds, "
        "so nothing can be said about the two."
    ]


def _sentence(row: Mapping[str, Any]) -> str:
    first, second = look_of(row["first"]).title, look_of(row["second"]).title
    count = int(row["count"])
    seeds = "one seed" if count == 1 else f"{count} seeds"
    measured = (
        f"{row['dataset']}: over {seeds}, the architectures that {first} "
        f"sampled were on average {abs(row['mean']):.2%} (absolute) "
        f"{'more' if row['mean'] >= 0 else 'less'} accurate than those of "
        f"{second}"
    )
    if count < 2:
        return f"{measured}; one pair of runs says nothing about chance."
    measured += f" (95% interval {row['low']:+.2%} to {row['high']:+.2%}"
    if not math.isnan(row["p_value"]):
        measured += f", Wilcoxon p = {row['p_value']:.3f}"
    measured += ")"
    outside = row["low"] > 0 or row["high"] < 0
    better = first if row["mean"] > 0 else second
    if outside and row["p_value"] < LEVEL:
        return f"{measured}: these runs support that {better} is better."
    if row["least_p"] >= LEVEL:
        return (
            f"{measured}: {count} seeds cannot decide it, for the test cannot "
            f"go below p = {row['least_p']:.3f} with so few."
        )
    return f"{measured}: these runs do not show that either is better."
