"""The tables of a report as words for its page."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from experiments.comparison.measures import METRICS, describe_metric
from experiments.comparison.methods import look_of
from nascore.drawing.cells import operation_label


class PageTable(NamedTuple):
    """Words of a table, and which columns are text."""

    heads: list[str]
    rows: list[list[str]]
    text_columns: tuple[int, ...] = (0, 1)


def number(value: Any, form: str) -> str:
    """A number, or a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return format(value, form)


def _interval(row: Mapping[str, Any], form: str) -> str:
    if math.isnan(row["low"]):
        return "not known"
    return f"{row['low']:{form}} to {row['high']:{form}}"


def summary(table: pd.DataFrame, measure: str) -> PageTable:
    """Means of each method over seeds."""
    metrics = [name for name in METRICS if name in set(table["metric"])]
    lines = []
    for dataset in table["dataset"].unique():
        for metric in metrics:
            for row in table[
                (table["dataset"] == dataset) & (table["metric"] == metric)
            ].to_dict("records"):
                lines.append(
                    [
                        dataset,
                        describe_metric(metric, measure),
                        look_of(row["method"]).title,
                        str(row["seeds"]),
                        number(row["mean"], ".2%"),
                        _interval(row, ".2%"),
                    ]
                )
    heads = ["data set", "measure", "method", "seeds", "mean"]
    heads += ["95% t interval"]
    return PageTable(heads, lines, (0, 1, 2))


def reached(table: pd.DataFrame) -> PageTable:
    """When each method reached a target."""
    lines = [
        [
            row["dataset"],
            look_of(row["method"]).title,
            f"{row['target']:.0%}",
            f"{row['reached']} of {row['seeds']}",
            *(
                "not reached"
                if math.isnan(row[name])
                else format(row[name], form)
                for name, form in (
                    ("epochs", ".4g"),
                    ("evaluations", ".6g"),
                    ("seconds", ".0f"),
                )
            ),
        ]
        for row in table.to_dict("records")
    ]
    heads = ["data set", "method", "target", "reached", "epochs"]
    return PageTable([*heads, "architectures", "seconds"], lines)


def differences(table: pd.DataFrame, measure: str) -> PageTable:
    """Paired differences with intervals and p-values."""
    lines = [
        [
            row["dataset"],
            f"{look_of(row['first']).title} – {look_of(row['second']).title}",
            describe_metric(row["metric"], measure),
            str(row["count"]),
            number(row["mean"], "+.2%"),
            _interval(row, "+.2%"),
            number(row["p_value"], ".3g"),
            number(row["p_holm"], ".3g"),
            number(row["least_holm"], ".3g"),
            number(row["effect_size"], "+.2f"),
        ]
        for row in table.to_dict("records")
    ]
    heads = ["data set", "methods", "measure", "seeds", "difference"]
    heads += ["95% t interval", "sign-flip p", "by Holm", "least", "effect"]
    return PageTable(heads, lines, (0, 1, 2))


def diversity(table: pd.DataFrame) -> PageTable:
    """How different the architectures were."""
    lines = [
        [
            row["dataset"],
            look_of(row["method"]).title,
            f"{row['unique']:.1%}",
            f"{row['unique_last_epoch']:.1%}",
            number(row["entropy_last_epoch"], ".2f"),
            f"{row['entropy_uniform']:.2f}",
            f"{row['collapsed_runs']} of {row['seeds']}",
        ]
        for row in table.to_dict("records")
    ]
    heads = ["data set", "method", "unique", "unique, last epoch"]
    heads += ["entropy, last epoch (nats)", "uniform policy", "collapsed runs"]
    return PageTable(heads, lines)


def rank_check(table: pd.DataFrame) -> PageTable:
    """Kendall's tau of each method."""
    lines = [
        [
            row["dataset"],
            look_of(row["method"]).title,
            str(row["runs"]),
            str(row["architectures"]),
            f"{row['tau']:+.2f}",
            _interval(row, "+.2f"),
            number(row["p_value"], ".3g"),
            number(row["p_holm"], ".3g"),
            f"{row['standalone_mean']:.2%}",
            row["measured_on"],
        ]
        for row in table.to_dict("records")
    ]
    heads = ["data set", "method", "runs", "architectures"]
    heads += ["Kendall's tau", "95% t interval", "sign-flip p", "by Holm"]
    heads += ["standalone accuracy", "measured on"]
    return PageTable(heads, lines)


def operations(table: pd.DataFrame) -> PageTable:
    """Shares of the operations."""
    names = list(table["operation"].unique())
    lines = []
    for (dataset, cell, method), part in table.groupby(
        ["dataset", "cell", "method"], sort=False
    ):
        shares = part.set_index("operation")["share"]
        lines.append(
            [dataset, look_of(method).title, cell]
            + [number(shares.get(name), ".1%") for name in names]
        )
    heads = ["data set", "method", "cell", *map(operation_label, names)]
    return PageTable(heads, lines, (0, 1, 2))
