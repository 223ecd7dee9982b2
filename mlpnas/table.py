"""Tables of examples: labels, kinds of columns, and what is wrong in them."""

import dataclasses
import difflib

import numpy as np
import pandas as pd

from mlpnas.data_config import MlpDataConfig, split_names
from mlpnas.encoders import MISSING
from nascore.errors import InputError

# A column of more different numbers than this is a quantity, not classes.
_MOST_CLASSES = 100
_MOST_FRACTIONAL_CLASSES = 20


@dataclasses.dataclass(frozen=True)
class Labels:
    """Classes of rows.

    Attributes:
      numbers: int32 `[n]`.
      names: of the classes, sorted.
    """

    numbers: np.ndarray
    names: tuple[str, ...]


def find_column(frame: pd.DataFrame, name: str, flag: str) -> None:
    """Raises InputError if there is no such column."""
    if name in frame:
        return
    near = difflib.get_close_matches(name, map(str, frame.columns), 1)
    hint = f"did you mean {near[0]!r}?" if near else "its columns are: "
    if not near:
        shown = [str(column) for column in frame.columns[:10]]
        hint += ", ".join(shown) + (", ..." if frame.shape[1] > 10 else "")
    raise InputError(f"--{flag}={name} is no column of the table; {hint}")


def drop_columns(
    frame: pd.DataFrame, config: MlpDataConfig
) -> tuple[pd.DataFrame, list[str]]:
    """Leaves out row numbers and what the user named; returns notes."""
    notes = []
    for name in split_names(config.drop_columns):
        find_column(frame, name, "drop_columns")
    frame = frame.drop(columns=list(split_names(config.drop_columns)))
    first = frame.columns[0]
    if str(first).startswith("Unnamed:") and not config.leaky:
        values = frame[first].to_numpy()
        if values.dtype.kind in "iu" and (np.diff(values) == 1).all():
            frame = frame.drop(columns=[first])
            notes.append("the first column numbers the rows and is left out")
    return frame, notes


def encode_labels(column: pd.Series, flag: str) -> Labels:
    """Numbers the classes of a column without missing values.

    Raises:
      InputError: one class, or a quantity instead of classes.
    """
    name = f"--{flag}={column.name}"
    if not is_numeric(column) and not pd.api.types.is_bool_dtype(column):
        # Numbers among texts would not sort.
        column = column.map(str)
    distinct = column.unique()
    if len(distinct) < 2:
        raise InputError(
            f"{name} has one class only ({distinct[0]!s}); a search needs two"
        )
    if is_numeric(column):
        _check_finite(column, flag)
        whole = bool(np.all(column == np.round(column)))
        most = _MOST_CLASSES if whole else _MOST_FRACTIONAL_CLASSES
        if len(distinct) > most:
            raise InputError(
                f"{name} has {len(distinct)} different numbers and looks "
                "like a quantity (regression), not like classes; MLPNAS "
                "classifies: bring it to ranges first"
            )
        if whole and (np.abs(column) < 2**53).all():
            column = column.astype(np.int64)
    values = np.sort(column.unique())
    numbers = np.searchsorted(values, column.to_numpy())
    return Labels(numbers.astype(np.int32), tuple(map(str, values)))


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers; truth values are categories."""
    return pd.api.types.is_numeric_dtype(
        column
    ) and not pd.api.types.is_bool_dtype(column)


@dataclasses.dataclass(frozen=True)
class Columns:
    """Kinds of the input columns."""

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]


def sort_columns(frame: pd.DataFrame, config: MlpDataConfig) -> Columns:
    """Finds out which columns are numbers and which are categories.

    Args:
      frame: the input columns of the data file, all its rows.
      config: may name columns of numbers that are categories.

    Raises:
      InputError: infinite numbers, or far too many categories.
    """
    forced = split_names(config.categorical_columns)
    for name in forced:
        find_column(frame, name, "categorical_columns")
    numeric, categorical = [], []
    for name in frame.columns:
        column = frame[name]
        if is_numeric(column) and name not in forced:
            _check_finite(column, "--data_file")
            numeric.append(name)
            continue
        count = column.nunique()
        if count > config.max_categories:
            raise InputError(
                f"column {name!r} has {count} different texts, more than "
                f"--max_categories={config.max_categories}; "
                f"{_explain_texts(column)}"
            )
        categorical.append(name)
    return Columns(tuple(numeric), tuple(categorical))


def _check_finite(column: pd.Series, where: str) -> None:
    wild = np.isinf(column.to_numpy(np.float64, na_value=np.nan))
    if wild.any():
        raise InputError(
            f"column {column.name!r} is not finite in row "
            f"{int(np.argmax(wild)) + 1} of {where}; leave the field empty "
            "where a value is missing"
        )


def _explain_texts(column: pd.Series) -> str:
    texts = column.dropna().astype(str)
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().mean() > 0.5:
        row = int(np.argmax(numbers.isna().to_numpy()))
        return (
            f"most are numbers, but not {texts.iloc[row]!r} in row "
            f"{int(texts.index[row]) + 1}: mend it, or leave it empty if it "
            "is missing"
        )
    return f"leave it out with --drop_columns={column.name}, or raise the limit"


def to_inputs(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Brings columns to float64, and text in which missing is `MISSING`."""
    data: dict[str, object] = {}
    for name in columns.numeric:
        data[name] = frame[name].to_numpy(np.float64, na_value=np.nan)
    for name in columns.categorical:
        texts = frame[name].astype(object)
        data[name] = np.array(
            [
                MISSING if missing else str(text)
                for text, missing in zip(texts, texts.isna(), strict=True)
            ],
            dtype=object,
        )
    return pd.DataFrame(data)


