"""Columns and rows of tables: what is left out, and what is wrong in them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlpnas.data.config import MlpDataConfig
from mlpnas.data.encoders import MISSING
from mlpnas.data.tables.columns import find_columns, name_some
from mlpnas.data.tables.readings import Reading
from nascore.config import show
from nascore.errors import InputError


def drop_columns(
    frame: pd.DataFrame, config: MlpDataConfig
) -> tuple[pd.DataFrame, list[str]]:
    """Leaves out row numbers and what the user named; returns notes."""
    notes = []
    frame = frame.drop(
        columns=list(find_columns(frame, config, "drop_columns"))
    )
    if not frame.shape[1]:
        raise InputError("--drop_columns leaves no column of the table")
    first = frame.columns[0]
    if str(first).startswith("Unnamed:") and not config.leaky:
        values = frame[first].to_numpy()
        if values.dtype.kind in "iu" and (np.diff(values) == 1).all():
            frame = frame.drop(columns=[first])
            notes.append("the first column numbers the rows and is left out")
    return frame, notes


def match_columns(
    train: pd.DataFrame,
    test: pd.DataFrame,
    left_out: Sequence[str],
    path: str,
) -> pd.DataFrame:
    """Brings a test table to the columns of the data file.

    Args:
      train: of the data file, without what was left out.
      test: the test table.
      left_out: columns of the data file that are not in `train`.
      path: of the test table.

    Raises:
      InputError: it has other columns.
    """
    dropped = [name for name in test if name in left_out]
    test = test.drop(columns=dropped)
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
    return test[list(train.columns)]


def drop_constant(
    frame: pd.DataFrame, reading: Reading
) -> tuple[Reading, list[str]]:
    """Leaves out columns that say nothing; returns the rest and notes.

    Raises:
      InputError: nothing is left.
    """
    useful = [name for name in frame if frame[name].nunique() > 1]
    if not useful:
        raise InputError(
            "no input column is left: each has one value only in the "
            "training rows"
        )
    notes = []
    useless = [str(name) for name in frame if frame[name].nunique() < 2]
    if useless:
        notes.append(
            "left out, because one value only is in the training rows: "
            + name_some(useless)
        )
    return reading.only(useful), notes


def describe_missing(frame: pd.DataFrame, reading: Reading) -> list[str]:
    """Notes on missing values, if there are any."""
    counts = {
        name: int(frame[name].isna().sum()) for name in reading.names(True)
    }
    counts |= {
        name: int((frame[name] == MISSING).sum())
        for name in reading.names(False)
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


def describe_unknown(
    frame: pd.DataFrame,
    names: Sequence[str],
    categories: Sequence[Sequence[str]],
    where: str,
) -> list[str]:
    """Notes on texts that are no category of their column.

    Args:
      frame: rows as `readings.apply` returns them.
      names: of the columns of texts.
      categories: of each of them.
      where: what the rows are called.
    """
    notes = []
    for name, known in zip(names, categories, strict=True):
        unknown = ~frame[name].isin(known).to_numpy()
        if unknown.any():
            texts = pd.unique(frame[name][unknown])
            shown = ", ".join(
                show(text) if text != MISSING else "missing values"
                for text in texts[:3]
            )
            notes.append(
                f"column {name!r}: {shown}{', ...' if len(texts) > 3 else ''} "
                f"in {unknown.sum()} rows of {where} are not in the training "
                "rows and count as none of its categories"
            )
    if len(notes) > 5:
        notes[5:] = [f"so it is in {len(notes) - 5} columns more"]
    return notes
