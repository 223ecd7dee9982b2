"""How the fields of a table are read: fixed by the data file, then kept.

Test rows, and rows to be classified later, are read in the same way.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlpnas.data.encoders import MISSING
from mlpnas.data.tables.columns import simple
from mlpnas.data.tables.numbers import (
    is_missing_number,
    other_mark,
    parse_number,
)
from nascore.config import show
from nascore.errors import InputError


@dataclasses.dataclass(frozen=True)
class Column:
    """How a column is read.

    Attributes:
      name: of the column.
      is_numeric: as numbers; else each text is a category.
      decimal: what separates whole and fraction in numbers.
      loose: whether separators and units are taken off numbers.
    """

    name: str
    is_numeric: bool
    decimal: str = "."
    loose: bool = False


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a table is read.

    Attributes:
      columns: those that are inputs.
      missing: texts that count as missing, beside the empty one and, in
        columns of numbers, the usual ones.
    """

    columns: tuple[Column, ...]
    missing: tuple[str, ...] = ()

    def names(self, numeric: bool) -> tuple[str, ...]:
        """The columns of numbers, or those of texts."""
        return tuple(
            column.name
            for column in self.columns
            if column.is_numeric == numeric
        )

    def keeps_text(self, name: str) -> bool:
        """Whether a column's fields are needed as they stand in a file.

        A column that is read loosely may look like one of plain numbers in
        another file, where 1.500 is none with a comma as its decimal mark.
        """
        return simple(name) in {
            simple(column.name)
            for column in self.columns
            if column.loose or not column.is_numeric
        }

    def only(self, names: Sequence[str]) -> "Reading":
        """The same for some of the columns."""
        kept = set(names)
        columns = tuple(c for c in self.columns if c.name in kept)
        return Reading(columns, self.missing)


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers; truth values are categories."""
    return pd.api.types.is_numeric_dtype(
        column
    ) and not pd.api.types.is_bool_dtype(column)


def to_texts(column: pd.Series, missing: Sequence[str] = ()) -> np.ndarray:
    """A column as texts, those of the file where it is one of texts.

    Args:
      column: of any kind; numbers that are all whole are written so.
      missing: texts that count as missing.

    Returns:
      An array of objects; `MISSING` where a value is missing.
    """
    unknown = column.isna().to_numpy()
    if is_numeric(column):
        values = column.to_numpy(np.float64, na_value=np.nan)[~unknown]
        whole = (np.abs(values) < 2**53) & (values == np.round(values))
        if column.dtype.kind == "f" and whole.all():
            column = column.astype("Int64")
    # Each different value once; blanks alone are no text.
    codes, distinct = pd.factorize(column, use_na_sentinel=True)
    texts = [_to_text(value) for value in distinct]
    lost = set(missing)
    texts = [
        MISSING if not text.strip() or text.strip() in lost else text
        for text in texts
    ]
    return np.array([*texts, MISSING], dtype=object)[codes]


def _to_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(value)


def to_numbers(
    values: pd.Series, column: Column, missing: Sequence[str], where: str
) -> np.ndarray:
    """A column as float64 `[n]`, NaN where a value is missing.

    Raises:
      InputError: a text that is no number, or a number that is not finite.
    """
    if is_numeric(values):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        for text in missing:
            number = parse_number(text, column.decimal)
            if number is not None:
                numbers = np.where(numbers == number, np.nan, numbers)
    else:
        texts = to_texts(values, missing)
        codes, distinct = pd.factorize(texts)
        parsed = [
            np.nan
            if is_missing_number(text)
            else parse_number(text, column.decimal, column.loose)
            for text in distinct
        ]
        bad = np.array([number is None for number in parsed])[codes]
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"{where}: column {column.name!r} holds numbers"
                f"{' in the data file' if where != '--data_file' else ''} and "
                f"{show(texts[row])} in row {row + 1}"
                f"{_advice(texts[row], column)}"
            )
        numbers = np.array(parsed, np.float64)[codes]
    wild = np.isinf(numbers)
    if wild.any():
        raise InputError(
            f"column {column.name!r} is not finite in row "
            f"{int(np.argmax(wild)) + 1} of {where}; leave the field empty "
            "where a value is missing"
        )
    return numbers


def _advice(text: str, column: Column) -> str:
    if parse_number(text, other_mark(column.decimal), True) is not None:
        return f"; with --decimal={other_mark(column.decimal)} it is a number"
    return "; mend it, or name it in --missing_values if it stands for nothing"


def apply(reading: Reading, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Brings columns to float64, and to texts with `MISSING` where missing.

    Args:
      reading: how; the frame has all its columns.
      frame: as `table_files.read_table` returns it.
      where: what the table is called in messages.

    Raises:
      InputError: a text in a column of numbers, or a number that is not
        finite.
    """
    data: dict[str, np.ndarray] = {}
    for column in reading.columns:
        values = frame[column.name]
        if column.is_numeric:
            data[column.name] = to_numbers(
                values, column, reading.missing, where
            )
        else:
            data[column.name] = to_texts(values, reading.missing)
    return pd.DataFrame(data, index=frame.index)
