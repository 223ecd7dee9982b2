"""What stands on the page of a report, and in its Markdown."""

import dataclasses
from collections.abc import Sequence

from experiments.comparison import page_tables
from experiments.comparison.measures import timed_runs, unequal_runs
from experiments.comparison.methods import look_of
from experiments.comparison.rows import UNRANKED, Rows
from experiments.comparison.tables import Tables
from experiments.reports.document import Document, Image, Section
from nascore.errors import printable
from nascore.paths import quote

_NOTE = (
    "All {many}{others} are measured with shared weights, most of them on "
    "{measured_on}. They rank architectures; they are not what an "
    "architecture reaches when it is trained from scratch. {mean_note}The "
    "verdicts go by one number a run: the mean {one} of {sampled}. A "
    "difference is called supported if its 95% t interval leaves out 0 and its "
    "sign-flip p, corrected by Holm for the pairs of methods on its data set, "
    "is below 0.05; else it is undecided, which is not the same as equal. The "
    "other measures are not corrected for their number: read them as hints."
)
_ALL = "all sampled architectures"
_LAST = "the architectures of its last epoch, for all had the same time"
_FILES = (
    ("rows/runs.csv", "every run, with its commit and its command"),
    ("rows/evaluations.csv.gz", "every evaluated architecture"),
    ("rows/epochs.csv", "every epoch"),
    ("rows/proposals.csv", "the final rankings"),
    ("rows/rank_check.csv", "standalone accuracies, if measured"),
    ("rows/about.json", "settings and search spaces"),
    ("tables/", "the numbers of every table as CSV"),
    ("figures/", "every figure as PDF and PNG"),
)


def warnings(rows: Rows, tables: Tables) -> list[str]:
    """What a reader must know before the numbers."""
    found = [*rows.notes, *unequal_runs(rows), *timed_runs(rows)]
    for row in tables.diversity.to_dict("records"):
        if row["collapsed_runs"]:
            found.append(
                f"{row['dataset']}: the controller of "
                f"{look_of(row['method']).title} collapsed in "
                f"{row['collapsed_runs']} of {row['seeds']} runs (fewer than "
                "half of the last epoch's architectures are different)"
            )
    ranking = rows.rank_check["measured_on"] != UNRANKED
    for dataset in rows.rank_check.loc[ranking, "dataset"].unique():
        found.append(
            f"{dataset}: the standalone accuracies were measured on the "
            "validation images, which had ranked the proposals, as earlier "
            "versions did; not on the search-test images"
        )
    return found


def make_document(
    rows: Rows,
    tables: Tables,
    verdicts: Sequence[str],
    remarks: Sequence[str],
    images: Sequence[tuple[str, Image]],
    targets: Sequence[float] = (),
) -> Document:
    """Puts the report together.

    Args:
      rows: what was measured.
      tables: what was computed of it.
      verdicts: sentences for the top.
      remarks: what a reader must know before the numbers.
      images: data set and figure, each.
      targets: those that were asked for.
    """
    return Document(
        _title(rows),
        verdicts,
        remarks,
        _note(rows),
        _commands(rows, targets),
        _FILES,
        _sections(rows, tables, images),
    )


def _note(rows: Rows) -> str:
    """What all numbers are."""
    timed = any(rows.hours(dataset) for dataset in rows.datasets)
    return _NOTE.format(
        sampled=_LAST if timed else _ALL,
        others=" but the standalone ones" * rows.kind.standalone,
        **dataclasses.asdict(rows.kind),
    )


def _title(rows: Rows) -> str:
    names = dict.fromkeys(
        name for data in rows.datasets for name in rows.methods(data)
    )
    titles = ", ".join(look_of(name).title for name in names)
    return f"{titles} on {', '.join(rows.datasets)}"


def _commands(rows: Rows, targets: Sequence[float]) -> list[tuple[str, str]]:
    again = ["python", "-m", "experiments.plot_comparison", "REPORT"]
    if targets:
        again.append(f"--targets={','.join(map(str, targets))}")
    made = [("The comparison", printable(rows.command))] if rows.command else []
    return [
        *made,
        (
            "Tables, figures and page again from the rows, where REPORT is "
            "the folder of this page",
            " ".join(map(quote, again)),
        ),
    ]


