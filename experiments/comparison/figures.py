"""The figures of a report: those of the paper, and what they leave out."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.comparison.measures import (
    LIMITS,
    METRICS,
    describe_metric,
)
from experiments.comparison.methods import look_of
from experiments.comparison.paper import ANCHORS
from experiments.comparison.rows import Rows
from experiments.comparison.tables import Tables
from nascore.drawing.cells import operation_label
from nascore.drawing.style import plain_text
from nascore.stats import Limits, mean_interval, moving_average

WINDOW = 100


def draw(rows: Rows, tables: Tables) -> Iterator[tuple[str, str, str, Figure]]:
    """Yields (data set, name, caption, figure)."""
    for dataset in rows.datasets:
        seed = _first_common_seed(rows, dataset)
        yield (
            dataset,
            rows.measures,
            f"Every evaluated architecture, seed {seed}, after figures 6-8 "
            f"of the I-ENAS paper. Lines are means of the last {WINDOW}; the "
            "large marks are where each method first has its maximum.",
            _plot_points(rows, dataset, seed),
        )
        yield (
            dataset,
            "mean",
            f"Means of the last {WINDOW} evaluated architectures, averaged "
            "over seeds; bands are 95% intervals of that average (Student's "
            "t).",
            _plot_bands(rows, dataset, "score", rows.measures, LIMITS),
        )
        yield (
            dataset,
            "differences",
            "Paired differences at equal seeds with 95% t intervals and "
            "sign-flip p, not corrected; a mark without a line has no known "
            "interval. Right of zero the first method is ahead.",
            _plot_differences(tables.differences, dataset, rows.measures),
        )
        own = rows.evaluations["dataset"] == dataset
        if "entropy" in rows.evaluations and (
            rows.evaluations.loc[own, "entropy"].notna().all()
        ):
            yield (
                dataset,
                "entropy",
                "Entropy of the policy along the sampled architectures, "
                "means as above; a falling line is a controller that commits "
                "itself.",
                _plot_bands(
                    rows,
                    dataset,
                    "entropy",
                    "entropy (nats)",
                    (0.0, _greatest_entropy(rows, dataset)),
                ),
            )
        if dataset in set(tables.operations["dataset"]):
            yield (
                dataset,
                "operations",
                "Share of each operation among the architectures of the last "
                "epoch, all seeds.",
                _plot_operations(tables.operations, dataset),
            )


def _figure(width: float, height: float, panels: int = 1) -> tuple:
    figure = Figure(figsize=(width, height), layout="constrained")
    every = list(figure.subplots(1, panels, squeeze=False, sharey=True)[0])
    for axes in every:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, color="#e4e4e4", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, every


def _first_common_seed(rows: Rows, dataset: str) -> int:
    """The first seed that the most methods have."""
    runs = rows.runs[rows.runs["dataset"] == dataset]
    counts = runs.groupby("seed")["method"].nunique()
    return int(counts.idxmax())


def _plot_points(rows: Rows, dataset: str, seed: int) -> Figure:
    figure, (axes,) = _figure(6.2, 3.8)
    methods = rows.methods(dataset)
    ienas = next((name for name in ANCHORS if name in methods), None)
    table = rows.evaluations
    chosen = {}
    shown = methods[: 1 if "enas" in methods else 2]
    for method in ("enas", ienas) if ienas else shown:
        values = table.loc[
            (table["dataset"] == dataset)
            & (table["method"] == method)
            & (table["seed"] == seed),
            "score",
        ].to_numpy()
        if len(values):
            chosen[method] = values
    for method, values in chosen.items():
        look = look_of(method)
        axes.scatter(
            np.arange(len(values)),
            values,
            s=7,
            marker=look.marker,
            color=look.points,
            linewidths=0,
            alpha=0.6,
        )
    for method, values in chosen.items():
        look = look_of(method)
        average = moving_average(values, WINDOW)
        axes.plot(average, color="white", linewidth=3.5)
        axes.plot(
            average,
            color=look.line,
            linestyle=look.dashes,
            linewidth=1.8,
            label=plain_text(f"{look.title}, mean of {WINDOW}"),
        )
    for method, values in chosen.items():
        look = look_of(method)
        first = int(np.nanargmax(values))
        axes.plot(
            first,
            values[first],
            marker=look.marker,
            markersize=9,
            color=look.line,
            markeredgecolor="black",
            linestyle="none",
            label=f"first maximum, {values[first]:.1%} at {first + 1}",
        )
    axes.set_xlabel("evaluated architecture")
    label = {"accuracy": "accuracy (shared weights, one batch)"}
    axes.set_ylabel(label.get(rows.measures, rows.measures))
    axes.set_title(plain_text(f"{dataset}, seed {seed}"), fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _greatest_entropy(rows: Rows, dataset: str) -> float:
    """That of uniform choices, in nats."""
    spaces = (rows.space(dataset, method) for method in rows.methods(dataset))
    return max(math.log(space.size()) for space in spaces)


def _plot_bands(
    rows: Rows, dataset: str, column: str, label: str, limits: Limits
) -> Figure:
    figure, (axes,) = _figure(6.2, 3.8)
    part = rows.evaluations[rows.evaluations["dataset"] == dataset]
    for method in rows.methods(dataset):
        look = look_of(method)
        runs = [
            run[column].to_numpy()
            for _, run in part[part["method"] == method].groupby("seed")
        ]
        # Runs that stopped early end the average for all.
        length = min(map(len, runs))
        averages = np.stack(
            [moving_average(run[:length], WINDOW) for run in runs]
        )
        mean, low, high = mean_interval(averages, limits)
        count = np.arange(length)
        axes.fill_between(count, low, high, color=look.points, alpha=0.45, lw=0)
        axes.plot(
            count,
            mean,
            color=look.line,
            linestyle=look.dashes,
            linewidth=1.7,
            label=plain_text(look.title)
            + f", {len(runs)} {'seed' if len(runs) == 1 else 'seeds'}",
        )
    if column == "entropy":
        axes.set_ylim(top=limits[1] * 1.01)
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel(label)
    axes.set_title(plain_text(dataset), fontsize=10)
    axes.legend(fontsize=8, loc="best")
    return figure


def _plot_differences(
    differences: pd.DataFrame, dataset: str, measure: str
) -> Figure:
    """A forest: one panel for each pair of methods, one line a metric."""
    part = differences[differences["dataset"] == dataset]
    pairs = list(part.groupby(["first", "second"], sort=False))
    metrics = [name for name in METRICS if name in set(part["metric"])]
    count = max(1, len(pairs))
    figure, panels = _figure(
        2.6 + 1.7 * count, 0.9 + 0.42 * len(metrics), count
    )
    for axes, ((first, second), group) in zip(panels, pairs, strict=False):
        lines = group.set_index("metric").reindex(metrics)
        places = np.arange(len(metrics))
        mean = 100 * lines["mean"].to_numpy()
        low, high = 100 * lines["low"], 100 * lines["high"]
        axes.axvline(0, color="black", linewidth=0.8)
        axes.hlines(places, low, high, color="#333333", linewidth=1.6)
        axes.plot(
            mean,
            places,
            marker=look_of(first).marker,
            linestyle="none",
            color=look_of(first).line,
            markeredgecolor="black",
            markersize=6,
        )
        for place, p_value in zip(places, lines["p_value"], strict=True):
            if not np.isnan(p_value):
                axes.annotate(
                    f"p {p_value:.2g}",
                    (1, place - 0.32),
                    xycoords=("axes fraction", "data"),
                    ha="right",
                    va="center",
                    fontsize=5.5,
                )
        axes.set_title(
            f"{plain_text(look_of(first).title)}\nminus "
            f"{plain_text(look_of(second).title)}",
            fontsize=7.5,
        )
        axes.tick_params(labelsize=7)
    axes = panels[0]
    axes.set_yticks(range(len(metrics)))
    axes.set_yticklabels(
        [_wrap(describe_metric(name, measure)) for name in metrics], fontsize=7
    )
    axes.invert_yaxis()
    figure.supxlabel("difference in percentage points", fontsize=8)
    return figure


def _wrap(text: str) -> str:
    """Breaks a long label in two at a comma or in the middle."""
    if len(text) < 30:
        return text
    words = text.split()
    half = len(words) // 2 + len(words) % 2
    return f"{' '.join(words[:half])}\n{' '.join(words[half:])}"


def _plot_operations(operations: pd.DataFrame, dataset: str) -> Figure:
    part = operations[operations["dataset"] == dataset]
    cells = list(part["cell"].unique())
    methods = list(part["method"].unique())
    names = list(part["operation"].unique())
    figure, panels = _figure(3.4 * len(cells), 3.4, len(cells))
    width = 0.8 / len(methods)
    for axes, cell in zip(panels, cells, strict=True):
        for place, method in enumerate(methods):
            look = look_of(method)
            shares = part[(part["cell"] == cell) & (part["method"] == method)]
            axes.bar(
                np.arange(len(names)) + (place - len(methods) / 2) * width,
                shares.set_index("operation")["share"].reindex(names),
                width=width,
                align="edge",
                color=look.points,
                edgecolor="black",
                linewidth=0.5,
                hatch=look.hatch,
                label=plain_text(look.title),
            )
        _name_operations(axes, names)
        axes.set_title(plain_text(f"{dataset}, {cell} cell"), fontsize=9)
    panels[0].set_ylabel("share of the operations")
    panels[-1].legend(fontsize=7)
    return figure


def _name_operations(axes: Axes, names: list[str]) -> None:
    axes.set_xticks(range(len(names)))
    axes.set_xticklabels(
        [operation_label(name) for name in names],
        rotation=30,
        ha="right",
        fontsize=7,
    )
