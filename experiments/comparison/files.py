"""The rows of a report as the files of its folder.

A report folder keeps them as CSV files of its own, so that its tables and
figures can be made again, by us or by others, without the runs.
"""

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from experiments.comparison.checks import check_rows
from experiments.comparison.rows import Rows, with_images
from nascore.config import check_kind
from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.csv_files import check_columns
from nascore.runs.json_files import look_up, read_object

_NAMES = ("dataset", "method")


class _Table(NamedTuple):
    """Columns of numbers, of texts, and of numbers that may be missing."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_TABLES = {
    "runs.csv": _Table(
        ("seed", "epochs", "starts"),
        ("run", "time", "tensorflow", "git_commit", "host"),
        ("test_accuracy",),
    ),
    "evaluations.csv.gz": _Table(
        ("seed", "epoch", "step", "score"), (), ("reward", "entropy")
    ),
    "epochs.csv": _Table(
        ("seed", "epoch", "score_mean", "evaluations", "seconds")
    ),
    "proposals.csv": _Table(
        ("seed", "rank"),
        ("architecture",),
        (
            "validation_accuracy",
            "search_test_accuracy",
            "validation_perplexity",
        ),
    ),
    "rank_check.csv": _Table(
        ("seed", "shared_accuracy", "standalone_accuracy"), ("architecture",)
    ),
}
# Earlier versions compared by accuracy alone, and called the columns so.
_FORMER = {
    "accuracy": "score",
    "accuracy_mean": "score_mean",
    "accuracy_std": "score_std",
    "accuracy_max": "score_max",
}


def save(rows: Rows, folder: Path) -> None:
    """Writes the rows into a report folder.

    Raises:
      InputError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _TABLES:
            table = getattr(rows, name.partition(".")[0])
            options: dict[str, Any] = {}
            if name.endswith(".gz"):
                # Without the time of writing: the same rows, the same bytes.
                options["compression"] = {"method": "gzip", "mtime": 1}
            table.to_csv(
                folder / name, index=False, float_format="%.6g", **options
            )
        content = {"about": rows.about, "notes": rows.notes}
        if rows.command:
            content["command"] = rows.command
        write_json(folder / "about.json", content)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from None


def load(folder: Path) -> Rows:
    """Reads the rows of a report folder.

    Raises:
      InputError: it holds no report, or its files are damaged.
    """
    path = folder / "about.json"
    if not path.exists():
        raise InputError(f"{folder} holds no rows of a comparison")
    content = read_object(path)
    about = look_up(content, path, "about", dict)
    notes = look_up(content, path, "notes", list)
    command = check_kind(
        content.get("command", ""), str, f"{path} is damaged: 'command'"
    )
    tables = {
        name.partition(".")[0]: _load_table(folder / name, columns)
        for name, columns in _TABLES.items()
    }
    tables["rank_check"] = with_images(tables["rank_check"])
    rows = Rows(
        **tables,
        about=about,
        notes=[str(note) for note in notes],
        command=command,
    )
    check_rows(rows, folder)
    return rows


def _load_table(path: Path, columns: _Table) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"{path} does not exist; is {path.parent} whole?")
    try:
        # A commit such as 12e4567 is no number.
        table = pd.read_csv(path, dtype={"git_commit": str}, low_memory=False)
    except (
        OSError,
        EOFError,
        ValueError,
        OverflowError,
        zlib.error,
    ) as error:
        raise InputError(f"{path} is damaged: {error}") from None
    if not {"score", "score_mean"} & set(table):
        table = table.rename(columns=_FORMER)
    check_columns(
        table,
        path,
        columns.numbers,
        [*_NAMES, *columns.texts],
        columns.optional,
    )
    return table
