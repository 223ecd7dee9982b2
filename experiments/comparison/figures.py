"""The figures of a report: those of the paper, and what they leave out."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator, StrMethodFormatter

from experiments.comparison.forest import plot_differences
from experiments.comparison.methods import look_of
from experiments.comparison.paper import ANCHORS
from experiments.comparison.rows import Rows
from experiments.comparison.tables import Tables
from experiments.figures.operation_shares import draw_shares, shares_by_epoch
from experiments.reports.scores import ScoreKind
from nascore.drawing.style import (
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    plain_text,
    styled,
    tint,
)
from nascore.spaces.cells import CellSpace

WINDOW = 100


class Picture(NamedTuple):
    """A figure and what is said of it.

    Attributes:
      dataset: the data set that it belongs to.
      name: of its files.
      caption: what stands below it.
      alt: what it shows, for those who cannot see it.
      figure: the figure.
    """

    dataset: str
    name: str
    caption: str
    alt: str
    figure: Figure


def draw(rows: Rows, tables: Tables) -> Iterator[Picture]:
    """Yields the figures of each data set."""
    kind = rows.kind
    for dataset in rows.datasets:
        seed = _first_common_seed(rows, dataset)
        titles = [look_of(name).title for name in rows.methods(dataset)]
        after = ", after figures 6-8 of the I-ENAS paper" * kind.like_paper
        yield Picture(
            dataset,
            kind.name,
            f"Every evaluated architecture, seed {seed}{after}. Lines are "
            f"means of the last {WINDOW}; the large marks are where each "
            f"method first has its {kind.best_word}.",
            f"Points and lines: {kind.name} by evaluated architecture on "
            f"{dataset}, one run of a method each.",
            _plot_points(rows, dataset, seed),
        )
        yield Picture(
            dataset,
            "mean",
            f"Means of the last {WINDOW} evaluated architectures, averaged "
            "over seeds; bands are 95% intervals of that average (Student's "
            "t).",
            f"Lines with bands: mean {kind.name} by evaluated "
            f"architecture on {dataset}, of {', '.join(titles)}; the table "
            "By method has the means over all epochs.",
            _plot_bands(rows, dataset, "score", kind),
        )
        if rows.hours(dataset):
            yield Picture(
                dataset,
                "time",
                "Mean of an epoch's architectures by the time that a run had "
                "searched until the epoch's end, all runs; a mark is the last "
                "epoch, by which the verdicts go.",
                f"Lines: mean {kind.name} by minutes of search on {dataset}, "
                f"of {', '.join(titles)}; the table By method has the last "
                "epochs.",
                _plot_times(rows, dataset),
            )
        yield Picture(
            dataset,
            "differences",
            "Paired differences at equal seeds with 95% t intervals and "
            "sign-flip p, not corrected; a mark without a line has no known "
            f"interval. {kind.ahead_side} of zero the first method is ahead.",
            "Marks with intervals: the numbers of the table Paired "
            f"differences for {dataset}.",
            plot_differences(tables.differences, dataset, kind),
        )
        yield from _draw_choices(rows, dataset)


def _draw_choices(rows: Rows, dataset: str) -> Iterator[Picture]:
    """What the policies chose, where it is known."""
    own = rows.evaluations["dataset"] == dataset
    if "entropy" in rows.evaluations and (
        rows.evaluations.loc[own, "entropy"].notna().all()
    ):
        most = _greatest_entropy(rows, dataset)
        nats = ScoreKind("entropy (nats)", limits=(0.0, most))
        yield Picture(
            dataset,
            "entropy",
            "Entropy of the policy along the sampled architectures, "
            "means as above; a falling line is a controller that commits "
            "itself.",
            "Lines with bands: entropy of the policy by evaluated "
            f"architecture on {dataset}; the table Diversity has that of the "
            "last epoch.",
            _plot_bands(rows, dataset, "entropy", nats),
        )
    cells = {
        method: space
        for method in rows.methods(dataset)
        if isinstance(space := rows.space(dataset, method), CellSpace)
    }
    if cells:
        yield Picture(
            dataset,
            "operations",
            "Share of each operation among the architectures of an epoch, all "
            "seeds. The shares of the last epoch are in a table below.",
            "Stacked areas, by method and cell: shares of the operations by "
            f"epoch on {dataset}.",
            _plot_operations(rows, dataset, cells),
        )


def _first_common_seed(rows: Rows, dataset: str) -> int:
    """The first seed that the most methods have."""
    runs = rows.runs[rows.runs["dataset"] == dataset]
    counts = runs.groupby("seed")["method"].nunique()
    return int(counts.idxmax())


def _runs_to_show(rows: Rows, dataset: str, seed: int) -> dict[str, np.ndarray]:
    """Scores of one run of ENAS and I-ENAS, or of the first methods."""
    methods = rows.methods(dataset)
    ienas = next((name for name in ANCHORS if name in methods), None)
    table = rows.evaluations
    shown = methods[: 1 if "enas" in methods else 2]
    chosen = {}
    for method in ("enas", ienas) if ienas else shown:
        values = table.loc[
            (table["dataset"] == dataset)
            & (table["method"] == method)
            & (table["seed"] == seed),
            "score",
        ].to_numpy()
        if len(values):
            chosen[method] = values
    return chosen


def _score_axis(axes: Axes, kind: ScoreKind) -> None:
    """Percent; ratios of relative scores are equal lengths instead."""
    if not kind.relative:
        percent_axis(axes.yaxis)
        return
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(NullLocator())
    # Those of a logarithm are too few where scores are close.
    axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _finish_curves(figure: Figure, axes: Axes, label: str, title: str) -> None:
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel(label)
    axes.set_title(plain_text(title))
    count_axis(axes.xaxis)
    add_legend(figure)


@styled
def _plot_points(rows: Rows, dataset: str, seed: int) -> Figure:
    figure, (axes,) = make_figure(width=6.2, height=4.2)
    kind = rows.kind
    chosen = _runs_to_show(rows, dataset, seed)
    for method, values in chosen.items():
        look = look_of(method)
        axes.scatter(
            np.arange(1, len(values) + 1),
            values,
            s=7,
            marker=look.marker,
            color=tint(look.color),
            linewidths=0,
            alpha=0.6,
        )
    for method, values in chosen.items():
        look = look_of(method)
        average = kind.moving_average(values, WINDOW)
        numbers = np.arange(1, len(values) + 1)
        axes.plot(numbers, average, color="white", linewidth=3.5)
        axes.plot(
            numbers,
            average,
            color=look.color,
            linestyle=look.dashes,
            linewidth=1.8,
            label=plain_text(f"{look.title}, mean of {WINDOW}"),
        )
    for place, (method, values) in enumerate(chosen.items()):
        look = look_of(method)
        first = kind.place_of_best(values)
        best = f"{values[first]:{kind.short_form}} at {first + 1}"
        axes.plot(
            first + 1,
            values[first],
            marker=look.marker,
            # One that lies on another leaves it to be seen.
            markersize=10 - 4 * place,
            color=look.color,
            markeredgecolor="white",
            linestyle="none",
            label=f"first {kind.best_word}, {best}",
        )
    _score_axis(axes, kind)
    _finish_curves(figure, axes, kind.label, f"{dataset}, seed {seed}")
    return figure


def _greatest_entropy(rows: Rows, dataset: str) -> float:
    """That of uniform choices, in nats."""
    spaces = (rows.space(dataset, method) for method in rows.methods(dataset))
    return max(math.log(space.size()) for space in spaces)


@styled
def _plot_bands(
    rows: Rows, dataset: str, column: str, kind: ScoreKind
) -> Figure:
    figure, (axes,) = make_figure(width=6.2, height=4.2)
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
            [kind.moving_average(run[:length], WINDOW) for run in runs]
        )
        mean, low, high = kind.interval(averages)
        numbers = np.arange(1, length + 1)
        axes.fill_between(
            numbers, low, high, color=tint(look.color), alpha=0.4, lw=0
        )
        # The ends of bands stay visible where bands lie on each other.
        for end in (low, high):
            axes.plot(numbers, end, color=tint(look.color, 0.6), linewidth=0.5)
        axes.plot(
            numbers,
            mean,
            color=look.color,
            linestyle=look.dashes,
            linewidth=1.7,
            label=plain_text(look.title)
            + f", {len(runs)} {'seed' if len(runs) == 1 else 'seeds'}",
        )
    if column == "entropy":
        axes.set_ylim(top=kind.limits[1] * 1.01)
    else:
        _score_axis(axes, kind)
    _finish_curves(figure, axes, kind.name, dataset)
    return figure


@styled
def _plot_times(rows: Rows, dataset: str) -> Figure:
    """Every run's epoch means by its time."""
    figure, (axes,) = make_figure(width=6.2, height=4.2)
    part = rows.epochs[rows.epochs["dataset"] == dataset]
    for method in rows.methods(dataset):
        look = look_of(method)
        label = plain_text(look.title)
        for _, run in part[part["method"] == method].groupby("seed"):
            axes.plot(
                run["seconds"] / 60,
                run["score_mean"],
                color=look.color,
                linestyle=look.dashes,
                linewidth=1.2,
                marker=look.marker,
                markevery=[len(run) - 1],
                markersize=6,
                label=label,
            )
    _score_axis(axes, rows.kind)
    _finish_curves(figure, axes, f"mean {rows.kind.name}", dataset)
    axes.set_xlabel("minutes of search")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    return figure


