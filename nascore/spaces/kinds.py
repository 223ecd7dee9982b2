"""Every kind of search space by the name that a run's `config.json` has.

A package outside of this project adds a kind of its own by an entry point of
the group `ienas.spaces`, whose name is the kind and whose value the class.
"""

import dataclasses
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from nascore.config import check_kind
from nascore.errors import InputError
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.chain import ChainSpace
from nascore.spaces.darts_cells import DartsSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.spaces.recurrent import RecurrentSpace
from nascore.spaces.space import Space

GROUP = "ienas.spaces"
KINDS: dict[str, type[Space]] = {
    "bench201": Bench201Space,
    "cells": CellSpace,
    "chain": ChainSpace,
    "darts": DartsSpace,
    "macro": MacroSpace,
    "perceptrons": MlpSpace,
    "recurrent": RecurrentSpace,
}


def to_fields(space: Any) -> dict[str, Any]:
    """A space as JSON holds it: its kind and its fields."""
    return {"kind": space.kind, **dataclasses.asdict(space)}


def from_fields(fields: Mapping[str, Any]) -> Space:
    """Makes a space of what `to_fields` returned, as read back from JSON.

    Raises:
      InputError: a kind that is not installed, a field that the kind does
        not have, or a value of the wrong kind.
    """
    kind: Any = _kind(fields)
    known = {field.name: field.default for field in dataclasses.fields(kind)}
    odd = sorted(set(fields) - {*known, "kind"})
    if odd:
        raise InputError(
            f"a space of {kind.kind} has no {', '.join(map(repr, odd))}; a "
            "later version may have written it"
        )
    values = {
        name: _value(fields[name], default, f"'space.{name}'")
        for name, default in known.items()
        if name in fields
    }
    return kind(**values)


def _kind(fields: Mapping[str, Any]) -> type[Space]:
    """The class; former versions did not name it."""
    former = {"units": "perceptrons", "operations": "cells"}
    kinds = [kind for name, kind in former.items() if name in fields]
    name = fields.get("kind", kinds[0] if kinds else None)
    check_kind(name, str, "'space.kind'")
    if name in KINDS:
        return KINDS[name]
    others = metadata.entry_points(group=GROUP)
    if name not in others.names:
        raise InputError(
            f"the kind of space {name!r} is not installed; known are "
            f"{', '.join([*KINDS, *others.names])}"
        )
    return others[name].load()


def _value(value: Any, default: Any, what: str) -> Any:
    """Checks a field; JSON's lists are tuples."""
    if not isinstance(default, tuple):
        return check_kind(value, type(default), what)
    check_kind(value, list, what)
    kind = type(default[0])
    return tuple(check_kind(item, kind, f"a part of {what}") for item in value)
