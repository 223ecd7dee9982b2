"""The methods a report knows: names, looks, and the published figures."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Look(NamedTuple):
    """How a method is written and drawn; told apart in gray print too."""

    title: str
    points: str
    line: str
    dashes: Any
    marker: str
    hatch: str


LOOKS = {
    "enas": Look("ENAS", "#c8c8c8", "#333333", "--", "s", ""),
    "ienas_paper": Look("I-ENAS", "#e58f45", "#b84300", "-", "D", "///"),
    "ienas_code": Look(
        "I-ENAS (code rule)", "#8fb8de", "#1b4f8f", "-.", "^", "..."
    ),
    "ienas_identity": Look(
        "I-ENAS (identity)", "#c9c9e8", "#5e3c99", (0, (5, 1)), "v", "xxx"
    ),
    "random": Look("random", "#d9e6d2", "#2b2b2b", ":", "o", "ooo"),
}

# I-ENAS, table I: mean and deviation of one epoch's accuracies, and that
# epoch; one run each.
PUBLISHED_EPOCH = {"mnist": 28, "fashion_mnist": 60, "cifar10": 310}
PUBLISHED = {
    ("mnist", "ienas_paper"): (0.915, 0.044),
    ("mnist", "enas"): (0.860, 0.066),
    ("fashion_mnist", "ienas_paper"): (0.866, 0.031),
    ("fashion_mnist", "enas"): (0.852, 0.034),
    ("cifar10", "ienas_paper"): (0.856, 0.041),
    ("cifar10", "enas"): (0.754, 0.080),
}


def method_of(settings: Mapping[str, Any]) -> str:
    """Names the method of a run from its `config.json`."""
    method = str(settings.get("method", "search"))
    if method == "ienas":
        return f"ienas_{settings['config'].get('reward_rule', 'paper')}"
    return method


def look_of(method: str) -> Look:
    """How a method is drawn; methods of others get a plain look."""
    plain = Look(method, "#cccccc", "black", (0, (1, 1)), "x", "")
    return LOOKS.get(method, plain)


def in_order(methods: list[str]) -> list[str]:
    """Known methods first, in the order of the legend."""
    known = list(LOOKS)
    return sorted(
        set(methods),
        key=lambda name: (
            known.index(name) if name in known else len(known),
            name,
        ),
    )
