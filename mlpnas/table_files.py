"""Reads tables from CSV, Parquet and NPZ files, and says what is wrong."""

import csv
import gzip
import math
import os
import zipfile
import zlib
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from nascore.errors import InputError
from nascore.json_files import show

_READERS = (".csv", ".csv.gz", ".parquet", ".npz")
# Memory that a table takes while it is read and encoded, in bytes of the file.
_GROWTH = {".csv": 4, ".csv.gz": 20, ".parquet": 12, ".npz": 3}
_DELIMITERS = ",;\t"
# Of characters; a table of ten thousand columns has shorter lines.
_LONGEST_LINE = 10_000_000
# What pyarrow and pandas raise for files that are damaged or too new.
_BROKEN = (
    ValueError,
    OSError,
    KeyError,
    TypeError,
    IndexError,
    OverflowError,
    NotImplementedError,
    MemoryError,
)
# Of NumPy's kinds of values: truth, whole and broken numbers, texts.
_KINDS = "biufUS"


def read_table(path: Path, flag: str) -> pd.DataFrame:
    """Reads a table, a column for each name.

    Args:
      path: a .csv, .csv.gz, .parquet or .npz file.
      flag: the flag that named it, for messages.

    Raises:
      InputError: it is missing, damaged, ragged, empty or too large.
    """
    where = f"--{flag}={path}"
    if not path.is_file():
        raise InputError(f"{where} is not an existing file")
    kinds = [kind for kind in _READERS if path.name.lower().endswith(kind)]
    if not kinds:
        raise InputError(f"{where} must end in {', '.join(_READERS)}")
    _check_memory(path, _GROWTH[kinds[-1]], where)
    if kinds[-1] == ".npz":
        table = _read_npz(path, where)
    elif kinds[-1] == ".parquet":
        table = _read_parquet(path, where)
    else:
        table = _read_csv(path, where)
    if table.empty:
        raise InputError(f"{where} has no rows")
    return table


def available_memory() -> int:
    """Bytes of memory that a process can still get."""
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _check_memory(path: Path, growth: int, where: str) -> None:
    size, free = path.stat().st_size, available_memory()
    if size * growth > free:
        raise InputError(
            f"{where} is too large: {size / 1e9:.1f} GB in the file need "
            f"about {size * growth / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free; take a part of its rows"
        )


def _read_csv(path: Path, where: str) -> pd.DataFrame:
    delimiter = _check_csv(path, where)
    try:
        # The first column is no index, whatever rows look like.
        return pd.read_csv(
            path, sep=delimiter, low_memory=False, index_col=False
        )
    except _BROKEN as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{where} cannot be read: {reason}") from None


def _check_csv(path: Path, where: str) -> str:
    """Checks that every line has as many fields; returns the delimiter.

    pandas takes a line that is too short as one of missing values.
    """
    line = 1
    try:
        with _open(path) as file:
            lines = _lines(file, where)
            header = next(lines, "")
            delimiter = max(_DELIMITERS, key=header.count)
            names = next(csv.reader([header], delimiter=delimiter), [])
            _check_header(names, where)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            for row in reader:
                line = 1 + reader.line_num
                if row and len(row) != len(names):
                    raise InputError(
                        f"{where} is ragged: line {line} has {len(row)} "
                        f"fields, and the header {len(names)}"
                    )
    except UnicodeDecodeError:
        raise InputError(
            f"{where} is not UTF-8 text: line {_first_bad_line(path)}"
        ) from None
    except csv.Error as error:
        raise InputError(
            f"{where} cannot be read at line {line + 1}: {error}"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where} cannot be read: {error}") from None
    return delimiter


def _lines(file: IO[str], where: str) -> Iterator[str]:
    """Lines of a file, as long as they and it are of a sensible size.

    A compressed file says nothing of how large it becomes.
    """
    free, size, number = available_memory(), 0, 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        size += len(line)
        if len(line) >= _LONGEST_LINE:
            raise InputError(
                f"{where} is no table: line {number} has more than "
                f"{_LONGEST_LINE // 10**6} million characters"
            )
        if size * _GROWTH[".csv"] > free:
            raise InputError(
                f"{where} is too large: it becomes more than "
                f"{size / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are "
                "free; take a part of its rows"
            )
        yield line


def _check_header(names: list[str], where: str) -> None:
    if not any(names):
        raise InputError(f"{where} has no header line with column names")
    named = [name for name in names if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InputError(
            f"{where} names the column {twice[0]!r} more than once"
        )


def _open(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _first_bad_line(path: Path) -> int:
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 0


def _read_parquet(path: Path, where: str) -> pd.DataFrame:
    try:
        import pyarrow.parquet

        # A few bytes may stand for any number of equal values.
        about = pyarrow.parquet.read_metadata(path)
        _check_cells(about.num_rows * about.num_columns, where)
        table = pd.read_parquet(path).reset_index(drop=True)
    except ImportError:
        raise InputError(
            f"{where} needs the package pyarrow: pip install 'ienas[parquet]'"
        ) from None
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{where} cannot be read: {reason}") from None
    _check_values(table, where)
    return table


def _check_cells(count: int, where: str) -> None:
    free = available_memory()
    if 8 * count * _GROWTH[".npz"] > free:
        raise InputError(
            f"{where} is too large: its {count:.3g} values need more than the "
            f"{free / 1e9:.1f} GB of memory that are free"
        )


def _check_values(table: pd.DataFrame, where: str) -> None:
    """Raises InputError for columns of lists, or of one name."""
    table.columns = [str(name) for name in table.columns]
    _check_header(list(table.columns), where)
    for name in table:
        values = table[name] if table[name].dtype == object else []
        odd = [v for v in values if not isinstance(v, Hashable)][:1]
        if odd:
            raise InputError(
                f"{where}: column {name!r} holds {show(odd[0])}, and a table "
                "holds numbers and texts"
            )


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
        *_BROKEN,
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
    _check_cells(count, where)


def _expand(name: str, array: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if array.ndim == 1:
        return iter([(name, array)])
    flat = array.reshape(len(array), -1)
    return ((f"{name}_{n}", flat[:, n]) for n in range(flat.shape[1]))
