"""Checks of what a report is made of, before anything is computed."""

from pathlib import Path

from experiments.comparison.rows import KEY, Rows
from nascore.config import check_kind
from nascore.errors import InputError, printable
from nascore.runs.csv_files import check_columns
from nascore.runs.json_files import look_up
from nascore.runs.reader import RunRecords, check_architectures

_MOST_LETTERS = 80


def check_settings(run: RunRecords) -> None:
    """Raises InputError if a run lacks what a report says of it."""
    path = run.path / "config.json"
    for name, kind in (
        ("config.dataset", str),
        ("config.seed", int),
        ("method", str),
        ("data", dict),
        ("devices", list),
        ("starts", list),
    ):
        look_up(run.settings, path, name, kind)
    starts = run.settings["starts"]
    if not starts:
        raise InputError(f"{path} is damaged: it has no start")
    for name in ("time", "git_commit", "host"):
        look_up(starts[0], path, name, str)
    look_up(starts[0], path, "versions", dict)
    look_up(starts[0], path, "command", list)
    # A run without a ranking is left out, whatever it has.
    if run.derived and (
        run.evaluations.empty or "seconds" not in run.epochs or run.epochs.empty
    ):
        raise InputError(
            f"{run.path} is damaged: its CSV files lack the rows of its epochs"
        )


def check_rows(rows: Rows, folder: Path) -> None:
    """Raises InputError if the tables do not belong together."""
    path = folder / "about.json"
    known = set(rows.runs[KEY].itertuples(index=False, name=None))
    if not known:
        raise InputError(f"{folder / 'runs.csv'} names no run")
    for name, least in (
        ("evaluations", known),
        ("epochs", known),
        ("proposals", known),
        ("rank_check", set()),
    ):
        table = getattr(rows, name)
        found = set(table[KEY].itertuples(index=False, name=None))
        if not least <= found <= known:
            odd = sorted(map(str, found ^ known))[0]
            raise InputError(
                f"{folder / name}.csv and runs.csv do not belong together: "
                f"{odd} is only in one of them"
            )
    for dataset in rows.datasets:
        if len(dataset) > _MOST_LETTERS or dataset != printable(dataset):
            raise InputError(f"{folder / 'runs.csv'}: odd data set {dataset!r}")
        what = f"{path} is damaged: what it says of {dataset!r}"
        about = check_kind(rows.about.get(dataset), dict, what)
        look_up(about, path, "config", dict)
        if "max_hours" in about:
            look_up(about, path, "max_hours", float)
        file = folder / "evaluations.csv.gz"
        for method in rows.methods(dataset):
            space = rows.space(dataset, method)
            part = rows.evaluations[
                (rows.evaluations["dataset"] == dataset)
                & (rows.evaluations["method"] == method)
            ].copy()
            check_columns(part, file, [], space.column_names)
            check_architectures(part, space, file)