def _sections(
    rows: Rows, tables: Tables, images: Sequence[tuple[str, Image]]
) -> list[Section]:
    """All of the page below its verdicts."""
    table_1 = Section(
        "Table I of the paper",
        "Mean and standard deviation of the accuracies of one epoch's "
        "architectures, at the epoch where I-ENAS first reached its "
        "maximum (of the same seed), averaged over seeds; below, averaged "
        "over all epochs. The paper's numbers are of one run each, of a "
        "larger child and its own protocol: compare the order, not the "
        "level.",
        tables=page_tables.table_1(tables.table_1, rows.datasets),
    )
    return [
        *[table_1] * rows.kind.like_paper,
        *(
            Section(
                f"Figures: {dataset}",
                images=[image for name, image in images if name == dataset],
            )
            for dataset in rows.datasets
        ),
        *_measure_sections(rows, tables),
        *[_rank_check_section(tables)] * rows.kind.standalone,
        Section(
            "Operations of the last epoch",
            tables=[page_tables.operations(tables.operations)],
        ),
        Section(
            "Settings and runs",
            "The settings of the first run of each data set; a run that "
            "differs is named at the top.",
            tables=[page_tables.settings(rows), page_tables.runs(rows)],
        ),
    ]


def _measure_sections(rows: Rows, tables: Tables) -> list[Section]:
    kind = rows.kind
    return [
        Section(
            "By method",
            f"Mean over seeds with its 95% interval (Student's t, "
            f"{kind.cut_note}). The mean over all epochs is "
            "the area under the curve of epoch means, divided by the epochs.",
            tables=[page_tables.summary(tables.summary, kind)],
        ),
        Section(
            f"Time to reach a target, by mean {kind.name}",
            f"When the mean {kind.name} of an epoch's sampled "
            "architectures first reached the target: medians of all runs, "
            "where one that did not reach it counts as later than all that "
            "did. Seconds depend on the machine and on what else it did.",
            tables=[page_tables.reached(tables.reached, kind)],
        ),
        Section(
            "Paired differences",
            _pairing_text(rows),
            tables=[page_tables.differences(tables.differences, kind)],
        ),
        Section("Diversity", tables=[page_tables.diversity(tables.diversity)]),
    ]


def _pairing_text(rows: Rows) -> str:
    """What a pair is, and what interval and p-values are."""
    splits = ", ".join(
        f"{dataset}: {rows.about[dataset]['config'].get('split_seed', '–')}"
        for dataset in rows.datasets
    )
    split = f"one split of the images serves all seeds (split_seed of {splits})"
    if rows.kind.same_data:
        split = "one cut of the text serves all seeds"
    return (
        f"{rows.kind.difference_note} p: sign-flip permutation test of the "
        "mean difference, two-sided, exact up to 14 pairs. By Holm: corrected "
        "for the pairs of methods on this data set, not for the number of "
        "measures; least is the smallest that it could be with so many "
        "seeds, not counting pairs without a difference. Effect: mean "
        "difference over the deviation of the differences. The unit is the "
        f"seed: {split}, and random search draws the same architectures on "
        "every data set at equal seed and search space. Whoever pools over "
        "data sets must count seeds, not pairs."
    )


def _rank_check_section(tables: Tables) -> Section:
    if tables.rank_check.empty:
        return Section(
            "Rank check",
            "Not made; --rank_check=K trains K proposals of each run "
            "standalone and compares the two rankings.",
        )
    return Section(
        "Rank check",
        "Some proposals of each run, trained from fresh weights for a "
        "few epochs. Kendall's tau between their shared-weight accuracies on "
        "the validation images, which rank, and their standalone ones, inside "
        "each run, then averaged: 1 is the same order, 0 none. p is against "
        "0, by Holm over the methods of a data set; an interval that includes "
        "0 leaves open whether shared weights rank.",
        tables=[page_tables.rank_check(tables.rank_check)],
    )
