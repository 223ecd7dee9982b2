"""The figures of a search over NAS-Bench-201."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from experiments.figures.operation_shares import draw_shares
from experiments.figures.runs import title_of
from nascore.config import unflatten
from nascore.drawing.bench201 import draw_cell
from nascore.drawing.style import (
    BLACK,
    BLUE,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    styled,
)
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.table import accuracies
from nascore.runs.reader import RunRecords
from nascore.spaces.bench201 import OPERATIONS, parse_cell


def draw(run: RunRecords, top: int) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      top: how many of the best architectures are drawn.
    """
    yield "best_so_far", _plot_best(run)
    yield "operations", plot_operations(run)
    for entry in (run.derived or run.best)[:top]:
        title = f"rank {entry['rank']}: {entry['accuracy']:.2%} searched on"
        if "test_accuracy" in entry:
            title += f", {entry['test_accuracy']:.2%} test"
        yield (
            f"best_cell_{entry['rank']}",
            draw_cell(parse_cell(entry["architecture"]), title),
        )


@styled
def _plot_best(run: RunRecords) -> Figure:
    """The best so far by what is searched on, and what the table has."""
    figure, (axes,) = make_figure()
    searched = unflatten(TableConfig(), run.settings["config"]).searched
    found = run.evaluations[run.measures].to_numpy()
    place = pd.Series(np.arange(len(found)))
    best = (
        place.where(found >= np.maximum.accumulate(found)).ffill().astype(int)
    )
    numbers = np.arange(1, len(found) + 1)
    most = accuracies(searched).max()
    axes.axhline(
        most, color=BLACK, linestyle=":", label=f"best of the table, {most:.2%}"
    )
    steps: Any = {"drawstyle": "steps-post"}
    axes.plot(numbers, found[best], color=BLUE, label=str(searched), **steps)
    if "test_accuracy" in run.evaluations:
        axes.plot(
            numbers,
            run.evaluations["test_accuracy"].to_numpy()[best],
            color=VERMILLION,
            linestyle="--",
            label="its test accuracy after 200 epochs",
            **steps,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylabel("accuracy of the best cell so far")
    axes.set_xlabel("query")
    axes.set_title(title_of(run))
    percent_axis(axes.yaxis)
    add_legend(figure)
    return figure


@styled
def plot_operations(run: RunRecords) -> Figure:
    """The share of each operation among the edges, by epoch."""
    figure, (axes,) = make_figure()
    places = run.evaluations["architecture"].map(
        lambda text: parse_cell(text).operations
    )
    shares = {
        epoch + 1: np.bincount(
            np.concatenate(list(some)), minlength=len(OPERATIONS)
        )
        for epoch, some in places.groupby(run.evaluations["epoch"])
    }
    table = pd.DataFrame.from_dict(
        shares, orient="index", columns=list(OPERATIONS)
    )
    draw_shares(axes, table.div(table.sum(axis=1), axis=0))
    axes.set_ylabel("share of the edges")
    axes.set_title(f"{title_of(run)}: operations")
    axes.set_xlabel("epoch")
    count_axis(axes.xaxis)
    add_legend(figure, beside=True)
    return figure
