"""Reads the CSV files of a run, also while they are being written."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nascore.config import show
from nascore.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

# Numbers that count or name something, and are never missing.
_WHOLE = ("epoch", "step", "seed", "rank", "epochs", "images")
# Nothing that is measured comes near; squares of it are still finite.
_GREATEST = 1e100


def read_table(
    path: Path,
    numbers: Sequence[str],
    texts: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> pd.DataFrame:
    """Reads the whole lines of a CSV file; no file means no rows.

    Args:
      path: the file.
      numbers: columns of numbers that it must have.
      texts: columns of texts that it must have.
      optional: columns of numbers that it may have.

    Raises:
      InputError: it cannot be read, lacks a column, or has something else in
        one.
    """
    # Slow to import, and scripts import this that only refuse a flag.
    import pandas as pd

    empty = pd.DataFrame(columns=[*numbers, *texts])
    if not path.exists():
        return empty
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        # A line without its end is still being written, or was cut off.
        text = text[: text.rfind("\n") + 1]
        if not text:
            return empty
        table = pd.read_csv(io.StringIO(text), low_memory=False)
    except (OSError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged: {reason}") from None
    check_columns(table, path, numbers, texts, optional)
    return table


def check_columns(
    table: pd.DataFrame,
    path: Path,
    numbers: Sequence[str],
    texts: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Raises InputError as `read_table`; turns `texts` into texts."""
    missing = [name for name in (*numbers, *texts) if name not in table]
    if missing:
        raise InputError(f"{path} lacks the column {', '.join(missing)}")
    for name in (*numbers, *optional):
        if name in table:
            _check_numbers(table[name], path)
    for name in texts:
        odd = table[name].isna().to_numpy()
        if odd.any():
            raise InputError(
                f"{path} is damaged: column {name!r} is empty in row "
                f"{int(np.argmax(odd)) + 1}"
            )
        table[name] = table[name].astype(str)


def _check_numbers(column: pd.Series, path: Path) -> None:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        values = np.full(len(column), np.nan)
        given = np.ones(len(column), bool)
    else:
        numbers = pd.to_numeric(column, errors="coerce")
        values = numbers.to_numpy(np.float64, na_value=np.nan)
        given = column.notna().to_numpy()
    with np.errstate(invalid="ignore"):
        wrong = given & ~(np.abs(values) <= _GREATEST)
        what = "no number that a run writes"
        if column.name in _WHOLE:
            wrong = ~((values >= 0) & (values <= 2**31) & (values % 1 == 0))
            what = "no whole number from 0"
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path} is damaged: column {column.name!r} in row {row + 1} is "
            f"{what}: {show(column.iloc[row])}"
        )
