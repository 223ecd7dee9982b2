"""Decides how the columns of a data file are read, and says so."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from mlpnas.data.config import MlpDataConfig, join_names, split_names
from mlpnas.data.encoders import MISSING
from mlpnas.data.tables.columns import find_columns, name_some
from mlpnas.data.tables.numbers import (
    Style,
    find_style,
    is_date,
    is_missing_number,
    is_plain,
    other_mark,
    parse_number,
)
from mlpnas.data.tables.readings import (
    Column,
    Reading,
    is_numeric,
    to_numbers,
    to_texts,
)
from nascore.config import show
from nascore.errors import InputError

_FILE = "--data_file"
# From this part of its texts on a column is called one of numbers, or dates.
_MOST = 0.5


@dataclasses.dataclass(frozen=True)
class _Suspect:
    """A column of texts that may be meant as one of numbers."""

    name: str
    style: Style
    row: int
    # What separates whole and fraction if --numeric_columns names it.
    loose_mark: str


def choose_reading(
    frame: pd.DataFrame, codes: Sequence[str], config: MlpDataConfig
) -> tuple[Reading, list[str]]:
    """Decides how each input column is read.

    Args:
      frame: the input columns of the data file, all its rows.
      codes: columns of numbers in which some have leading zeros.
      config: may name columns, and what is missing.

    Returns:
      The reading, and notes on what may not be meant so.

    Raises:
      InputError: a column that may be meant as numbers and as texts, far too
        many categories, infinite numbers.
    """
    forced = find_columns(frame, config, "categorical_columns")
    numeric = find_columns(frame, config, "numeric_columns")
    missing = split_names(config.missing_values)
    columns: list[Column] = []
    notes: list[str] = []
    suspects: list[_Suspect] = []
    for name in map(str, frame.columns):
        if name in numeric and not is_numeric(frame[name]):
            columns.append(_loose(frame[name], missing, config.decimal))
        elif name not in forced and is_numeric(frame[name]):
            columns.append(Column(name, True, config.decimal))
        else:
            column, suspect, note = _read_texts(
                frame[name], name in forced, missing, config
            )
            columns.append(column)
            suspects += [suspect] if suspect else []
            notes += [note] if note else []
    _refuse(suspects, config.decimal)
    notes += _idle(frame, missing, config.decimal)
    told = {*forced, *numeric}
    kept = [name for name in codes if name not in told and name in frame]
    if kept:
        notes.append(
            f"{name_some(kept)}: numbers with leading zeros are read as "
            "numbers; if they are codes, add --categorical_columns="
            f"{join_names(kept[:3])}"
        )
    for column in columns:
        if column.is_numeric:
            to_numbers(frame[column.name], column, missing, _FILE)
    return Reading(tuple(columns), missing), notes


def _loose(column: pd.Series, missing: Sequence[str], decimal: str) -> Column:
    """A column that the user says holds numbers."""
    texts = _known(pd.unique(to_texts(column, missing)))
    mark = _loose_style(texts, decimal)
    return Column(str(column.name), True, mark, True)


def _loose_style(texts: Sequence[str], decimal: str) -> str:
    """The decimal separator with which all texts are numbers.

    The table's own goes first, and is the answer where none serves: what is
    no number is said where it is read.
    """
    for mark in (decimal, other_mark(decimal)):
        if all(parse_number(text, mark, True) is not None for text in texts):
            return mark
    return decimal


def _known(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if not is_missing_number(text)]


def _read_texts(
    column: pd.Series,
    is_forced: bool,
    missing: Sequence[str],
    config: MlpDataConfig,
) -> tuple[Column, _Suspect | None, str]:
    """A column of texts, whether it may be meant as numbers, and a note."""
    name = str(column.name)
    texts = to_texts(column, missing)
    distinct = pd.unique(texts)
    rest = _known(distinct)
    if not is_forced:
        style = find_style(rest, config.decimal)
        if style is not None:
            if (style.decimal, style.loose) == (config.decimal, False) and not (
                style.missing
            ):
                return Column(name, True, config.decimal), None, ""
            row = int(np.argmax(texts == style.example))
            numbers = [text for text in rest if text not in style.missing]
            mark = _loose_style(numbers, config.decimal)
            return Column(name, False), _Suspect(name, style, row, mark), ""
    count = len(distinct) - (MISSING in distinct)
    if count > config.max_categories:
        raise InputError(
            f"column {name!r} has {count} different texts, more than "
            f"--max_categories={config.max_categories}; "
            f"{_explain(name, texts, rest, config.decimal)}"
        )
    note = "" if is_forced else _remark(name, rest, config.decimal)
    return Column(name, False), None, note or _near(name, distinct)


def _idle(
    frame: pd.DataFrame, missing: Sequence[str], decimal: str
) -> list[str]:
    """A note on texts that are to count as missing and are nowhere."""
    found: set[str] = set()
    for name in frame.columns if missing else ():
        if is_numeric(frame[name]):
            values = set(frame[name].dropna().unique())
            found |= {
                text
                for text in missing
                if parse_number(text, decimal) in values
            }
        else:
            found |= {text.strip() for text in pd.unique(to_texts(frame[name]))}
    lost = [text for text in missing if text not in found]
    if not lost:
        return []
    return [
        f"--missing_values: no input column has {', '.join(map(show, lost))}"
    ]


def _remark(name: str, texts: list[str], decimal: str) -> str:
    """What is to be said of a column that is taken as categories."""
    plain = [text for text in texts if is_plain(text, decimal)]
    if texts and len(plain) >= _MOST * len(texts):
        odd = [text for text in texts if not is_plain(text, decimal)]
        return (
            f"column {name!r} is taken as categories: most of its texts are "
            f"numbers, but not {', '.join(map(show, odd[:3]))}; if these "
            f"mean that a value is missing, add --missing_values="
            f"{join_names(odd[:3])}"
        )
    if texts and sum(map(is_date, texts)) >= _MOST * len(texts):
        return (
            f"column {name!r} looks like dates or times, and each is taken "
            "as a category; bring it to numbers (days, hours) first, or "
            f"leave it out with --drop_columns={join_names([name])}"
        )
    return ""


def _near(name: str, texts: Iterable[str]) -> str:
    """A note on texts that differ in blanks or capitals only."""
    seen: dict[str, str] = {}
    for text in texts:
        key = " ".join(text.split()).casefold()
        if key in seen:
            return (
                f"column {name!r}: {show(seen[key])} and {show(text)} are two "
                "categories, though they differ in blanks or capitals only"
            )
        seen[key] = text
    return ""


def _explain(
    name: str, texts: np.ndarray, known: list[str], decimal: str
) -> str:
    """How to mend a column of too many texts."""
    odd = {text for text in known if not is_plain(text, decimal)}
    if len(odd) < _MOST * len(known):
        row = next(n for n, text in enumerate(texts) if text in odd)
        return (
            f"most are numbers, but not {show(texts[row])} in row {row + 1}: "
            "mend it, or leave it empty if it is missing, or add "
            f"--missing_values={join_names([texts[row]])}"
        )
    return (
        f"leave it out with --drop_columns={join_names([name])}, or raise "
        "the limit"
    )


def _refuse(suspects: list[_Suspect], decimal: str) -> None:
    """Raises InputError if columns may be meant as numbers and as texts."""
    if not suspects:
        return
    shown = "; ".join(map(_describe, suspects[:3]))
    if len(suspects) > 3:
        shown += f"; so have {len(suspects) - 3} columns more"
    names = join_names([s.name for s in suspects[:5]])
    missing = dict.fromkeys(m for s in suspects for m in s.style.missing)
    flags = []
    if missing:
        flags.append(
            f"--missing_values={join_names(missing)} if nothing is known there"
        )
    other = other_mark(decimal)
    marked = [s for s in suspects if s.style.decimal == other]
    if marked:
        meaning = _value(marked[0], other, marked[0].style.loose)
        flags.append(f"--decimal={other} for the whole file{meaning}")
    written = [s for s in suspects if s.style.loose or s in marked]
    if written:
        meaning = _value(written[0], written[0].loose_mark, True)
        flags.append(f"--numeric_columns={names}{meaning}")
    raise InputError(
        f"numbers or texts? {shown}; to read numbers, add "
        f"{', or '.join(flags)}; to take the texts as categories, add "
        f"--categorical_columns={names}"
    )


def _value(suspect: _Suspect, decimal: str, loose: bool) -> str:
    """What the example of a column becomes."""
    example = suspect.style.example
    number = parse_number(example, decimal, loose)
    return "" if number is None else f" ({show(example)} is {number:g} then)"


def _describe(suspect: _Suspect) -> str:
    """What makes a column no plain one of numbers."""
    example = f"{show(suspect.style.example)} in row {suspect.row + 1}"
    if suspect.style.example in suspect.style.missing:
        return f"column {suspect.name!r}: most are numbers, but not {example}"
    return f"column {suspect.name!r}: {example} is no plain number"