@styled
def _plot_operations(
    rows: Rows, dataset: str, spaces: dict[str, CellSpace]
) -> Figure:
    """Stacked shares by epoch: a row for each cell, a column a method."""
    cells = list(next(iter(spaces.values())).cell_types)
    table = rows.evaluations[rows.evaluations["dataset"] == dataset]
    figure, panels = make_figure(
        len(cells),
        len(spaces),
        width=1.8 + 1.5 * len(spaces),
        height=0.6 + 1.9 * len(cells),
        sharex=True,
        sharey=True,
    )
    grid = np.reshape(np.array(panels, object), (len(cells), len(spaces)))
    for column, (method, space) in enumerate(spaces.items()):
        own = table[table["method"] == method]
        for axes, cell in zip(grid[:, column], cells, strict=True):
            _draw_cell_shares(axes, own, cell, space)
        grid[0, column].set_title(plain_text(look_of(method).title, 24))
        grid[-1, column].set_xlabel("epoch")
    for axes, cell in zip(grid[:, 0], cells, strict=True):
        axes.set_ylabel(plain_text(f"share, {cell} cell"))
    figure.suptitle(plain_text(dataset))
    add_legend(figure, beside=True)
    return figure


def _draw_cell_shares(
    axes: Axes, evaluations: pd.DataFrame, cell: str, space: CellSpace
) -> None:
    if cell in space.cell_types:
        draw_shares(axes, shares_by_epoch(evaluations, cell, space.operations))
    count_axis(axes.xaxis)
