"""A page about one search: its settings, its ranking, its figures."""

from pathlib import Path

import pandas as pd

from experiments import launch
from experiments.plot_run import plot_run
from experiments.reports.document import (
    Document,
    Image,
    Section,
    write_document,
)
from experiments.reports.tables import ReportTable, number
from experiments.support import program
from flags import methods
from nascore.config import flatten
from nascore.paths import quote
from nascore.runs.reader import RunRecords, read_run

PAGE, TEXT = "report.html", "report.md"


def write_report(path: Path) -> Path:
    """Draws a run, and writes the page and its Markdown.

    Args:
      path: the folder of a search.

    Returns:
      The page.

    Raises:
      InputError: it is none, or nothing was evaluated yet.
    """
    figures = [p for p in plot_run(path) if p.suffix == ".png"]
    run = read_run(path)
    write_document(_document(run, figures), path / PAGE, path / TEXT)
    return path / PAGE


def _document(run: RunRecords, figures: list[Path]) -> Document:
    name = methods.name_of(run.settings)
    title = methods.find(name).title if name in methods.names() else name
    rows = pd.DataFrame(run.derived or run.best).set_index("rank")
    best = rows.iloc[0]
    measure = next(n for n in rows.columns if n != "architecture")
    what = "ranked first" if run.derived else "the best so far"
    words = quote(str(run.path))
    with program.called("ienas search"):
        again = launch.resuming(run.path)
    measured = [column for column in rows if column != "architecture"]
    return Document(
        f"{title}: {run.path.name}",
        [
            f"{what}: {best['architecture']}, {measure.replace('_', ' ')} "
            f"{best[measure]:.2%}"
        ],
        [] if run.derived else ["the search has not come to its end"],
        "Measured by the search itself, on images that it ranks with: what "
        "an architecture is worth, a training from scratch and the test of "
        "that say.",
        [
            ("go on", again),
            ("train", f"ienas train --from_run={words} --rank=1"),
            ("draw", f"ienas plot {words} --format=pdf"),
        ],
        [(file, file) for file in ("config.json", "evaluations.csv")],
        [
            Section(
                "Ranking",
                tables=[
                    ReportTable(
                        "Architectures, best first",
                        rows,
                        {column: number(".2%") for column in measured},
                    )
                ],
            ),
            Section(
                "In words",
                lines=run.space.describe(
                    run.space.parse(best["architecture"])
                ).splitlines(),
            ),
            Section(
                "Figures",
                images=[
                    Image(file, _caption(file), _caption(file))
                    for file in figures
                ],
            ),
            Section("Settings", tables=[_settings(run, name)]),
        ],
    )


def _caption(file: Path) -> str:
    return file.stem.replace("_", " ").capitalize()


def _settings(run: RunRecords, name: str) -> ReportTable:
    """All settings of a run, and which are other than the defaults."""
    stored = run.settings["config"]
    defaults = {}
    if name in methods.names():
        defaults = flatten(methods.find(name).config)
    rows = [
        (key, str(value), "" if value == defaults.get(key) else "other")
        for key, value in stored.items()
    ]
    frame = pd.DataFrame(rows, columns=["setting", "value", "default"])
    return ReportTable("Settings", frame.set_index("setting"))
