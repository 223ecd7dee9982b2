"""The figures of a search of whole networks: operations, skips, the best."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.operation_shares import draw_shares
from experiments.figures.runs import title_of
from nascore.drawing.macro import draw_macro
from nascore.drawing.style import (
    BLACK,
    BLUE,
    POINTS,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    styled,
)
from nascore.runs.reader import RunRecords
from nascore.spaces.macro import MacroSpace
from nascore.stats import moving_average


def draw(
    run: RunRecords, space: MacroSpace, window: int, top: int
) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      space: of its architectures.
      window: points that the moving average of the skips spans.
      top: how many of the best architectures are drawn.
    """
    rows = np.array(
        [text.split() for text in run.evaluations["architecture"]], int
    )
    yield "operations", _plot_operations(run, space, rows)
    yield "skips", _plot_skips(run, rows[:, space.is_skip].mean(1), window)
    for entry in (run.derived or run.best)[:top]:
        measured = f"{entry.get(run.measures, np.nan):.1%} of a batch"
        if run.derived:
            measured = (
                f"{entry['validation_accuracy']:.1%} of the validation set"
            )
        title = f"rank {entry['rank']}: {measured}, shared weights"
        network = space.parse(entry["architecture"])
        yield (
            f"best_network_{entry['rank']}",
            draw_macro(network, space, title),
        )


def operation_shares(
    epochs: np.ndarray, rows: np.ndarray, space: MacroSpace
) -> pd.DataFrame:
    """The share of each operation among all layers, epoch by epoch.

    Args:
      epochs: of each architecture, `[n]`, from 0.
      rows: architectures, int `[n, length]`.
      space: theirs.

    Returns:
      A row for each epoch, counted from 1, and a column for each operation.
    """
    count = len(space.operations)
    chosen = rows[:, ~space.is_skip]
    shares = {
        int(epoch) + 1: np.bincount(
            chosen[epochs == epoch].ravel(), minlength=count
        )
        / chosen[epochs == epoch].size
        for epoch in np.unique(epochs)
    }
    return pd.DataFrame.from_dict(
        shares, orient="index", columns=list(space.operations)
    )


@styled
def _plot_operations(
    run: RunRecords, space: MacroSpace, rows: np.ndarray
) -> Figure:
    figure, (axes,) = make_figure()
    epochs = run.evaluations["epoch"].to_numpy()
    draw_shares(axes, operation_shares(epochs, rows, space))
    axes.set_ylabel("share of the layers")
    axes.set_xlabel("epoch")
    axes.set_title(f"{title_of(run)}: operations")
    count_axis(axes.xaxis)
    add_legend(figure, beside=True)
    return figure


@styled
def _plot_skips(run: RunRecords, shares: np.ndarray, window: int) -> Figure:
    """How many of the possible skips each architecture has."""
    figure, (axes,) = make_figure()
    numbers = np.arange(1, len(shares) + 1)
    axes.scatter(numbers, shares, **POINTS, label="an architecture")
    axes.plot(
        numbers,
        moving_average(shares, window),
        color=BLUE,
        label=f"mean of the last {window}",
    )
    target = run.settings["config"].get("skip_target")
    if target is not None:
        axes.axhline(
            target, color=VERMILLION, linestyle="--", label="--skip_target"
        )
    axes.axhline(0.5, color=BLACK, linestyle=":", label="uniform policy")
    axes.set_ylim(0, 1)
    axes.set_ylabel("part of the possible skips")
    axes.set_xlabel("evaluated architecture")
    axes.set_title(f"{title_of(run)}: skips")
    count_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    add_legend(figure)
    return figure
