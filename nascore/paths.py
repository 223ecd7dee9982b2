"""Paths as a user writes them."""

import dataclasses
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from nascore.errors import InputError


def expand(text: str) -> str:
    """Puts a home folder in place of a leading `~` or `~user`.

    A shell does so only at the start of a word, and not in `--run_dir=~/a`.
    A file that is called like that and whose user does not exist is itself.

    Args:
      text: a path, or nothing.

    Raises:
      InputError: there is no such user, or nobody knows its home.
    """
    try:
        return str(Path(text).expanduser()) if text[:1] == "~" else text
    except RuntimeError:
        if os.path.exists(text):
            return text
        raise InputError(
            f"{text} names the home folder of a user that this machine "
            f"does not know; write ./{text} for a path that begins with ~"
        ) from None


def to_path(text: str) -> Path:
    """A path from a command line, see `expand`."""
    return Path(expand(text))


def quote(word: str) -> str:
    """Writes a word of a command so that this system's shell takes it."""
    if os.name == "nt":
        return subprocess.list2cmdline([word])
    return shlex.quote(word)


def names_path(field: "dataclasses.Field[Any]") -> bool:
    """Whether a setting, made with `option`, is a path."""
    return bool(field.metadata.get("path"))


def make_absolute(config: Any) -> Any:
    """The same settings with absolute paths, for other working folders.

    Args:
      config: a dataclass of `option` fields, and of such dataclasses.
    """
    changed = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            changed[field.name] = make_absolute(value)
        elif names_path(field) and value:
            changed[field.name] = os.path.abspath(value)
    return dataclasses.replace(config, **changed)
