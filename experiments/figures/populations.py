"""The figures of a search by evolution that noted who lived."""

from collections.abc import Iterator

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from experiments.figures.runs import title_of
from nascore.drawing.style import (
    BLACK,
    BLUE,
    GREEN,
    PALE,
    POINTS,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    styled,
)
from nascore.runs.reader import RunRecords

_PARENT, _MEAN, _STD = "parent", "population_mean", "population_std"


def has_population(run: RunRecords) -> bool:
    """Whether a search noted parents and population."""
    return {_PARENT, _MEAN, _STD} <= set(run.evaluations.columns)


def draw(run: RunRecords) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure."""
    yield "population", _plot_population(run)
    yield "family", _plot_family(run)


@styled
def _plot_population(run: RunRecords) -> Figure:
    """Mean, deviation, best and worst of the living, after figure 4."""
    figure, (axes,) = make_figure()
    table = run.evaluations
    numbers = table["number"] + 1
    mean, deviation = table[_MEAN], table[_STD]
    axes.fill_between(
        numbers,
        (mean - deviation).clip(0, 1),
        (mean + deviation).clip(0, 1),
        color=PALE,
        lw=1,
        label="± standard deviation",
    )
    for name, color, line, label in (
        (_MEAN, BLACK, "-", "mean of the living"),
        ("population_best", BLUE, "--", "best"),
        ("population_worst", VERMILLION, ":", "worst"),
    ):
        axes.plot(numbers, table[name], line, color=color, label=label)
    axes.set_ylabel(f"{run.measures} of the population")
    axes.set_title(title_of(run))
    axes.set_xlabel("model")
    percent_axis(axes.yaxis)
    count_axis(axes.xaxis)
    add_legend(figure)
    return figure


def line_of(parents: np.ndarray, number: int) -> list[int]:
    """An individual and its ancestors, the first one last.

    Args:
      parents: of each, below 0 for nobody.
      number: of the individual.
    """
    found = [number]
    while parents[found[-1]] >= 0:
        found.append(int(parents[found[-1]]))
    return found


@styled
def _plot_family(run: RunRecords) -> Figure:
    """Who came from whom; the ancestors of the best by fitness."""
    figure, (axes,) = make_figure()
    # What was lost has no parent that was told.
    parents = np.full(int(run.evaluations["number"].max()) + 1, -1)
    scores = np.full(len(parents), np.nan)
    numbers = run.evaluations["number"].to_numpy(int)
    parents[numbers] = run.evaluations[_PARENT].fillna(-1).to_numpy(int)
    scores[numbers] = run.evaluations[run.measures].to_numpy()
    children = np.flatnonzero(parents >= 0)
    ends = np.stack([parents[children], children], axis=1)
    lines = np.stack([ends + 1.0, scores[ends]], axis=2)
    axes.add_collection(
        LineCollection(list(lines), colors=PALE, linewidths=0.6)
    )
    axes.scatter(np.arange(len(scores)) + 1, scores, **POINTS, label="a model")
    best = int(np.nanargmax(scores))
    line = line_of(parents, best)
    axes.plot(
        np.array(line) + 1,
        scores[line],
        color=GREEN,
        marker="o",
        ms=3,
        label=f"ancestors of the best, {len(line)} generations",
    )
    axes.set_ylabel(run.measures)
    axes.set_xlabel("model")
    axes.set_title(f"{title_of(run)}: parents and children")
    percent_axis(axes.yaxis)
    count_axis(axes.xaxis)
    add_legend(figure)
    return figure
