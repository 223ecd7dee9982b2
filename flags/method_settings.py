"""Which settings make a method, and which method they make."""

from collections.abc import Mapping
from typing import Any

from flags import methods
from nascore.config import flatten, unflatten
from nascore.errors import InputError


def name_with(name: str, config: Any) -> str:
    """The name of the method that settings make of a method.

    Args:
      name: of the method that was asked for.
      config: its settings: with a random controller it is another method.
    """
    values = flatten(config)
    module = methods.find(name).module
    for other in (name, *methods.METHODS):
        method = methods.find(other)
        if method.module == module and all(
            values.get(key) == value for key, value in method.settings.items()
        ):
            return other
    return name


def with_settings(
    name: str, config: Any, given: Mapping[str, Any] | None = None
) -> Any:
    """Gives a configuration the settings that make a method.

    Args:
      name: of the method.
      config: a dataclass of its settings.
      given: what the user gave.

    Raises:
      InputError: something else was given for one of them.
    """
    own = methods.find(name).settings
    for key, value in own.items():
        if given and given.get(key, value) != value:
            raise InputError(
                f"--{key}={given[key]} contradicts the method {name}, which "
                f"is --{key}={value}; leave it out, or name another method"
            )
    return unflatten(config, {**flatten(config), **own})
