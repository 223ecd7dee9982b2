"""The figures of any search, from the tables that it has."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nascore.drawing.cells import plain_text
from nascore.runs.reader import RunRecords
from nascore.stats import moving_average

# Readable in gray: points light, lines dark, styles different.
_POINTS: dict[str, Any] = {"s": 5, "color": "#9a9a9a", "linewidths": 0}
_DARK = "#1b4f8f"
_ORANGE = "#d95f02"


def draw(run: RunRecords, window: int) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      window: points that the moving averages span.
    """
    yield run.measures, _plot_scores(run, window)
    # Random search of perceptrons has none.
    if "reward" in run.evaluations:
        yield "reward", _plot_reward(run, window)
    if "entropy" in run.evaluations:
        yield "entropy", _plot_entropy(run)
    if not run.child.empty:
        yield "child", _plot_child(run, window)
    if not run.epochs.empty:
        yield "epochs", _plot_epochs(run)


def make_figure(rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure that stays readable 8 cm wide."""
    figure = Figure(figsize=(5.2, 3.2 * rows), layout="constrained")
    panels = list(figure.subplots(rows, 1, squeeze=False)[:, 0])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, panels


def title_of(run: RunRecords) -> str:
    """Method, data set and seed."""
    config = run.settings.get("config", {})
    return plain_text(
        f"{run.settings.get('method', 'search')} on "
        f"{config.get('dataset', '?')}, seed {config.get('seed', '?')}"
    )


def _is_shared(run: RunRecords) -> bool:
    return not run.child.empty


def _label(run: RunRecords) -> str:
    """What is measured."""
    return f"{run.measures}{' (shared weights)' if _is_shared(run) else ''}"


def _plot_scores(run: RunRecords, window: int) -> Figure:
    """Every evaluated architecture, after figures 6-8 of I-ENAS."""
    figure, (axes,) = make_figure()
    values = run.evaluations[run.measures].to_numpy()
    points = "one batch" if _is_shared(run) else "an architecture"
    axes.scatter(np.arange(len(values)), values, **_POINTS, label=points)
    axes.plot(
        moving_average(values, window),
        color=_DARK,
        label=f"mean of the last {window}",
    )
    first = int(np.nanargmax(values))
    axes.plot(
        first,
        values[first],
        marker="D",
        color=_ORANGE,
        markeredgecolor="black",
        linestyle="none",
        label=f"first maximum, {values[first]:.1%}",
    )
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel(_label(run))
    axes.set_title(title_of(run), fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _plot_reward(run: RunRecords, window: int) -> Figure:
    figure, (axes,) = make_figure()
    values = run.evaluations["reward"].to_numpy()
    axes.scatter(np.arange(len(values)), values, **_POINTS, label="reward")
    axes.plot(
        moving_average(values, window),
        color=_DARK,
        label=f"mean of the last {window}",
    )
    # Random search has none.
    if "baseline" in run.evaluations:
        axes.plot(
            run.evaluations["baseline"].to_numpy(),
            color=_ORANGE,
            linestyle="--",
            label="baseline",
        )
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel("reward")
    axes.set_title(title_of(run), fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _plot_entropy(run: RunRecords) -> Figure:
    figure, (axes,) = make_figure()
    axes.plot(run.evaluations["entropy"].to_numpy(), color=_DARK, linewidth=1)
    axes.axhline(
        math.log(run.space.size()),
        color="black",
        linestyle=":",
        label="uniform policy",
    )
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel("entropy of the policy (nats)")
    axes.set_title(title_of(run), fontsize=10)
    axes.legend(fontsize=8)
    return figure


def _plot_child(run: RunRecords, window: int) -> Figure:
    figure, panels = make_figure(3)
    for axes, column, label in zip(
        panels,
        ("loss", "accuracy", "learning_rate"),
        ("loss (nats)", "training batch accuracy", "learning rate"),
        strict=True,
    ):
        values = run.child[column].to_numpy()
        if column == "learning_rate":
            axes.plot(values, color=_DARK)
        else:
            axes.scatter(np.arange(len(values)), values, **_POINTS)
            axes.plot(moving_average(values, window), color=_DARK)
        axes.set_ylabel(label)
    panels[0].set_title(f"{title_of(run)}: shared weights", fontsize=10)
    panels[-1].set_xlabel("training step")
    return figure


def _plot_epochs(run: RunRecords) -> Figure:
    figure, (axes,) = make_figure()
    table = run.epochs
    epochs = table["epoch"] + 1
    mean = table[f"{run.measures}_mean"]
    if f"{run.measures}_std" in table:
        std = table[f"{run.measures}_std"]
        axes.fill_between(
            epochs,
            mean - std,
            mean + std,
            color="#dddddd",
            label="+- deviation",
        )
    axes.plot(
        epochs, mean, color="black", marker="o", ms=3, label="sampled, mean"
    )
    for column, label, color, line, marker in (
        ("validation_accuracy", "validation set", _DARK, "--", "s"),
        ("search_test_accuracy", "search-test set", _ORANGE, ":", "^"),
    ):
        if column in table:
            axes.plot(
                epochs,
                table[column],
                color=color,
                linestyle=line,
                marker=marker,
                ms=3,
                label=label,
            )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(_label(run))
    remark = ": not the final accuracy" if _is_shared(run) else ""
    axes.set_title(f"{title_of(run)}{remark}", fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure
