"""The report as one HTML page that needs no other file."""

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd

from experiments.comparison.methods import look_of
from experiments.comparison.rows import Rows
from experiments.comparison.tables import METRICS, Tables
from nascore.drawing import operation_label


class PageTable(NamedTuple):
    """Words of a table, and which columns are text."""

    heads: list[str]
    rows: list[list[str]]
    text_columns: tuple[int, ...] = (0, 1)


def warnings(rows: Rows, tables: Tables) -> list[str]:
    """What a reader must know before the numbers."""
    found = list(rows.notes)
    for row in tables.diversity.to_dict("records"):
        if row["collapsed_runs"]:
            found.append(
                f"{row['dataset']}: the controller of "
                f"{look_of(row['method']).title} collapsed in "
                f"{row['collapsed_runs']} of {row['seeds']} runs (fewer than "
                "half of the last epoch's architectures are different)"
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
    sections: list[dict[str, Any]] = [
        {
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
        for dataset in rows.datasets
    ]
    sections[:0] = [_table_1_section(rows, tables)]
    sections += [
        {
            "title": "By method",
            "text": "Mean over seeds with its 95% interval (Student's t). The "
            "mean over all epochs is the area under the curve of epoch means, "
            "divided by the epochs.",
            "tables": [_summary(tables.summary, rows)],
        },
        {
            "title": "Time to reach an accuracy",
            "text": "When the mean accuracy of an epoch's sampled "
            "architectures first reached the target: medians of the runs "
            "that reached it. Seconds depend on the machine and on what else "
            "it did.",
            "tables": [_reached(tables.reached)],
        },
        {
            "title": "Paired differences",
            "text": "First minus second method at equal seeds. Interval: "
            "bootstrap (percentiles, 9,999 resamples); of a handful of seeds "
            "it is too narrow, of three nearly worthless. p: Wilcoxon's signed "
            "ranks, two-sided; least p is the smallest that so many seeds "
            "can give. Effect: mean difference over the deviation of the "
            "differences.",
            "tables": [_differences(tables.differences)],
        },
        {
            "title": "Diversity",
            "tables": [_diversity(tables.diversity)],
        },
        _rank_check_section(tables.rank_check),
        {
            "title": "Operations of the last epoch",
            "tables": [_operations(tables.operations)],
        },
        _settings_section(rows),
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("experiments.comparison"),
        autoescape=True,
        trim_blocks=True,
    )
    methods = [
        look_of(name).title
        for name in dict.fromkeys(
            name for data in rows.datasets for name in rows.methods(data)
        )
    ]
    page = environment.get_template("page.html").render(
        title=f"{', '.join(methods)} on {', '.join(rows.datasets)}",
        verdicts=verdicts,
        warnings=remarks,
        sections=sections,
    )
    path.write_text(page, encoding="utf-8")


def _number(value: Any, form: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return format(value, form)


def _interval(row: Mapping[str, Any], form: str) -> str:
    if math.isnan(row["low"]):
        return "–"
    return f"{row['low']:{form}} to {row['high']:{form}}"


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
                epoch = _number(first["published_epoch"], ".0f")
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
                    line.append(_number(values.get(column), ".3f"))
                    if published:
                        line.append(
                            _number(values.get(f"published_{column}"), ".3f")
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


def _summary(summary: pd.DataFrame, rows: Rows) -> PageTable:
    metrics = [name for name in METRICS if name in set(summary["metric"])]
    lines = []
    for dataset in rows.datasets:
        for metric in metrics:
            for row in summary[
                (summary["dataset"] == dataset) & (summary["metric"] == metric)
            ].to_dict("records"):
                lines.append(
                    [
                        dataset,
                        METRICS[metric],
                        look_of(row["method"]).title,
                        str(row["seeds"]),
                        _number(row["mean"], ".2%"),
                        _interval(row, ".2%"),
                    ]
                )
    heads = ["data set", "measure", "method", "seeds", "mean", "95% interval"]
    return PageTable(heads, lines, (0, 1, 2))


def _reached(reached: pd.DataFrame) -> PageTable:
    lines = [
        [
            row["dataset"],
            look_of(row["method"]).title,
            f"{row['target']:.0%}",
            f"{row['reached']} of {row['seeds']}",
            _number(row["epochs"], ".4g"),
            _number(row["evaluations"], ".6g"),
            _number(row["seconds"], ".0f"),
        ]
        for row in reached.to_dict("records")
    ]
    heads = ["data set", "method", "target", "reached", "epochs"]
    return PageTable([*heads, "architectures", "seconds"], lines)


def _differences(differences: pd.DataFrame) -> PageTable:
    lines = [
        [
            row["dataset"],
            f"{look_of(row['first']).title} – {look_of(row['second']).title}",
            METRICS[row["metric"]],
            str(row["count"]),
            _number(row["mean"], "+.2%"),
            _interval(row, "+.2%"),
            _number(row["p_value"], ".3f"),
            _number(row["least_p"], ".3f"),
            _number(row["effect_size"], "+.2f"),
        ]
        for row in differences.to_dict("records")
    ]
    heads = ["data set", "methods", "measure", "seeds", "difference"]
    heads += ["95% interval", "p", "least p", "effect"]
    return PageTable(heads, lines, (0, 1, 2))


def _diversity(diversity: pd.DataFrame) -> PageTable:
    lines = [
        [
            row["dataset"],
            look_of(row["method"]).title,
            f"{row['unique']:.1%}",
            f"{row['unique_last_epoch']:.1%}",
            f"{row['entropy_last_epoch']:.2f}",
            f"{row['entropy_uniform']:.2f}",
            f"{row['collapsed_runs']} of {row['seeds']}",
        ]
        for row in diversity.to_dict("records")
    ]
    heads = ["data set", "method", "unique", "unique, last epoch"]
    heads += ["entropy, last epoch (nats)", "uniform policy", "collapsed runs"]
    return PageTable(heads, lines)


def _rank_check_section(table: pd.DataFrame) -> dict[str, Any]:
    if table.empty:
        return {
            "title": "Rank check",
            "text": "Not made; --rank_check=K trains K proposals of each run "
            "standalone and compares the two rankings.",
        }
    lines = [
        [
            row["dataset"],
            look_of(row["method"]).title,
            str(row["runs"]),
            str(row["architectures"]),
            f"{row['tau']:+.2f}",
            _interval(row, "+.2f"),
            f"{row['standalone_mean']:.2%}",
        ]
        for row in table.to_dict("records")
    ]
    heads = ["data set", "method", "runs", "architectures"]
    heads += ["Kendall's tau", "95% interval", "standalone accuracy"]
    return {
        "title": "Rank check",
        "text": "Some proposals of each run, trained from fresh weights for a "
        "few epochs. Kendall's tau between their shared-weight and their "
        "standalone accuracies, inside each run, then averaged: 1 is the same "
        "order, 0 none.",
        "tables": [PageTable(heads, lines)],
    }


def _operations(operations: pd.DataFrame) -> PageTable:
    names = list(operations["operation"].unique())
    lines = []
    for (dataset, cell, method), part in operations.groupby(
        ["dataset", "cell", "method"], sort=False
    ):
        shares = part.set_index("operation")["share"]
        lines.append(
            [dataset, look_of(method).title, cell]
            + [_number(shares.get(name), ".1%") for name in names]
        )
    heads = ["data set", "method", "cell", *map(operation_label, names)]
    return PageTable(heads, lines, (0, 1, 2))


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
