"""Tables as people have them in Python: data frames, or arrays."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nascore.config import show
from nascore.errors import InputError

LABEL = "label"


def to_columns(x: Any) -> dict[str, np.ndarray]:
    """Columns of numbers or texts, by name.

    Args:
      x: a `DataFrame`, a dictionary of columns, or an array `[n, columns]`,
        whose columns are called `x0`, `x1`, ...

    Raises:
      InputError: it is something else, or has values of another kind.
    """
    if isinstance(x, pd.DataFrame | Mapping):
        frame = pd.DataFrame(x)
        names = [str(name) for name in frame.columns]
    else:
        array = np.asarray(x)
        if array.ndim != 2:
            raise InputError(
                "x must be a DataFrame or an array [n, columns]. Received: "
                f"{list(array.shape)}"
            )
        frame = pd.DataFrame(array)
        names = [f"x{place}" for place in range(array.shape[1])]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"x has the column {twice[0]!r} twice")
    return {
        name: _plain(frame.iloc[:, place], name)
        for place, name in enumerate(names)
    }


def _plain(column: Any, name: str) -> np.ndarray:
    """A column as numbers, with NaN where missing, or as texts, with ''."""
    kind = pd.api.types
    if kind.is_bool_dtype(column) or kind.is_numeric_dtype(column):
        if kind.is_complex_dtype(column):
            raise InputError(f"column {name!r} holds complex numbers")
        if column.isna().any():
            return column.to_numpy(np.float64, na_value=np.nan)
        return np.asarray(column.to_numpy(column.dtype.name.lower()))
    values = column.to_numpy(object)
    texts = ["" if pd.isna(v) else v for v in values]
    odd = [v for v in texts if not isinstance(v, str)]
    if odd:
        raise InputError(
            f"column {name!r} holds {show(odd[0])} of {type(odd[0])}; give "
            "numbers or texts"
        )
    return np.array(texts, dtype=str)


def to_table(x: Any, y: Any) -> dict[str, np.ndarray]:
    """Columns of a table, the last one that of its labels.

    Raises:
      InputError: see `to_columns`; or labels that are missing or too few.
    """
    columns = to_columns(x)
    label = LABEL
    while label in columns:
        label += "_"
    labels = np.asarray(y)
    if labels.dtype == object:
        labels = _plain(pd.Series(labels), label)
    rows = len(next(iter(columns.values()), ()))
    if labels.ndim != 1 or len(labels) != rows:
        raise InputError(
            f"y must be a class for each of the {rows} rows of x. Received: "
            f"{list(labels.shape)}"
        )
    return {**columns, label: labels}


def write_table(file: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Writes a table as NPZ, an array for each column."""
    with file.open("wb") as opened, zipfile.ZipFile(opened, "w") as archive:
        # `np.savez` takes no column that is called `file`.
        for name, column in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, column, allow_pickle=False)


def check_same(
    folder: Path, given: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """Raises InputError if a run was started with other rows.

    Args:
      folder: of the run.
      given: tables by the name of their file.
    """
    for name, columns in given.items():
        file = folder / name
        with np.load(file, allow_pickle=False) as arrays:
            same = arrays.files == list(columns) and all(
                np.array_equal(
                    arrays[key], column, equal_nan=column.dtype.kind == "f"
                )
                for key, column in columns.items()
            )
        if not same:
            raise InputError(
                f"{file} holds other rows than fit() was given; leave them "
                "out to go on with those, or choose another run_dir"
            )
