"""Writes a report folder from the rows in it."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from experiments.comparison import files as report_files
from experiments.comparison.figures import Picture, draw
from experiments.comparison.page import make_document, warnings
from experiments.comparison.rows import Rows
from experiments.comparison.tables import make_tables
from experiments.comparison.verdicts import verdicts
from experiments.reports.document import Image, write_document
from nascore.drawing.style import save
from nascore.errors import InputError
from nascore.runs.atomic import write_json

ROWS = "rows"


def write_report(
    folder: Path, targets: Sequence[float] = ()
) -> tuple[list[str], list[str], Path]:
    """Makes tables, figures and page from `<folder>/rows`.

    Args:
      folder: the report folder.
      targets: scores for the table of times; empty chooses them.

    Returns:
      Verdicts, warnings, and the page's path; `report.md` beside it has
      the same numbers.

    Raises:
      InputError: the rows are missing or damaged, a target is no score of
        theirs, or the folder cannot be written.
    """
    rows = report_files.load(folder / ROWS)
    rows.kind.check_targets(targets)
    try:
        return _write(folder, rows, targets)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from None


def _write(
    folder: Path, rows: Rows, targets: Sequence[float]
) -> tuple[list[str], list[str], Path]:
    tables = make_tables(rows, targets)
    for place in ("tables", "figures"):
        (folder / place).mkdir(exist_ok=True)
    for field in dataclasses.fields(tables):
        getattr(tables, field.name).to_csv(
            folder / "tables" / f"{field.name}.csv",
            index=False,
            float_format="%.6g",
        )
    images = [
        (picture.dataset, _save(picture, folder / "figures"))
        for picture in draw(rows, tables)
    ]
    found = [
        text
        for dataset in rows.datasets
        for text in verdicts(tables, dataset, rows.kind, rows.hours(dataset))
    ]
    remarks = warnings(rows, tables)
    write_json(
        folder / "verdicts.json", {"verdicts": found, "warnings": remarks}
    )
    page = folder / "report.html"
    write_document(
        make_document(rows, tables, found, remarks, images, targets),
        page,
        folder / "report.md",
    )
    return found, remarks, page


def _save(picture: Picture, folder: Path) -> Image:
    """Writes the files of a figure."""
    # A data set's name comes from a file and may be a path.
    stem = re.sub(r"[^\w.-]", "-", f"{picture.dataset}_{picture.name}")
    for suffix in ("pdf", "png"):
        save(picture.figure, folder / f"{stem}.{suffix}", dpi=160)
    return Image(folder / f"{stem}.png", picture.caption, picture.alt)
