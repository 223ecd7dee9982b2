"""Says in a few lines how a table was read, however wide it is."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from mlpnas.data.encoders import MISSING
from mlpnas.data.tables.columns import name_some
from mlpnas.data.tables.readings import Reading
from nascore.config import show

# Columns, and texts of a column, that are named.
_COLUMNS, _TEXTS = 6, 4
FLAGS = (
    "other readings: --numeric_columns, --categorical_columns, "
    "--missing_values, --decimal, --drop_columns"
)


def report(
    frame: pd.DataFrame, reading: Reading, classes: Sequence[str], label: str
) -> list[str]:
    """Lines on each kind of columns, examples and missing values.

    Args:
      frame: the rows of the data file, as `readings.apply` returns them.
      reading: how they were read.
      classes: of the labels.
      label: name of their column.
    """
    lines = [
        *_numbers(frame, reading),
        *_texts(frame, reading),
        f"label {label}: {len(classes)} classes: {name_some(classes)}",
    ]
    if reading.missing:
        asked = ", ".join(map(show, reading.missing))
        lines.append(f"missing by --missing_values: {asked}")
    return lines


def _numbers(frame: pd.DataFrame, reading: Reading) -> Iterator[str]:
    names = reading.names(True)
    if not names:
        return
    values = frame[list(names)].to_numpy(np.float64)
    missing = np.isnan(values).sum(0)
    examples = []
    for name, column in zip(names[:_COLUMNS], values.T, strict=False):
        known = column[~np.isnan(column)]
        shown = f"{known[0]:g}" if len(known) else "nothing"
        examples.append(f"{name} (as {shown})")
    yield (
        f"numbers ({_columns(names)}): {_few(examples, len(names))}; "
        f"missing (empty, NA, N/A, nan, null, None): "
        f"{_count(names, missing)}"
    )
    loose = [c.name for c in reading.columns if c.loose]
    if loose:
        marks = {c.decimal for c in reading.columns if c.loose}
        yield (
            f"of these, without separators and units, decimal "
            f"{' or '.join(sorted(marks))}: {name_some(loose)}"
        )


def _texts(frame: pd.DataFrame, reading: Reading) -> Iterator[str]:
    names = reading.names(False)
    if not names:
        return
    missing, examples = [], []
    for place, name in enumerate(names):
        missing.append(int((frame[name] == MISSING).sum()))
        if place < _COLUMNS:
            texts = sorted(set(frame[name]) - {MISSING})
            shown = ", ".join(map(show, texts[:_TEXTS]))
            more = ", ..." if len(texts) > _TEXTS else ""
            examples.append(f"{name} ({len(texts)}: {shown}{more})")
    yield (
        f"categories ({_columns(names)}): {_few(examples, len(names))}; "
        f"missing (empty): {_count(names, missing)}"
    )


def _columns(names: Sequence[str]) -> str:
    return f"{len(names)} column{'' if len(names) == 1 else 's'}"


def _few(examples: list[str], count: int) -> str:
    more = (
        f", ... {count - len(examples)} more" if count > len(examples) else ""
    )
    return ", ".join(examples) + more


def _count(names: Sequence[str], missing: Sequence[int]) -> str:
    """The columns with missing values, those with most first."""
    some = sorted(
        ((int(n), name) for name, n in zip(names, missing, strict=True) if n),
        key=lambda pair: -pair[0],
    )
    if not some:
        return "none"
    return _few([f"{name} {n}" for n, name in some[:_COLUMNS]], len(some))
