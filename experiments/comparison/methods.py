"""The methods a report knows: their names and looks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flags import methods


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
    "mlpnas": Look("MLPNAS", "#8fb8de", "#1b4f8f", "-", "D", "///"),
    "mlpnas_random": Look("random", "#d9e6d2", "#2b2b2b", ":", "o", "ooo"),
}
# Of all others, in turn.
_OTHERS = (
    ("#f0c9d9", "#a01a58", "-", "P", "+++"),
    ("#c9e4de", "#0b6e4f", "--", "v", "\\\\\\"),
    ("#e8dcb5", "#8a6d00", "-.", "^", "xx"),
    ("#d5cbe8", "#5e3c99", (0, (5, 1)), "<", "**"),
    ("#d0d0d0", "#000000", (0, (1, 1)), "X", "--"),
)


def method_of(settings: Mapping[str, Any]) -> str:
    """Names the method of a run from its `config.json`."""
    method = methods.name_of(settings)
    if method == "ienas":
        return f"ienas_{settings['config'].get('reward_rule', 'paper')}"
    return method


def look_of(method: str) -> Look:
    """How a method is drawn."""
    if method in LOOKS:
        return LOOKS[method]
    others = [name for name in methods.names() if name not in LOOKS]
    if method not in others:
        return Look(method, "#cccccc", "black", (0, (1, 1)), "x", "")
    title = methods.find(method).title
    points, *rest = _OTHERS[others.index(method) % len(_OTHERS)]
    return Look(title, str(points), *rest)


def in_order(names: list[str]) -> list[str]:
    """Known methods first, in the order of the legend."""
    known = list(LOOKS)
    return sorted(
        set(names),
        key=lambda name: (
            known.index(name) if name in known else len(known),
            name,
        ),
    )
