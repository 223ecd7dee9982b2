"""The report on searches by evolution."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from experiments.evolution import figures, tables
from experiments.evolution.course import CLOSE_RULE, RULE
from experiments.evolution.searches import Searches
from experiments.reports.document import (
    Document,
    Image,
    Section,
    write_document,
)
from experiments.reports.tables import ReportTable, interval, number
from nascore.drawing.style import save
from nascore.errors import printable
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.names import TableColumn
from nascore.evaluators.nasbench201.table import accuracies
from nascore.runs.atomic import write_json
from nascore.runs.versions import git_commit, host, package_versions

# Models that come first, of methods that have no population.
_FIRST = 20
_NOTE = (
    "NAS-Bench-201 (Dong and Yang, ICLR 2020), looked up, nothing trained. "
    "Fitness is an accuracy without the noise that a search may have seen. A "
    "model is a cell that was asked for, a repeated one included. Searches of "
    "RENAS's family begin with the same population at the same seed. Intervals "
    "are 95% t intervals over paired seeds; p is that of sign flips, corrected "
    "by Holm for all pairs of the table; called supported if it is below 0.05 "
    "and the interval leaves out 0."
)


def write_report(
    found: Sequence[Searches],
    looked_up: TableConfig,
    out: Path,
    command: str,
) -> None:
    """Writes tables, figures and the page, and prints the verdicts.

    Args:
      found: searches of each method; the first is compared with the others.
      looked_up: what they searched on.
      out: the folder.
      command: that made it.
    """
    searched = accuracies(looked_up.searched)
    test = accuracies(TableColumn(looked_up.dataset, "test"))
    courses = [
        tables.make_course(each, searched, test, _FIRST) for each in found
    ]
    told = tables.accuracies(courses)
    pairs = tables.differences(courses)
    ends = tables.successes(courses)
    _write_tables(
        out / "tables",
        {"accuracies": told, "differences": pairs, "successes": ends},
    )
    noise = f", noise {looked_up.noise:g} points" if looked_up.noise else ""
    what = f"{looked_up.searched}{noise}"
    images = _draw(out / "figures", courses, ends, what)
    lines = tables.verdicts(pairs, ends)
    write_json(
        out / "about.json",
        {
            "command": command,
            "commit": git_commit(),
            "machine": host(),
            "versions": package_versions(),
        },
    )
    runs = len(courses[0].outcomes)
    document = Document(
        f"Evolution on NAS-Bench-201: {what}, {runs} runs each",
        lines,
        [],
        _NOTE,
        [("Made by", printable(command))],
        [
            ("tables/", "the numbers of every table as CSV"),
            ("figures/", "every figure as PNG"),
            ("searches/", "every model of every search"),
            ("about.json", "command, versions and machine"),
        ],
        _sections(told, pairs, ends, images),
    )
    write_document(document, out / "report.html", out / "report.md")
    for line in lines:
        print(line)
    print(f"wrote {out / 'report.html'} and report.md")


def _write_tables(folder: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)


def _draw(
    folder: Path,
    courses: Sequence[tables.EvolutionCourse],
    ends: pd.DataFrame,
    what: str,
) -> list[Image]:
    """Draws the figures."""
    folder.mkdir(exist_ok=True)
    images = []
    for name, figure, caption in figures.draw(courses, ends, what):
        path = folder / f"{name}.png"
        save(figure, path)
        images.append(Image(path, caption, caption))
    return images


def _sections(
    told: pd.DataFrame,
    pairs: pd.DataFrame,
    ends: pd.DataFrame,
    images: Sequence[Image],
) -> list[Section]:
    wide = told.assign(
        value=[f"{r.mean:.2f} +- {r.deviation:.2f}" for r in told.itertuples()]
    ).pivot_table(
        index=["method", "measure"],
        columns="models",
        values="value",
        aggfunc="first",
        sort=False,
    )
    wide.columns = [f"{models:,} models" for models in wide.columns]
    small = number(".2g")
    sections = [
        Section(
            "Accuracies",
            "In percent, mean and deviation over runs.",
            tables=[
                ReportTable("by models", wide, file="tables/accuracies.csv")
            ],
            images=images[:-1],
        ),
        Section(
            "How searches ended",
            f"{RULE} {CLOSE_RULE}",
            tables=[
                ReportTable(
                    "runs, and p of Fisher's exact test beside the first",
                    ends.set_index("method"),
                    {
                        "success_p": small,
                        "converged": number(".0f"),
                        "converged_p": small,
                    },
                    "tables/successes.csv",
                )
            ],
            images=images[-1:],
        ),
    ]
    return [*sections, _of_pairs(pairs)] if len(pairs) else sections


def _of_pairs(pairs: pd.DataFrame) -> Section:
    two, small = number(".2f"), number(".2g")
    shown = pairs.assign(
        interval=[interval(row, "+.2f") for _, row in pairs.iterrows()]
    ).set_index(["other", "measure", "models"])
    return Section(
        "Differences",
        "The first method minus another at equal seeds, in points.",
        tables=[
            ReportTable(
                "paired differences",
                shown[["difference", "interval", "p", "holm"]],
                {"difference": two, "p": small, "holm": small},
                "tables/differences.csv",
            )
        ],
    )
