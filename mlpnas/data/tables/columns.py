"""Columns of a table by the names that a user gives them."""

import difflib
from collections.abc import Sequence

import pandas as pd

from mlpnas.data.config import MlpDataConfig, split_names
from nascore.errors import InputError

# Names that a message or a note lists.
_SHOWN = 10


def simple(name: object) -> str:
    """A name without blanks around it, line breaks as blanks."""
    return " ".join(str(name).split())


def find_column(frame: pd.DataFrame, name: str, flag: str) -> str:
    """The column that a flag names, blanks around it aside.

    Raises:
      InputError: there is none.
    """
    if name in frame:
        return name
    alike = [column for column in frame if simple(column) == simple(name)]
    if len(alike) == 1:
        return str(alike[0])
    near = difflib.get_close_matches(name, map(str, frame.columns), 1)
    hint = f"did you mean {near[0]!r}?" if near else "its columns are: "
    if not near:
        hint += name_some([str(column) for column in frame.columns])
    raise InputError(f"--{flag}={name} is no column of the table; {hint}")


def find_columns(
    frame: pd.DataFrame, config: MlpDataConfig, flag: str
) -> tuple[str, ...]:
    """The columns that a flag of the data lists.

    Raises:
      InputError: one is none, or the label.
    """
    label = simple(config.label_column)
    for name in split_names(getattr(config, flag)):
        if label and simple(name) == label:
            raise InputError(
                f"--{flag} names {name!r}, the --label_column; a label is "
                "always a class, and no input"
            )
    return tuple(
        find_column(frame, name, flag)
        for name in split_names(getattr(config, flag))
    )


def name_some(names: Sequence[str]) -> str:
    """Some names for a message, and how many more there are."""
    listed = ", ".join(names[:_SHOWN])
    if len(names) > _SHOWN:
        listed += f", ... ({len(names)} in all)"
    return listed
