"""The figures of a search in the embedding of an autoencoder."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.runs import title_of
from nascore.drawing.style import (
    BLACK,
    BLUE,
    GREY,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    styled,
)
from nascore.runs.csv_files import read_table
from nascore.runs.reader import RunRecords, evaluations_file
from nascore.stats import moving_average

_PATH = ["path_1", "path_2"]


def has_path(run: RunRecords) -> bool:
    """Whether a search noted its path in an embedding."""
    return set(_PATH) <= set(run.evaluations.columns)


def draw(run: RunRecords, window: int) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      window: points that the moving average spans.
    """
    yield "embedding", _plot_path(run, window)
    columns = ["trained", "held_out_loss", "reach"]
    training = read_table(run.path / "pretraining.csv", columns)
    if len(training):
        yield "pretraining", _plot_training(run, training)


@styled
def _plot_path(run: RunRecords, window: int) -> Figure:
    """Points in two directions, by accuracy, and the way of their mean."""
    path = read_table(evaluations_file(run.path), _PATH)[_PATH].to_numpy()
    scores = run.evaluations[run.measures].to_numpy()[: len(path)]
    figure, (axes,) = make_figure()
    # The best ones on top.
    order = np.argsort(np.nan_to_num(scores, nan=-np.inf), kind="stable")
    first, second = path[order].T
    points = axes.scatter(
        first, second, c=scores[order], s=9, cmap="viridis", linewidths=0
    )
    bar = figure.colorbar(points, ax=axes, label=run.measures)
    percent_axis(bar.ax.yaxis)
    way = np.stack([moving_average(each, window) for each in path.T])
    axes.plot(*way, color=VERMILLION, label=f"mean of the last {window}")
    axes.scatter(
        way[0, -1],
        way[1, -1],
        color=BLACK,
        marker="X",
        s=36,
        zorder=3,
        label="the end",
    )
    axes.set_xlabel("first direction of the codes")
    axes.set_ylabel("second direction")
    axes.set_title(title_of(run))
    add_legend(figure)
    return figure


@styled
def _plot_training(run: RunRecords, table: pd.DataFrame) -> Figure:
    """The autoencoder's loss, and what its decoder reaches."""
    figure, (above, below) = make_figure(2, height=4.2)
    trained = table["trained"]
    above.plot(trained, table["held_out_loss"], color=BLUE)
    above.set_ylabel("held-out error")
    above.axhline(1 / 12, color=GREY, label="variance of a uniform number")
    below.plot(trained, table["reach"], color=BLUE)
    below.set_ylabel("reach")
    below.set_xlabel("training steps of the autoencoder")
    for axes in (above, below):
        axes.set_ylim(bottom=0)
        count_axis(axes.xaxis)
    count_axis(below.yaxis)
    above.set_title(f"{title_of(run)}: before the search")
    add_legend(figure)
    return figure
