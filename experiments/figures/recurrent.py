"""Figures of searches of recurrent cells."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.runs import title_of
from nascore.drawing.recurrent import draw_cell
from nascore.drawing.style import (
    BLUE,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    styled,
)
from nascore.runs.reader import RunRecords
from nascore.spaces.recurrent import RecurrentSpace
from nascore.stats import moving_average


def draw(
    run: RunRecords, space: RecurrentSpace, top: int
) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure of the best cells.

    Args:
      run: of recurrent cells.
      space: of it.
      top: how many at most.
    """
    for entry in (run.derived or run.best)[:top]:
        perplexity = entry.get("validation_perplexity")
        measured = f"{entry.get(run.measures, 0):.3f} = 80 / perplexity"
        if perplexity is not None:
            measured = f"perplexity {perplexity:.1f}, validation text"
        title = f"rank {entry['rank']}: {measured}\n(shared weights)"
        cell = space.parse(entry["architecture"])
        yield f"cell_{entry['rank']}", draw_cell(cell, space, title)


@styled
def plot_training(run: RunRecords, steps: pd.DataFrame, window: int) -> Figure:
    """Perplexities of DARTS's mixture while it learned, of both texts.

    Args:
      run: of DARTS.
      steps: a row for each window.
      window: points that the moving averages span.
    """
    figure, (axes,) = make_figure()
    for column, label, color in (
        ("perplexity", "text of the weights", BLUE),
        ("alpha_perplexity", "text of the alphas", VERMILLION),
    ):
        values = moving_average(steps[column].to_numpy(), window)
        numbers = range(1, len(values) + 1)
        label = f"{label}, mean of the last {window}"
        axes.plot(numbers, values, color=color, label=label)
    axes.set_yscale("log")
    axes.set_ylabel("perplexity of the mixture")
    axes.set_xlabel("window")
    axes.set_title(title_of(run))
    count_axis(axes.xaxis)
    add_legend(figure)
    return figure
