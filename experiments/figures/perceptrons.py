"""The figures that only a search of perceptrons has."""

import pandas as pd
from matplotlib.figure import Figure

from nascore.drawing.style import (
    BLACK,
    BLUE,
    POINTS,
    SKY,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    styled,
)


@styled
def plot_curve(candidates: pd.DataFrame, name: str) -> Figure:
    """Scores of all candidates; their mean and the best, by epoch."""
    figure, (axes,) = make_figure()
    epochs = candidates["epoch"] + 1
    scores = candidates["score"]
    axes.scatter(epochs, scores, **{**POINTS, "s": 8}, label="an architecture")
    means = scores.groupby(epochs).mean()
    axes.plot(means, color=BLUE, marker="o", ms=3, label="mean")
    best = scores.groupby(epochs).max().cummax()
    axes.plot(
        best,
        color=VERMILLION,
        linestyle="--",
        marker="D",
        ms=3,
        label="best so far",
    )
    axes.set_xlabel("epoch of the controller")
    axes.set_ylabel("score (validation)")
    axes.set_title(name)
    count_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    add_legend(figure)
    return figure


@styled
def plot_predictor(candidates: pd.DataFrame, name: str) -> Figure:
    """Predicted before training against measured, from the second epoch."""
    figure, (axes,) = make_figure()
    later = candidates[candidates["epoch"] > 0]
    points = axes.scatter(
        later["predicted"],
        later["score"],
        s=12,
        c=later["epoch"] + 1,
        cmap="cividis",
        label="an architecture",
    )
    bar = figure.colorbar(points, label="epoch")
    count_axis(bar.ax.yaxis)
    axes.axline(
        (0.5, 0.5), slope=1, color=BLACK, linestyle=":", label="as predicted"
    )
    axes.set_xlabel("score predicted before training")
    axes.set_ylabel("measured score")
    axes.set_title(f"{name}: predictor")
    for axis in (axes.xaxis, axes.yaxis):
        percent_axis(axis)
    add_legend(figure)
    return figure


@styled
def plot_bars(rows: list[tuple[str, float, float]], name: str) -> Figure:
    """Accuracies of the found network and of its competitors."""
    figure, (axes,) = make_figure(height=1.5 + 0.45 * len(rows))
    for place, (_, validation, test) in enumerate(rows):
        for shift, value, color, hatch, label in (
            (-0.2, validation, SKY, "", "validation"),
            (0.2, test, BLUE, "///", "test"),
        ):
            bars = axes.barh(
                place + shift,
                value,
                0.38,
                color=color,
                hatch=hatch,
                edgecolor="white",
                label=label if place == 0 else None,
            )
            axes.bar_label(bars, [f"{value:.1%}"], padding=2, fontsize=8)
    axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
    axes.invert_yaxis()
    # There is room for a number beside a full bar, and no tick above 100%.
    axes.set_xlim(0, 1.15)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.grid(False, axis="y")
    percent_axis(axes.xaxis)
    axes.set_xlabel("accuracy")
    axes.set_title(name)
    add_legend(figure)
    return figure
