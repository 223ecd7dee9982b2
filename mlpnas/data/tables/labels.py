"""The classes of a table's rows."""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlpnas.data.config import join_names
from mlpnas.data.encoders import MISSING
from mlpnas.data.tables.columns import name_some
from mlpnas.data.tables.numbers import is_placeholder, parse_number
from nascore.config import show
from nascore.errors import InputError

# A column of more different numbers than this is a quantity, not classes.
_MOST_CLASSES = 100
_MOST_FRACTIONAL_CLASSES = 20
_WHOLE = re.compile(r"[+-]?[0-9]+")
_CODE = re.compile(r"[+-]?0[0-9]+")


@dataclasses.dataclass(frozen=True)
class Labels:
    """Classes of rows.

    Attributes:
      numbers: int32 `[n]`.
      names: of the classes, sorted.
    """

    numbers: np.ndarray
    names: tuple[str, ...]


def encode_labels(texts: np.ndarray, name: str, decimal: str = ".") -> Labels:
    """Numbers the classes of a column without missing values.

    Args:
      texts: of the column.
      name: of the column.
      decimal: what separates whole and fraction.

    Raises:
      InputError: one class, or a quantity instead of classes.
    """
    where = f"--label_column={name}"
    distinct = pd.unique(texts)
    if len(distinct) < 2:
        raise InputError(
            f"{where} has one class only ({distinct[0]!s}); a search needs two"
        )
    values = _numbers(distinct, decimal)
    if values is None:
        names = np.sort(distinct.astype(object))
        return Labels(
            _places(texts, {n: k for k, n in enumerate(names)}), tuple(names)
        )
    wild = ~np.isfinite(values)
    if wild.any():
        row = int(np.argmax(texts == distinct[int(np.argmax(wild))]))
        raise InputError(
            f"column {name!r} is not finite in row {row + 1} of --data_file; "
            "leave the field empty where a value is missing"
        )
    whole = bool(np.all(values == np.round(values)))
    most = _MOST_CLASSES if whole else _MOST_FRACTIONAL_CLASSES
    ordered = np.unique(values)
    if len(ordered) > most:
        raise InputError(
            f"{where} has {len(ordered)} different numbers and looks "
            "like a quantity (regression), not like classes; MLPNAS "
            "classifies: bring it to ranges first"
        )
    if len(ordered) < 2:
        raise InputError(
            f"{where} has one class only ({distinct[0]!s}); a search needs two"
        )
    numbers = np.searchsorted(ordered, values)
    if whole and (np.abs(ordered) < 2**53).all():
        ordered = ordered.astype(np.int64)
    return Labels(
        _places(texts, dict(zip(distinct, numbers, strict=True))),
        tuple(map(str, ordered)),
    )


def _places(texts: np.ndarray, numbers: dict[str, int]) -> np.ndarray:
    return np.array([numbers[text] for text in texts], np.int32)


def _numbers(distinct: Sequence[str], decimal: str) -> np.ndarray | None:
    """What the texts of classes stand for, if all are numbers.

    Not if some have leading zeros, as codes have, or more digits than a
    float tells apart: those stay what they are.
    """
    values = []
    for text in distinct:
        number = parse_number(text, decimal)
        digits = text.strip()
        exact = number is not None and not (
            _CODE.fullmatch(digits)
            or (_WHOLE.fullmatch(digits) and abs(number) >= 2**53)
        )
        if not exact:
            return None
        values.append(number)
    return np.array(values, np.float64)


def remark_labels(labels: Labels) -> list[str]:
    """Notes on classes that may not be meant as such."""
    notes = []
    counts = np.bincount(labels.numbers, minlength=len(labels.names))
    vague = [
        (name, int(count))
        for name, count in zip(labels.names, counts, strict=True)
        if name != MISSING and is_placeholder(name)
    ]
    if vague:
        listed = name_some([f"{show(n)} ({count} rows)" for n, count in vague])
        notes.append(
            f"{listed}: taken as a class; if it means that the label is not "
            "known, leave such rows out with --missing_values="
            f"{join_names([name for name, _ in vague])}"
        )
    seen: dict[str, str] = {}
    for name in labels.names:
        key = " ".join(name.split()).casefold()
        if key in seen:
            notes.append(
                f"{show(seen[key])} and {show(name)} are two classes, though "
                "they differ in blanks or capitals only"
            )
        seen.setdefault(key, name)
    return notes[:10]
