"""What frozen, validated configurations are made with; no TensorFlow.

Every field carries its own help text, so that the command-line flags can be
made from the dataclasses and defaults live in one place only.
"""

import contextvars
import dataclasses
import math
import reprlib
from collections.abc import Mapping
from typing import Any, TypeVar

from nascore.errors import InputError

Config = TypeVar("Config")
Kind = TypeVar("Kind")

_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
}

# Where `limits` wants the bounds to go; None while nobody asks.
_asked: contextvars.ContextVar[dict[str, tuple[float, float]] | None] = (
    contextvars.ContextVar("asked", default=None)
)

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlong = 30


def option(
    default: Any,
    text: str,
    choices: tuple[str, ...] | None = None,
    path: bool = False,
    resumable: bool = False,
) -> Any:
    """Makes a dataclass field that knows its help text and its choices.

    Args:
      default: its value where none is given.
      text: what `--help` says.
      choices: the values that it can have.
      path: whether it is a path, see `nascore.paths`.
      resumable: whether it may differ when a run is continued: more epochs
        change nothing before them, data may have moved (fingerprints tell
        whether they are the same), and exports change no result.
    """
    metadata = {
        "help": text,
        "choices": choices,
        "path": path,
        "resumable": resumable,
    }
    return dataclasses.field(default=default, metadata=metadata)


def check_fields(config: Any, **bounds: tuple[float, float]) -> None:
    """Checks kinds, choices and finite, inclusive bounds of the fields.

    Flags bring values of the right kind; the `config.json` of a run may hold
    anything.

    Args:
      config: a dataclass instance made with `option` fields.
      **bounds: for each numeric field, its (least, greatest) allowed value.

    Raises:
      InputError: names the field, the value and what is allowed.
    """
    asked = _asked.get()
    if asked is not None:
        asked.update(bounds)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if "choices" not in field.metadata:
            continue
        _check_value(field.name, value, type(field.default))
        choices = field.metadata["choices"]
        if choices and value not in choices:
            raise InputError(
                f"--{field.name}={value} is not one of: {', '.join(choices)}"
            )
        if field.name not in bounds:
            continue
        least, greatest = bounds[field.name]
        if not least <= value <= greatest or value == math.inf:
            if greatest == math.inf:
                allowed = f"a finite number of at least {least:g}"
            else:
                allowed = f"a number from {least:g} to {greatest:g}"
            raise InputError(f"--{field.name}={value} must be {allowed}")


def limits(config: Any) -> dict[str, tuple[float, float]]:
    """The (least, greatest) value of each field that is a bounded number.

    Args:
      config: a valid instance. It is made once more, and its own checks say
        what they check; those of dataclasses inside it are not asked.
    """
    found: dict[str, tuple[float, float]] = {}
    token = _asked.set(found)
    try:
        dataclasses.replace(config)
    finally:
        _asked.reset(token)
    return found


def _check_value(name: str, value: Any, kind: type) -> None:
    # NaN is a number; the bounds refuse it, and name what they allow.
    if kind is float and isinstance(value, float):
        return
    check_kind(value, kind, f"--{name}")
    if kind is int and abs(value) >= 2**63:
        raise InputError(f"--{name}={show(value)} is too large a number")
    if kind is str and not " ".join(value.split()).isprintable():
        raise InputError(
            f"--{name}={value} holds characters that cannot be printed"
        )


def resumable_names(config: Any) -> set[str]:
    """Names of the fields that may differ when a run is continued."""
    names: set[str] = set()
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            names |= resumable_names(value)
        elif field.metadata.get("resumable"):
            names.add(field.name)
    return names


def flatten(config: Any) -> dict[str, Any]:
    """Lists the fields of nested dataclasses under their flag names."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            flat.update(flatten(value))
        else:
            flat[field.name] = value
    return flat


def unflatten(config: Config, values: Mapping[str, Any]) -> Config:
    """Makes a dataclass from its fields under their flag names.

    Args:
      config: an instance; it has the values of what is missing.
      values: as `flatten` returns them.

    Raises:
      InputError: a value that the dataclass does not allow.
    """
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        default = getattr(config, field.name)
        if dataclasses.is_dataclass(default):
            fields[field.name] = unflatten(default, values)
        else:
            fields[field.name] = values.get(field.name, default)
    return type(config)(**fields)


def check_kind(value: Any, kind: type[Kind], what: str) -> Kind:
    """Returns a value if it is of a kind.

    Args:
      value: of settings, or of a JSON file.
      kind: dict, list, str, bool, int, or float for a finite number.
      what: it is, for the message.

    Raises:
      InputError: it is not; the message starts with `what`.
    """
    kinds: Any = (int, float) if kind is float else kind
    right = isinstance(value, kinds)
    # Python takes truth values for numbers.
    if right and isinstance(value, bool):
        right = kind is bool
    if right and kind is float:
        right = _is_finite(value)
    if not right:
        raise InputError(
            f"{what} must be {_NAMES[kind]}. Received: {show(value)}"
        )
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number that no float can hold.
        return False


def show(value: Any) -> str:
    """A value for a message, cut where it is long or deep."""
    return _short.repr(value)
