"""Reads tables from files of text: commas, semicolons, tabs or bars."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd

from mlpnas.data.tables.checks import BROKEN, GROWTH, check_header
from nascore.errors import InputError
from nascore.process.memory import available

_DELIMITERS = ",;\t|"
# Of characters; a table of ten thousand columns has shorter lines.
_LONGEST_LINE = 10_000_000
# Where a line may hold a number with a leading zero; and such a number.
_MAY_BE_CODE = re.compile(r'(?:^|[,;\t|"\s])[+-]?0[0-9]')
# Fields that are looked at as texts at a time.
_FIELDS = 1_000_000
_CODE = r"\s*[+-]?0[0-9]"


def read_csv(
    path: Path, where: str, decimal: str, as_text: Callable[[str], bool]
) -> tuple[pd.DataFrame, list[str]]:
    """Reads a table of text.

    Args:
      path: the file.
      where: what it is called in messages.
      decimal: what separates whole and fraction.
      as_text: whether a column's fields are kept as they are, even if all
        are numbers.

    Returns:
      A column of numbers where all fields are numbers or missing, else the
      texts as they stand in the file; and the columns of numbers in which
      some have leading zeros.

    Raises:
      InputError: it is damaged, ragged or too large.
    """
    delimiter, zeros = _check(path, where)
    how: dict[str, Any] = {
        "sep": delimiter,
        # The first column is no index, whatever rows look like.
        "index_col": False,
        "encoding": "utf-8-sig",
    }
    texts = {**how, "dtype": str, "na_filter": False}
    try:
        table = pd.read_csv(path, low_memory=False, decimal=decimal, **how)
        places = [
            place
            for place, name in enumerate(table.columns)
            if as_text(name) or not _is_plain(table[name])
        ]
        if places:
            names = list(table.columns)
            # These keep their texts, "None" and "NA", too.
            kept = pd.read_csv(path, usecols=places, **texts)
            table = table.drop(columns=kept.columns)
            table = pd.concat([table, kept], axis=1)[names]
        return table, _find_codes(path, table, texts) if zeros else []
    except BROKEN as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{where} cannot be read: {reason}") from None


def _is_plain(column: pd.Series) -> bool:
    """Whether nothing but numbers stands in a column, and one at least."""
    return column.dtype.kind in "iuf" and bool(column.notna().any())


def _find_codes(
    path: Path, table: pd.DataFrame, how: dict[str, Any]
) -> list[str]:
    """Columns of numbers some of which have leading zeros, as codes have."""
    places = [n for n, name in enumerate(table) if _is_plain(table[name])]
    if not places:
        return []
    found: dict[str, None] = {}
    # Not all texts at once: they take more memory than the numbers.
    rows = 1 + _FIELDS // len(places)
    with pd.read_csv(path, usecols=places, chunksize=rows, **how) as chunks:
        for chunk in chunks:
            for name in chunk.columns.difference(found, sort=False):
                if chunk[name].str.match(_CODE).any():
                    found[str(name)] = None
    return list(found)


def _check(path: Path, where: str) -> tuple[str, bool]:
    """Checks that every row has as many fields.

    pandas takes a line that is too short as one of missing values.

    Returns:
      The delimiter, and whether numbers may have leading zeros.
    """
    line, zeros = 0, False

    def watched(lines: Iterator[str]) -> Iterator[str]:
        nonlocal zeros
        for text in lines:
            zeros = zeros or bool(_MAY_BE_CODE.search(text))
            yield text

    try:
        delimiter = _find_delimiter(path, where)
        with _open(path) as file:
            lines = watched(_lines(file, where))
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            names = next(reader, [])
            check_header(names, where)
            for row in reader:
                line = reader.line_num
                if row and len(row) != len(names):
                    raise InputError(
                        f"{where} is ragged: line {line} has {len(row)} "
                        f"fields, and the header {len(names)}"
                    )
    except UnicodeDecodeError:
        raise InputError(
            f"{where} is not UTF-8 text: line {_first_bad_line(path)}; save "
            "it as UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(
            f"{where} cannot be read at line {line + 1}: {error}"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{where} cannot be read: {error}") from None
    return delimiter, zeros


def _find_delimiter(path: Path, where: str) -> str:
    """What splits the header, its quoted names left whole, into most."""
    fields = {}
    for delimiter in _DELIMITERS:
        with _open(path) as file:
            reader = csv.reader(
                _lines(file, where), delimiter=delimiter, strict=True
            )
            try:
                fields[delimiter] = len(next(reader, []))
            except csv.Error:
                fields[delimiter] = 0
    return max(_DELIMITERS, key=lambda delimiter: fields[delimiter])


def _lines(file: IO[str], where: str) -> Iterator[str]:
    """Lines of a file, as long as they and it are of a sensible size.

    A compressed file says nothing of how large it becomes.
    """
    free, size, number = available(), 0, 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        size += len(line)
        if len(line) >= _LONGEST_LINE:
            raise InputError(
                f"{where} is no table: line {number} has more than "
                f"{_LONGEST_LINE // 10**6} million characters"
            )
        if size * GROWTH[".csv"] > free:
            raise InputError(
                f"{where} is too large: it becomes more than "
                f"{size / 1e9:.1f} GB, and {free / 1e9:.1f} GB of memory are "
                "free; take a part of its rows"
            )
        yield line


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
