"""The report as one HTML page that needs no other file."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from experiments.comparison import page_tables
from experiments.comparison.measures import unequal_runs
from experiments.comparison.methods import look_of
from experiments.comparison.page_tables import PageTable
from experiments.comparison.rows import UNRANKED, Rows
from experiments.comparison.tables import Tables


def warnings(rows: Rows, tables: Tables) -> list[str]:
    """What a reader must know before the numbers."""
    found = [*rows.notes, *unequal_runs(rows)]
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


def write_page(
    path: Path,
    rows: Rows,
    tables: Tables,
    verdicts: Sequence[str],
    remarks: Sequence[str],
    pictures: Sequence[tuple[Path, str, str]],
) -> None:
    """Writes the page.

    Args:
      path: the HTML file.
      rows: what was measured.
      tables: what was computed of it.
      verdicts: sentences for the top.
      remarks: what a reader must know before the numbers.
      pictures: (PNG file, caption, data set) of each figure.
    """
    sections = _sections(rows, tables, pictures)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("experiments.comparison"),
        autoescape=True,
        trim_blocks=True,
    )
    page = environment.get_template("page.html").render(
        title=_title(rows),
        verdicts=verdicts,
        warnings=remarks,
        sections=sections,
    )
    path.write_text(page, encoding="utf-8")


def _title(rows: Rows) -> str:
    names = dict.fromkeys(
        name for data in rows.datasets for name in rows.methods(data)
    )
    titles = ", ".join(look_of(name).title for name in names)
    return f"{titles} on {', '.join(rows.datasets)}"


def _sections(
    rows: Rows, tables: Tables, pictures: Sequence[tuple[Path, str, str]]
) -> list[dict[str, Any]]:
    """All of the page below its verdicts."""
    return [
        _table_1_section(rows, tables),
        *(_figures_section(dataset, pictures) for dataset in rows.datasets),
        {
            "title": "By method",
            "text": "Mean over seeds with its 95% interval (Student's t, cut "
            "at 0 and 100%). The mean over all epochs is the area under the "
            "curve of epoch means, divided by the epochs.",
            "tables": [page_tables.summary(tables.summary, rows.measures)],
        },
        {
            "title": f"Time to reach a target, by mean {rows.measures}",
            "text": f"When the mean {rows.measures} of an epoch's sampled "
            "architectures first reached the target: medians of all runs, "
            "where one that did not reach it counts as later than all that "
            "did. Seconds depend on the machine and on what else it did.",
            "tables": [page_tables.reached(tables.reached)],
        },
        {
            "title": "Paired differences",
            "text": _pairing_text(rows),
            "tables": [
                page_tables.differences(tables.differences, rows.measures)
            ],
        },
        {
            "title": "Diversity",
            "tables": [page_tables.diversity(tables.diversity)],
        },
        _rank_check_section(tables.rank_check),
        {
            "title": "Operations of the last epoch",
            "tables": [page_tables.operations(tables.operations)],
        },
        _settings_section(rows),
    ]


def _figures_section(
    dataset: str, pictures: Sequence[tuple[Path, str, str]]
) -> dict[str, Any]:
    return {
        "title": f"Figures: {dataset}",
        "figures": [
            {
                "caption": caption,
                "png": base64.b64encode(file.read_bytes()).decode(),
            }
            for file, caption, belongs in pictures
            if belongs == dataset
        ],
    }


def _table_1_section(rows: Rows, tables: Tables) -> dict[str, Any]:
    """As the paper prints it, ours beside the published numbers."""
    both = []
    for scope in tables.table_1["scope"].unique():
        part = tables.table_1[tables.table_1["scope"] == scope]
        published = scope != "all epochs"
        heads = [scope, ""]
        for dataset in rows.datasets:
            first = part[part["dataset"] == dataset].iloc[0]
            name = dataset
            if published:
                name += f", epoch {int(first['epoch_first'])}"
                if first["epoch_last"] != first["epoch_first"]:
                    name += f"–{int(first['epoch_last'])}"
            heads.append(f"{name} ({int(first['seeds'])} seeds)")
            if published:
                epoch = page_tables.number(first["published_epoch"], ".0f")
                heads.append(f"paper, epoch {epoch}")
        lines = []
        for title, column in (("Avg", "mean"), ("STD", "std")):
            for method in part["method"].unique():
                line = [title, look_of(method).title]
                for dataset in rows.datasets:
                    own = part[
                        (part["dataset"] == dataset)
                        & (part["method"] == method)
                    ]
                    values = own.iloc[0] if len(own) else {}
                    line.append(page_tables.number(values.get(column), ".3f"))
                    if published:
                        line.append(
                            page_tables.number(
                                values.get(f"published_{column}"), ".3f"
                            )
                        )
                lines.append(line)
        both.append(PageTable(heads, lines))
    return {
        "title": "Table I of the paper",
        "text": "Mean and standard deviation of the accuracies of one epoch's "
        "architectures, at the epoch where I-ENAS first reached its maximum "
        "(of the same seed), averaged over seeds; below, averaged over all "
        "epochs. The paper's numbers are of one run each, of a larger child "
        "and its own protocol: compare the order, not the level.",
        "tables": both,
    }


def _pairing_text(rows: Rows) -> str:
    """What a pair is, and what interval and p-values are."""
    splits = ", ".join(
        f"{dataset}: {rows.about[dataset]['config'].get('split_seed', '–')}"
        for dataset in rows.datasets
    )
    return (
        "First minus second method at equal seeds. Interval: Student's t, "
        "cut at what a difference of accuracies can be; not known where all "
        "differences are alike. p: sign-flip permutation test of the mean "
        "difference, two-sided, exact up to 14 pairs. By Holm: corrected for "
        "the pairs of methods on this data set, not for the number of "
        "measures; least is the smallest that it could be with so many "
        "seeds, not counting pairs without a difference. Effect: mean "
        "difference over the deviation of the differences. The unit is the "
        "seed: one split of the images serves all seeds (split_seed of "
        f"{splits}), and random search draws the same architectures on every "
        "data set at equal seed and search space. Whoever pools over data "
        "sets must count seeds, not pairs."
    )


def _rank_check_section(table: pd.DataFrame) -> dict[str, Any]:
    if table.empty:
        return {
            "title": "Rank check",
            "text": "Not made; --rank_check=K trains K proposals of each run "
            "standalone and compares the two rankings.",
        }
    return {
        "title": "Rank check",
        "text": "Some proposals of each run, trained from fresh weights for a "
        "few epochs. Kendall's tau between their shared-weight accuracies on "
        "the validation images, which rank, and their standalone ones, inside "
        "each run, then averaged: 1 is the same order, 0 none. p is against "
        "0, by Holm over the methods of a data set; an interval that includes "
        "0 leaves open whether shared weights rank.",
        "tables": [page_tables.rank_check(table)],
    }


def _settings_section(rows: Rows) -> dict[str, Any]:
    heads = ["setting", *rows.datasets]
    configs = [rows.about[dataset]["config"] for dataset in rows.datasets]
    names = [name for name in configs[0] if name not in ("seed", "data_dir")]
    settings = PageTable(
        heads,
        [
            [name, *(str(config.get(name, "–")) for config in configs)]
            for name in names
        ],
        (0,),
    )
    columns = ["dataset", "method", "seed", "epochs", "starts", "time"]
    columns += ["tensorflow", "git_commit", "host"]
    runs = rows.runs[columns].astype(str)
    runs["git_commit"] = runs["git_commit"].str.slice(0, 10)
    runs["time"] = runs["time"].str.slice(0, 19)
    return {
        "title": "Settings and runs",
        "text": "The settings of the first run of each data set; a run that "
        "differs is named at the top.",
        "tables": [
            settings,
            PageTable(columns, runs.to_numpy().tolist(), (0, 1)),
        ],
    }
