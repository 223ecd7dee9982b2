"""Reads tables from their files, and says what is wrong with them."""

import math
import zipfile
import zlib
from collections.abc import Callable, Hashable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlpnas.data.tables.checks import (
    BROKEN,
    check_cells,
    check_header,
    check_size,
)
from mlpnas.data.tables.delimited import read_csv
from nascore.config import show
from nascore.errors import InputError

_READERS = (".csv", ".csv.gz", ".parquet", ".npz", ".tsv", ".tsv.gz")
# Of NumPy's kinds of values: truth, whole and broken numbers, texts.
_KINDS = "biufUS"


class DataTable(NamedTuple):
    """What a file holds.

    Attributes:
      frame: a column for each name: numbers, or values whose `str` is the
        file's text.
      codes: columns of numbers in which some have leading zeros.
    """

    frame: pd.DataFrame
    codes: list[str]


def read_table(
    path: Path,
    flag: str,
    decimal: str = ".",
    as_text: Callable[[str], bool] = lambda name: False,
) -> DataTable:
    """Reads a table.

    Args:
      path: a file of one of the kinds that are read.
      flag: the flag that named it, for messages.
      decimal: what separates whole and fraction in a file of text.
      as_text: whether a column's fields are kept as they stand in a file of
        text, even if all are numbers.

    Raises:
      InputError: it is missing, damaged, ragged, empty or too large.
    """
    where = f"--{flag}={path}" if flag else str(path)
    if not path.is_file():
        raise InputError(f"{where} is not an existing file")
    name = path.name.lower()
    if not name.endswith(_READERS):
        hint = "; save its sheet as CSV" if ".xls" in name else ""
        raise InputError(f"{where} must end in {', '.join(_READERS)}{hint}")
    check_size(path, where)
    codes: list[str] = []
    if name.endswith(".npz"):
        frame = _read_npz(path, where)
    elif name.endswith(".parquet"):
        frame = _read_parquet(path, where)
    else:
        frame, codes = read_csv(path, where, decimal, as_text)
    if frame.empty:
        raise InputError(f"{where} has no rows")
    return DataTable(frame, codes)


def _read_parquet(path: Path, where: str) -> pd.DataFrame:
    try:
        import pyarrow.parquet

        # A few bytes may stand for any number of equal values.
        about = pyarrow.parquet.read_metadata(path)
        check_cells(about.num_rows * about.num_columns, where)
        # Whole numbers stay whole where some are missing.
        table = pd.read_parquet(path, dtype_backend="numpy_nullable")
        # An index with a name is a column of the file; else it counts rows.
        unnamed = all(name is None for name in table.index.names)
        table = table.reset_index(drop=unnamed)
    except ImportError:
        raise InputError(
            f"{where} needs the package pyarrow: pip install 'ienas[parquet]'"
        ) from None
    except BROKEN as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{where} cannot be read: {reason}") from None
    _check_values(table, where)
    return table


def _check_values(table: pd.DataFrame, where: str) -> None:
    """Turns decimals into numbers; no columns of lists, or of one name."""
    table.columns = [str(name) for name in table.columns]
    check_header(list(table.columns), where)
    for name in table:
        if table[name].dtype != object:
            continue
        known = table[name].dropna()
        odd = [v for v in known if not isinstance(v, Hashable)][:1]
        if odd:
            raise InputError(
                f"{where}: column {name!r} holds {show(odd[0])}, and a table "
                "holds numbers and texts"
            )
        if len(known) and all(isinstance(v, Decimal) for v in known):
            numbers = table[name].map(float, na_action="ignore")
            table[name] = numbers.astype("Float64")


def _read_npz(path: Path, where: str) -> pd.DataFrame:
    """One column for each array, or for each number of a row in it."""
    columns: dict[str, np.ndarray] = {}
    try:
        _check_npz(path, where)
        with np.load(path, allow_pickle=False) as arrays:
            rows = {name: len(arrays[name]) for name in arrays.files}
            if len(set(rows.values())) > 1:
                raise InputError(
                    f"{where} has arrays of different lengths: "
                    + ", ".join(f"{k} {v}" for k, v in rows.items())
                )
            for name in arrays.files:
                columns |= _expand(name, arrays[name])
    except (
        *BROKEN,
        EOFError,
        RuntimeError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{where} cannot be read: {reason}") from None
    return pd.DataFrame(columns)


def _check_npz(path: Path, where: str) -> None:
    """Raises InputError for what no array of numbers or texts has.

    Its header may claim any size, and NumPy would ask for so much memory.
    """
    count = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                if np.lib.format.read_magic(file) == (1, 0):
                    read = np.lib.format.read_array_header_1_0
                else:
                    read = np.lib.format.read_array_header_2_0
                shape, _, kind = read(file)
            size = math.prod(shape) * kind.itemsize
            if kind.kind not in _KINDS:
                raise InputError(
                    f"{where} cannot be read: {member.filename} has values "
                    f"of the kind {kind}, and a table holds numbers and texts"
                )
            if not shape or min(shape) < 0 or size > member.file_size:
                raise InputError(
                    f"{where} is damaged: {member.filename} says that it has "
                    f"the shape {shape}"
                )
            count += size // 8
    check_cells(count, where)


def _expand(name: str, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if array.ndim == 1:
        return iter([(name, array)])
    flat = array.reshape(len(array), -1)
    return ((f"{name}_{n}", flat[:, n]) for n in range(flat.shape[1]))
