"""Turns configuration dataclasses into absl flags and back."""

import contextlib
import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from nascore.config import Config, flatten, limits, unflatten
from nascore.paths import expand, names_path

# Of the flags that are settings, the (least, greatest) number allowed.
LIMITS: dict[str, tuple[float, float]] = {}


class _PathParser(flags.ArgumentParser[str]):
    """Reads a path, with `~` for the home folder."""

    def parse(self, argument: str) -> str:
        """Returns it expanded; absl says it where that is refused."""
        return expand(argument)

    def flag_type(self) -> str:
        """For `--help`."""
        return "path"


def define_path(
    name: str,
    default: str | None,
    text: str,
    group: str | None = None,
    into: flags.FlagValues = flags.FLAGS,
) -> None:
    """Defines a flag whose value is a path.

    Args:
      name: of the flag.
      default: its value where none is given.
      text: what `--help` says.
      group: heading that `--help` lists it under; None: the script's own.
      into: where; the command line's.
    """
    flags.DEFINE(_PathParser(), name, default, text, into, module_name=group)


def define_data_dir() -> None:
    """Defines `--data_dir` of scripts that read a search's data again."""
    define_path(
        "data_dir",
        "",
        "Where the data set of the search is now; empty: where it was.",
    )


def define(config: Any, into: flags.FlagValues = flags.FLAGS) -> None:
    """Defines a flag for each field of a dataclass and of those inside it.

    Absl sorts flags by the module that defines them; those of a dataclass
    are sorted under what its docstring says, which is what people look for.

    Args:
      config: an instance; its values are the defaults.
      into: where; the command line's.
    """
    group = _heading(config)
    bounds = limits(config)
    for field in dataclasses.fields(config):
        default = getattr(config, field.name)
        if dataclasses.is_dataclass(default):
            define(default, into)
            continue
        # Of two that share a name, as in a comparison, the first holds.
        if field.name in into:
            continue
        if field.name in bounds and into is flags.FLAGS:
            LIMITS[field.name] = bounds[field.name]
        _define_field(field, default, group, into)


def _define_field(
    field: "dataclasses.Field[Any]",
    default: Any,
    group: str,
    into: flags.FlagValues,
) -> None:
    """Defines the flag of one field."""
    name, text = field.name, field.metadata["help"]
    choices = field.metadata["choices"]
    where: dict[str, Any] = {"flag_values": into, "module_name": group}
    if choices:
        flags.DEFINE_enum(name, default, choices, text, **where)
    elif isinstance(default, bool):
        flags.DEFINE_bool(name, default, text, **where)
    elif isinstance(default, int):
        flags.DEFINE_integer(name, default, text, **where)
    elif isinstance(default, float):
        flags.DEFINE_float(name, default, text, **where)
    elif names_path(field):
        define_path(name, default, text, group, into)
    else:
        flags.DEFINE_string(name, default, text, **where)


def _heading(config: Any) -> str:
    """What a dataclass is about: the first line of its docstring."""
    name = type(config).__name__
    text = (type(config).__doc__ or "").strip()
    # Python writes one where there is none.
    if not text or text.startswith(f"{name}("):
        return f"Settings of {name}"
    return text.splitlines()[0].rstrip(".")


def names(config: Any) -> list[str]:
    """The flags that `define` makes of a dataclass."""
    return list(flatten(config))


def given(config: Any) -> dict[str, Any]:
    """The flags of a dataclass that the user gave, and their values."""
    return {
        name: flags.FLAGS[name].value
        for name in names(config)
        if flags.FLAGS[name].present
    }


def peek(argv: Sequence[str]) -> None:
    """Reads the flags that are defined so far, others being unknown yet.

    Give them back with `flags.FLAGS.unparse_flags()`. Mistakes are left to
    the reading of all flags.
    """
    quiet = contextlib.redirect_stderr(io.StringIO())
    with quiet, contextlib.suppress(flags.Error, UnicodeDecodeError):
        flags.FLAGS(argv, known_only=True)
    flags.FLAGS.mark_as_parsed()


def read(config: Config, stored: Mapping[str, Any] | None = None) -> Config:
    """Makes a dataclass of the values of its flags.

    Args:
      config: an instance of the class.
      stored: values that hold for the flags that were not given.

    Raises:
      InputError: a value that the dataclass does not allow.
    """
    if stored is None:
        stored = flatten(config)
    return unflatten(config, {**stored, **given(config)})
