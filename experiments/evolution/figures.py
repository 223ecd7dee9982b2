"""Figures of searches by evolution, as those of RENAS's paper."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.evolution.course import OUTCOMES
from experiments.evolution.tables import EvolutionCourse
from nascore.drawing.style import (
    POINTS,
    add_legend,
    area_looks,
    count_axis,
    make_figure,
    percent_axis,
    styled,
)


def draw(
    courses: Sequence[EvolutionCourse], ends: pd.DataFrame, searched: str
) -> Iterator[tuple[str, Figure, str]]:
    """Yields name, figure and what it shows.

    Args:
      courses: of the methods.
      ends: of `tables.successes`.
      searched: what fitness is, for people.
    """
    if any(course.living is not None for course in courses):
        yield (
            "population",
            _draw_population(courses, searched),
            "Mean fitness of the population after each model, and the "
            "deviation inside it, averaged over runs (the paper's figure 4).",
        )
    yield (
        "children",
        _draw_children(courses, searched),
        "Fitness of each model of the first run, in order (the paper's "
        "figure 5).",
    )
    yield (
        "outcomes",
        _draw_outcomes(ends),
        "How many runs ended well (the paper's figure 6).",
    )


@styled
def _draw_population(
    courses: Sequence[EvolutionCourse], searched: str
) -> Figure:
    figure, (means, spreads) = make_figure(2, 1, height=4.8, sharex=True)
    for course in courses:
        if course.living is None:
            continue
        start = np.flatnonzero(np.arange(course.fitness.shape[1]) >= 19)
        numbers = start + 1
        means.plot(
            numbers, course.living.mean.mean(0)[start], label=course.label
        )
        spreads.plot(
            numbers, course.living.deviation.mean(0)[start], label=course.label
        )
    means.set_ylabel("population mean")
    spreads.set_ylabel("deviation inside")
    means.set_title(f"living individuals\n{searched}")
    spreads.set_xlabel("models")
    for axes in (means, spreads):
        percent_axis(axes.yaxis)
    count_axis(spreads.xaxis)
    add_legend(figure)
    return figure


@styled
def _draw_children(courses: Sequence[EvolutionCourse], searched: str) -> Figure:
    figure, panels = make_figure(
        len(courses),
        1,
        height=1.0 + 1.4 * len(courses),
        sharex=True,
        sharey=True,
    )
    least = min(np.quantile(c.fitness[0], 0.05) for c in courses)
    for axes, course in zip(panels, courses, strict=True):
        numbers = np.arange(1, course.fitness.shape[1] + 1)
        axes.scatter(numbers, course.fitness[0], **POINTS)
        axes.set_ylim(bottom=float(least))
        axes.set_title(course.label)
        percent_axis(axes.yaxis)
    panels[-1].set_xlabel("model")
    figure.suptitle(f"each model of the first run\n{searched}")
    count_axis(panels[-1].xaxis)
    return figure


@styled
def _draw_outcomes(ends: pd.DataFrame) -> Figure:
    figure, (axes,) = make_figure(height=1.2 + 0.35 * len(ends))
    left = np.zeros(len(ends))
    places = np.arange(len(ends))[::-1]
    for name, (color, hatch) in zip(OUTCOMES, area_looks(), strict=False):
        counts = ends[name].to_numpy()
        axes.barh(
            places,
            counts,
            left=left,
            color=color,
            hatch=hatch,
            edgecolor="white",
            label=name,
        )
        left += counts
    axes.set_yticks(places, ends["method"])
    axes.set_xlabel("runs")
    axes.set_title("how searches ended")
    axes.grid(axis="y", visible=False)
    count_axis(axes.xaxis)
    add_legend(figure)
    return figure
