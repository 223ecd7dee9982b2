"""Turns configuration dataclasses into absl flags and back."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from absl import flags

Config = TypeVar("Config")


def define(config: Any) -> None:
    """Defines a flag for each field of a dataclass and of those inside it.

    Args:
      config: an instance; its values are the defaults.
    """
    for field in dataclasses.fields(config):
        default = getattr(config, field.name)
        if dataclasses.is_dataclass(default):
            define(default)
            continue
        text = field.metadata["help"]
        choices = field.metadata["choices"]
        if choices:
            flags.DEFINE_enum(field.name, default, choices, text)
        elif isinstance(default, bool):
            flags.DEFINE_bool(field.name, default, text)
        elif isinstance(default, int):
            flags.DEFINE_integer(field.name, default, text)
        elif isinstance(default, float):
            flags.DEFINE_float(field.name, default, text)
        else:
            flags.DEFINE_string(field.name, default, text)


def read(config: Config, stored: Mapping[str, Any] | None = None) -> Config:
    """Makes a dataclass of the values of its flags.

    Args:
      config: an instance of the class.
      stored: values that hold for the flags that were not given.

    Raises:
      InputError: a value that the dataclass does not allow.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        default = getattr(config, field.name)
        if dataclasses.is_dataclass(default):
            values[field.name] = read(default, stored)
        elif stored and not flags.FLAGS[field.name].present:
            values[field.name] = stored.get(field.name, default)
        else:
            values[field.name] = flags.FLAGS[field.name].value
    return type(config)(**values)
