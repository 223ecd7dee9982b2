"""The methods a report knows: their names and looks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flags import methods
from nascore.drawing import style


class Look(NamedTuple):
    """How a method is written and drawn; told apart in gray print too."""

    title: str
    color: str
    dashes: Any
    marker: str


LOOKS = {
    "enas": Look("ENAS", style.BLACK, "--", "s"),
    "ienas_paper": Look("I-ENAS", style.VERMILLION, "-", "D"),
    "ienas_code": Look("I-ENAS (code rule)", style.BLUE, "-.", "^"),
    "ienas_identity": Look("I-ENAS (identity)", style.PURPLE, (0, (5, 1)), "v"),
    "random": Look("random", style.GREEN, ":", "o"),
    "mlpnas": Look("MLPNAS", style.BLUE, "-", "D"),
    "mlpnas_random": Look("random", style.GREEN, ":", "o"),
}
# What is drawn like them.
_ALIKE = {
    "recurrent_enas": "enas",
    "recurrent_ienas": "ienas_paper",
    "recurrent_random": "random",
}
# Of all others, in turn.
_OTHERS = (
    (style.PURPLE, "-", "P"),
    (style.ORANGE, "--", "v"),
    (style.SKY, "-.", "^"),
    (style.BLACK, (0, (5, 1)), "<"),
    (style.GREY, (0, (1, 1)), "X"),
)


def method_of(settings: Mapping[str, Any]) -> str:
    """Names the method of a run from its `config.json`."""
    method = methods.name_of(settings)
    if method == "ienas":
        return f"ienas_{settings['config'].get('reward_rule', 'paper')}"
    return method


def look_of(method: str) -> Look:
    """How a method is drawn."""
    name = _ALIKE.get(method, method)
    if name in LOOKS:
        return LOOKS[name]
    others = [name for name in methods.names() if name not in LOOKS]
    if method not in others:
        return Look(method, style.GREY, (0, (1, 1)), "X")
    look = _OTHERS[others.index(method) % len(_OTHERS)]
    return Look(methods.find(method).title, *look)


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
