"""The figure of paired differences, with their intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.comparison.measures import METRICS, describe_metric
from experiments.comparison.methods import Look, look_of
from experiments.reports.scores import ScoreKind
from nascore.drawing.style import make_figure, plain_text, styled


@styled
def plot_differences(
    differences: pd.DataFrame, dataset: str, kind: ScoreKind
) -> Figure:
    """A forest: one panel for each pair of methods, one line a metric."""
    part = differences[differences["dataset"] == dataset]
    pairs = list(part.groupby(["first", "second"], sort=False))
    metrics = [name for name in METRICS if name in set(part["metric"])]
    count = max(1, len(pairs))
    figure, panels = make_figure(
        1,
        count,
        width=2.4 + 1.7 * count,
        height=1.1 + 0.46 * len(metrics),
        sharex=True,
        sharey=True,
    )
    for axes, ((first, second), group) in zip(panels, pairs, strict=False):
        lines = group.set_index("metric").reindex(metrics)
        draw_forest(axes, lines, look_of(first))
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(
            f"{plain_text(look_of(first).title)}\n{kind.minus} "
            f"{plain_text(look_of(second).title)}",
            fontsize=8,
        )
    # All panels share it.
    panels[0].xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes = panels[0]
    axes.set_yticks(range(len(metrics)))
    axes.set_yticklabels(
        [_wrap(describe_metric(name, kind.name)) for name in metrics]
    )
    # Room above the first line for its p.
    axes.set_ylim(max(len(metrics), 1) - 0.6, -0.75)
    figure.supxlabel(kind.difference, fontsize=9)
    return figure


def draw_forest(
    axes: Axes, lines: pd.DataFrame, look: Look, scale: float = 100.0
) -> None:
    """Intervals, marks and p-values below each other.

    Args:
      axes: where.
      lines: a row each, with `mean`, `low`, `high` and `p_value`.
      look: of the marks.
      scale: what makes percentage points of the numbers.
    """
    places = np.arange(len(lines))
    axes.axvline(0, color="black", linewidth=0.8)
    axes.hlines(
        places,
        scale * lines["low"],
        scale * lines["high"],
        color="#333333",
        linewidth=1.6,
    )
    axes.plot(
        scale * lines["mean"].to_numpy(),
        places,
        marker=look.marker,
        linestyle="none",
        color=look.color,
        markeredgecolor="black",
        markeredgewidth=0.6,
        markersize=6,
    )
    for place, p_value in zip(places, lines["p_value"], strict=True):
        if not np.isnan(p_value):
            axes.annotate(
                f"p {p_value:.2g}",
                (1, place - 0.3),
                xycoords=("axes fraction", "data"),
                ha="right",
                va="center",
                fontsize=7,
            )


def _wrap(text: str) -> str:
    """Breaks a long label in two at a comma or in the middle."""
    if len(text) < 30:
        return text
    words = text.split()
    half = len(words) // 2 + len(words) % 2
    return f"{' '.join(words[:half])}\n{' '.join(words[half:])}"
