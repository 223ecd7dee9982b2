"""The figures of any search, from the tables that it has."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.comparison.methods import look_of, method_of
from nascore.drawing.style import (
    BLACK,
    BLUE,
    PALE,
    POINTS,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    plain_text,
    styled,
)
from nascore.runs.reader import RunRecords
from nascore.spaces.recurrent import RecurrentSpace
from nascore.stats import moving_average


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


def title_of(run: RunRecords) -> str:
    """Method, data set and seed."""
    config = run.settings.get("config", {})
    return plain_text(
        f"{look_of(method_of(run.settings)).title} on "
        f"{config.get('dataset', '?')}, seed {config.get('seed', '?')}"
    )


def _is_shared(run: RunRecords) -> bool:
    return not run.child.empty


def _is_of_text(run: RunRecords) -> bool:
    """Whether what is measured is no share of 1 but 80 / perplexity."""
    return isinstance(run.space, RecurrentSpace)


def _show(run: RunRecords, score: float) -> str:
    return f"{score:.3f}" if _is_of_text(run) else f"{score:.1%}"


def _score_axis(run: RunRecords, axes: Axes) -> None:
    if not _is_of_text(run):
        percent_axis(axes.yaxis)


def _label(run: RunRecords) -> str:
    """What is measured."""
    if _is_of_text(run):
        return "80 / perplexity (shared weights)"
    return f"{run.measures}{' (shared weights)' if _is_shared(run) else ''}"


def _numbers(values: np.ndarray | pd.Series) -> np.ndarray:
    """Counts from 1, `[n]`."""
    return np.arange(1, len(values) + 1)


def _draw_points(
    axes: Axes, values: np.ndarray, window: int, label: str
) -> None:
    """Each value, and the mean of the last ones."""
    numbers = _numbers(values)
    axes.scatter(numbers, values, **POINTS, label=label)
    axes.plot(
        numbers,
        moving_average(values, window),
        color=BLUE,
        label=f"mean of the last {window}",
    )


def _finish(run: RunRecords, figure: Figure, axes: Axes, across: str) -> Figure:
    """Title, the axis across and the legend."""
    figure.axes[0].set_title(title_of(run))
    axes.set_xlabel(across)
    count_axis(axes.xaxis)
    add_legend(figure)
    return figure


@styled
def _plot_scores(run: RunRecords, window: int) -> Figure:
    """Every evaluated architecture, after figures 6-8 of I-ENAS."""
    figure, (axes,) = make_figure()
    values = run.evaluations[run.measures].to_numpy()
    points = "an architecture" + ", on one batch" * _is_shared(run)
    _draw_points(axes, values, window, points)
    first = int(np.nanargmax(values))
    axes.plot(
        first + 1,
        values[first],
        marker="D",
        color=VERMILLION,
        markeredgecolor="black",
        linestyle="none",
        label=f"first maximum, {_show(run, values[first])} at {first + 1:,}",
    )
    axes.set_ylabel(_label(run))
    _score_axis(run, axes)
    return _finish(run, figure, axes, "evaluated architecture")


@styled
def _plot_reward(run: RunRecords, window: int) -> Figure:
    figure, (axes,) = make_figure()
    values = run.evaluations["reward"].to_numpy()
    _draw_points(axes, values, window, "reward of an architecture")
    # Random search has none.
    if "baseline" in run.evaluations:
        axes.plot(
            _numbers(values),
            run.evaluations["baseline"].to_numpy(),
            color=VERMILLION,
            linestyle="--",
            label="baseline",
        )
    axes.set_ylabel("reward")
    return _finish(run, figure, axes, "evaluated architecture")


@styled
def _plot_entropy(run: RunRecords) -> Figure:
    figure, (axes,) = make_figure()
    values = run.evaluations["entropy"].to_numpy()
    axes.plot(
        _numbers(values),
        values,
        color=BLUE,
        linewidth=1,
        label="along an architecture",
    )
    axes.axhline(
        math.log(run.space.size()),
        color=BLACK,
        linestyle=":",
        label="uniform policy",
    )
    axes.set_ylabel("entropy of the policy (nats)")
    return _finish(run, figure, axes, "evaluated architecture")


@styled
def _plot_child(run: RunRecords, window: int) -> Figure:
    figure, panels = make_figure(
        3, height=5.6, sharex=True, height_ratios=[3, 3, 2]
    )
    loss, second, rate = panels
    measured = "perplexity" if _is_of_text(run) else "accuracy"
    for axes, column in ((loss, "loss"), (second, measured)):
        values = run.child[column].to_numpy()
        _draw_points(axes, values, window, "one training batch")
    rates = run.child["learning_rate"]
    rate.plot(_numbers(rates), rates, color=BLACK)
    loss.set_ylabel("loss (nats)")
    second.set_ylabel(f"training {measured}")
    rate.set_ylabel("learning rate")
    if _is_of_text(run):
        second.set_yscale("log")
    else:
        percent_axis(second.yaxis)
    _finish(run, figure, rate, "training step")
    loss.set_title(f"{title_of(run)}: shared weights")
    return figure


@styled
def _plot_epochs(run: RunRecords) -> Figure:
    figure, (axes,) = make_figure()
    table = run.epochs
    epochs = table["epoch"] + 1
    mean = table[f"{run.measures}_mean"]
    if f"{run.measures}_std" in table:
        std = table[f"{run.measures}_std"]
        band = mean - std, mean + std
        if not _is_of_text(run) and mean.between(0, 1).all():
            # What is an accuracy is not above 100%, nor its band.
            band = band[0].clip(0, 1), band[1].clip(0, 1)
        axes.fill_between(
            epochs,
            *band,
            color=PALE,
            # A single epoch has a band without width.
            lw=1,
            label="± standard deviation",
        )
    axes.plot(
        epochs, mean, color=BLACK, marker="o", ms=3, label="sampled, mean"
    )
    for column, label, color, line, marker in (
        ("validation_accuracy", "validation set", BLUE, "--", "s"),
        ("validation_score", "validation text", BLUE, "--", "s"),
        ("search_test_accuracy", "search-test set", VERMILLION, ":", "^"),
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
    axes.set_ylabel(_label(run))
    _score_axis(run, axes)
    _finish(run, figure, axes, "epoch")
    what = "perplexity" if _is_of_text(run) else "accuracy"
    remark = f": not the final {what}" if _is_shared(run) else ""
    axes.set_title(f"{title_of(run)}{remark}")
    return figure