def check_same_columns(
    train: pd.DataFrame, test: pd.DataFrame, label: str, path: str
) -> None:
    """Raises InputError if a test table has other columns, or other kinds."""
    missing = [str(name) for name in train.columns if name not in test]
    extra = [str(name) for name in test.columns if name not in train]
    if missing or extra:
        parts = []
        if missing:
            parts.append(f"lacks {', '.join(missing[:5])}")
        if extra:
            parts.append(f"has {', '.join(extra[:5])} more")
        raise InputError(
            f"--test_file={path} has other columns than the data file: "
            f"{' and '.join(parts)}"
        )
    for name in train.columns:
        if name == label or not is_numeric(train[name]):
            continue
        numbers = pd.to_numeric(test[name], errors="coerce")
        bad = (numbers.isna() & test[name].notna()).to_numpy()
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"--test_file={path}: column {name!r} holds numbers in the "
                f"data file and {test[name].iloc[row]!r} in row {row + 1}"
            )
        _check_finite(numbers, f"--test_file={path}")


def drop_constant(
    frame: pd.DataFrame, columns: Columns
) -> tuple[Columns, list[str]]:
    """Leaves out columns that say nothing; returns the rest and notes.

    Raises:
      InputError: nothing is left.
    """
    useless = [name for name in frame if frame[name].nunique() < 2]
    numeric = tuple(n for n in columns.numeric if n not in useless)
    categorical = tuple(n for n in columns.categorical if n not in useless)
    if not numeric and not categorical:
        raise InputError(
            "no input column is left: each has one value only in the "
            "training rows"
        )
    notes = []
    if useless:
        notes.append(
            "left out, because one value only is in the training rows: "
            + ", ".join(map(str, useless))
        )
    return Columns(numeric, categorical), notes


def describe_missing(frame: pd.DataFrame, columns: Columns) -> list[str]:
    """Notes on missing values, if there are any."""
    counts = {name: int(frame[name].isna().sum()) for name in columns.numeric}
    counts |= {
        name: int((frame[name] == MISSING).sum())
        for name in columns.categorical
    }
    some = {name: count for name, count in counts.items() if count}
    if not some:
        return []
    named = ", ".join(
        f"{name} {count}" for name, count in list(some.items())[:10]
    )
    return [
        f"{sum(some.values())} missing values in the training rows ({named}"
        f"{', ...' if len(some) > 10 else ''}): numbers become the column's "
        "median, texts a category of their own"
    ]
