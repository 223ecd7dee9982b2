"""Turns configuration dataclasses into absl flags and back."""

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from nascore.config import Config, flatten, unflatten
from nascore.paths import expand, names_path


class _PathParser(flags.ArgumentParser[str]):
    """Reads a path, with `~` for the home folder."""

    def parse(self, argument: str) -> str:
        """Returns it expanded; absl says it where that is refused."""
        return expand(argument)

    def flag_type(self) -> str:
        """For `--help`."""
        return "string"


def define_path(
    name: str,
    default: str | None,
    text: str,
    into: flags.FlagValues = flags.FLAGS,
) -> None:
    """Defines a flag whose value is a path.

    Args:
      name: of the flag.
      default: its value where none is given.
      text: what `--help` says.
      into: where; the command line's.
    """
    flags.DEFINE(_PathParser(), name, default, text, into)


def define_data_dir() -> None:
    """Defines `--data_dir` of scripts that read a search's data again."""
    define_path(
        "data_dir",
        "",
        "Where the data set of the search is now; empty: where it was.",
    )


def define(config: Any, into: flags.FlagValues = flags.FLAGS) -> None:
    """Defines a flag for each field of a dataclass and of those inside it.

    Args:
      config: an instance; its values are the defaults.
      into: where; the command line's.
    """
    for field in dataclasses.fields(config):
        default = getattr(config, field.name)
        if dataclasses.is_dataclass(default):
            define(default, into)
            continue
        # Of two that share a name, as in a comparison, the first holds.
        if field.name in into:
            continue
        text = field.metadata["help"]
        choices = field.metadata["choices"]
        if choices:
            flags.DEFINE_enum(
                field.name, default, choices, text, flag_values=into
            )
        elif isinstance(default, bool):
            flags.DEFINE_bool(field.name, default, text, flag_values=into)
        elif isinstance(default, int):
            flags.DEFINE_integer(field.name, default, text, flag_values=into)
        elif isinstance(default, float):
            flags.DEFINE_float(field.name, default, text, flag_values=into)
        elif names_path(field):
            define_path(field.name, default, text, into)
        else:
            flags.DEFINE_string(field.name, default, text, flag_values=into)


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
    with contextlib.suppress(flags.Error, UnicodeDecodeError):
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
