"""Numbers as people and programs write them into tables."""

import dataclasses
import re
from collections.abc import Iterable

# What stands for a missing number without being asked for, in any case of
# letters: what pandas takes for one.
MISSING_NUMBERS = frozenset(
    ["", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "#n/a", "#na"]
    + ["#n/a n/a", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"]
)
# What may stand for one: only who made the table knows.
_PLACEHOLDERS = frozenset(
    ["?", "??", "-", "--", "---", ".", "..", "...", "*", "#", "–", "—", "_"]
    + ["missing", "unknown", "unk", "not available", "n.a.", "k.a.", "nil"]
    + ["n.d.", "no data", "undefined", "#value!", "#div/0!", "#ref!"]
)
_INFINITY = r"inf(?:inity)?"
_PLAIN = {
    mark: re.compile(
        rf"[+-]?(?:(?:[0-9]+{re.escape(mark)}?[0-9]*|{re.escape(mark)}[0-9]+)"
        rf"(?:e[+-]?[0-9]+)?|{_INFINITY})",
        re.IGNORECASE,
    )
    for mark in ".,"
}
_GROUPED = {
    mark: re.compile(
        # No zero first: 0,125 is a fraction, whatever the mark.
        rf"[+-]?[1-9][0-9]{{0,2}}(?:(?P<by>[{by}])[0-9]{{3}})"
        rf"(?:(?P=by)[0-9]{{3}})*(?:{re.escape(mark)}[0-9]*)?"
    )
    for mark, by in ((".", r", '’_"), (",", r". '’_"))
}
_HEXADECIMAL = re.compile(r"[+-]?0x[0-9a-f]+", re.IGNORECASE)
_UNIT = r"(?:[$€£¥₹]|USD|EUR|GBP|CHF|JPY|%)"
_WITH_UNIT = re.compile(
    rf"(?P<sign>[+-]?) *(?:{_UNIT} *(?P<after>.*?)|(?P<before>.*?) *{_UNIT})",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T].*)?|\d{1,2}:\d{2}(:\d{2}.*)?"
)
# Blanks that do not break, and the true minus.
_LETTERS = str.maketrans("\u00a0\u202f\u2009\u2212", "   -")


def other_mark(decimal: str) -> str:
    """The decimal separator that `decimal` is not."""
    return "," if decimal == "." else "."


def is_plain(text: str, decimal: str) -> bool:
    """Whether a text is a number without anything added."""
    return bool(_PLAIN[decimal].fullmatch(text.strip()))


def parse_number(text: str, decimal: str, loose: bool = False) -> float | None:
    """Reads a number; None if the text is none.

    Args:
      text: blanks around it do not count.
      decimal: what separates whole and fraction.
      loose: also with separators of thousands, a sign of a currency or of
        percent (12% is 12), or in hexadecimal.
    """
    text = text.translate(_LETTERS).strip() if loose else text.strip()
    if _PLAIN[decimal].fullmatch(text):
        return float(text.replace(",", "."))
    if not loose:
        return None
    if found := _WITH_UNIT.fullmatch(text):
        number = found["after"] or found["before"] or ""
        text = found["sign"] + number.strip()
    if _PLAIN[decimal].fullmatch(text):
        return float(text.replace(",", "."))
    if found := _GROUPED[decimal].fullmatch(text):
        return float(text.replace(found["by"], "").replace(",", "."))
    if _HEXADECIMAL.fullmatch(text):
        return float(int(text, 16))
    return None


def is_missing_number(text: str) -> bool:
    """Whether a text stands for a missing number without being asked for."""
    return text.strip().casefold() in MISSING_NUMBERS


def is_placeholder(text: str) -> bool:
    """Whether a text may stand for something missing."""
    return text.strip().casefold() in _PLACEHOLDERS | MISSING_NUMBERS


def is_date(text: str) -> bool:
    """Whether a text looks like a date or a time of day."""
    return bool(_DATE.fullmatch(text.strip()))


@dataclasses.dataclass(frozen=True)
class Style:
    """How the texts of a column could be read as numbers.

    Attributes:
      decimal: what separates whole and fraction.
      loose: see `parse_number`.
      missing: texts that would have to count as missing.
      example: a text that is no plain number.
    """

    decimal: str
    loose: bool
    missing: tuple[str, ...]
    example: str


def find_style(texts: Iterable[str], decimal: str) -> Style | None:
    """Finds out whether a column's texts are all numbers in some way.

    Args:
      texts: the different ones, none of them missing.
      decimal: what separates whole and fraction elsewhere in the table.

    Returns:
      None if they are no numbers.
    """
    every = list(texts)
    missing = tuple(text for text in every if is_placeholder(text))
    rest = [text for text in every if not is_placeholder(text)]
    if not rest:
        return None
    odd = [text for text in rest if not is_plain(text, decimal)]
    for mark, loose in (
        (decimal, False),
        (other_mark(decimal), False),
        (decimal, True),
        (other_mark(decimal), True),
    ):
        if all(parse_number(text, mark, loose) is not None for text in rest):
            return Style(mark, loose, missing, (odd or [*missing, *rest])[0])
    return None
