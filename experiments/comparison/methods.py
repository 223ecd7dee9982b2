"""The methods a report knows: their names and looks."""

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
