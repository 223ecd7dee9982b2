"""Tables of a report, written once for its page and its Markdown.

pandas' Styler makes words of numbers and names what repeats once; two small
templates, in place of its own, write them with what screen readers need.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pandas.io.formats.style import Styler

Form = Callable[[Any], str]

_TEMPLATES = str(Path(__file__).parent / "templates")
_PAGE = Styler.from_custom_template(_TEMPLATES, html_table="table.html")
_TEXT = Styler.from_custom_template(_TEMPLATES, html_table="table.md")


class ReportTable(NamedTuple):
    """A table of a report.

    Attributes:
      caption: what it says.
      frame: its index names the rows, level by level; its columns are the
        heads.
      forms: how the values of a column are written; else as they are.
      file: link to its numbers as CSV, from the report's folder.
    """

    caption: str
    frame: pd.DataFrame
    forms: Mapping[str, Form] = {}
    file: str = ""


def number(form: str, missing: str = "–") -> Form:
    """Writes numbers in a form, and a dash or words where there is none."""
    return lambda value: missing if pd.isna(value) else format(value, form)


def interval(row: Mapping[str, Any], form: str) -> str:
    """`low` to `high` of a row, where they are known."""
    if pd.isna(row["low"]):
        return "not known"
    return f"{row['low']:{form}} to {row['high']:{form}}"


def escape(text: Any) -> str:
    """A text for Markdown, where it is neither HTML nor the end of a cell."""
    words = " ".join(str(text).split())
    for letter, safe in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", r"\|"),
        ("`", r"\`"),
        ("[", r"\["),
    ):
        words = words.replace(letter, safe)
    return words


def to_html(table: ReportTable) -> str:
    """The table of a page."""
    return _render(table, _PAGE)


def to_markdown(table: ReportTable) -> str:
    """The same in Markdown."""
    return _render(table, _TEXT).strip()


def _render(table: ReportTable, styler: type[Styler]) -> str:
    frame = table.frame
    heads = list(frame.columns)
    numbers = [
        place
        for place, head in enumerate(heads)
        if head in table.forms or pd.api.types.is_numeric_dtype(frame[head])
    ]
    # By place: heads may come from files, and two may be alike.
    styled = styler(frame.set_axis(range(len(heads)), axis=1))
    forms: dict[Any, Form] = {
        place: table.forms[head]
        for place, head in enumerate(heads)
        if head in table.forms
    }
    return styled.format(forms).to_html(
        exclude_styles=True,
        sparse_index=True,
        names=list(frame.index.names),
        heads=heads,
        numbers=numbers,
        title=table.caption,
        escape=escape,
    )
