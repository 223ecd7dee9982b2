"""The figures of a differentiable search: alphas, skips, training."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darts.layout import AlphaLayout
from darts.layout201 import Bench201Layout
from darts.recurrent.layout import RecurrentLayout
from experiments.figures import alphas, recurrent
from experiments.figures.runs import title_of
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
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.networks.config import NONE, MixedSupernetConfig
from nascore.runs.reader import RunRecords
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.recurrent import RecurrentSpace
from nascore.stats import moving_average

MIXTURE = "mixture.csv"


def layout_of(run: RunRecords) -> AlphaLayout | None:
    """That of a run's alphas; None where it has none."""
    if not (run.path / MIXTURE).exists():
        return None
    if isinstance(run.space, Bench201Space):
        return Bench201Layout()
    if isinstance(run.space, RecurrentSpace):
        names = (NONE, *run.space.functions)
        return RecurrentLayout(names, run.space.num_nodes)
    config = run.settings["config"]
    network = MixedSupernetConfig(
        operations=config["operations"], num_nodes=config["num_nodes"]
    )
    return AlphaLayout(network.names, network.num_nodes)


def draw(
    run: RunRecords, layout: AlphaLayout, window: int
) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: of one epoch or more.
      layout: of its alphas.
      window: points that the moving averages span.
    """
    table = run.evaluations
    yield from alphas.draw(table, layout, title_of(run))
    steps = pd.read_csv(run.path / MIXTURE)
    if isinstance(run.space, RecurrentSpace):
        yield "mixture", recurrent.plot_training(run, steps, window)
        return
    yield "skips", _plot_skips(run, table, layout)
    yield "mixture", _plot_training(run, steps, window)


@styled
def _plot_skips(
    run: RunRecords, table: pd.DataFrame, layout: AlphaLayout
) -> Figure:
    """What tells that skips take over: their number beside accuracies."""
    measured = not table["eigenvalue"].isna().all()
    tabulated = [name for name in TRUTH if name in table]
    count = 2 + measured + bool(tabulated)
    figure, panels = make_figure(count, height=2.0 * count + 0.6, sharex=True)
    epochs = table["epoch"] + 1
    for name, title, color in zip(
        layout.cell_types, layout.titles, (BLUE, VERMILLION), strict=False
    ):
        panels[0].step(
            epochs,
            table[f"skips_{name}"],
            where="mid",
            color=color,
            label=title,
        )
    most = layout.derived_edges
    panels[0].set_ylim(-0.3, most + 0.3)
    panels[0].set_ylabel(f"skips of {most} edges")
    if len(layout.titles) > 1:
        add_legend(figure)
    panels[0].set_title(f"{title_of(run)}: derived cells")
    for column, color, label in (
        ("mixture_accuracy", BLUE, "the mixture"),
        ("accuracy", VERMILLION, "the derived cell, same weights"),
    ):
        panels[1].plot(epochs, table[column], color=color, label=label)
    panels[1].legend(loc="best")
    panels[1].set_ylabel("validation accuracy")
    percent_axis(panels[1].yaxis)
    left = list(panels[2:])
    if tabulated:
        _draw_truth(left.pop(0), table, tabulated)
    if measured:
        left[0].plot(epochs, table["eigenvalue"], color=BLUE)
        left[0].set_ylabel("largest eigenvalue")
    panels[-1].set_xlabel("epoch")
    count_axis(panels[-1].xaxis)
    return figure


def _draw_truth(axes: Axes, table: pd.DataFrame, names: list[str]) -> None:
    """What the table has of the derived cell."""
    for name, color, line in zip(
        names, (BLACK, BLUE, VERMILLION), ("-", "--", ":"), strict=False
    ):
        axes.plot(
            table["epoch"] + 1,
            table[name],
            color=color,
            linestyle=line,
            label=TRUTH[name].dataset,
        )
    axes.legend(loc="best")
    axes.set_ylabel("the derived cell\nin the table, test")
    percent_axis(axes.yaxis)


@styled
def _plot_training(run: RunRecords, table: pd.DataFrame, window: int) -> Figure:
    """Losses of both halves of the data."""
    figure, (axes,) = make_figure()
    numbers = range(1, len(table) + 1)
    for column, color, label in (
        ("loss", BLUE, "weights' batches"),
        ("alpha_loss", VERMILLION, "alphas' batches"),
    ):
        axes.plot(
            numbers,
            moving_average(table[column].to_numpy(), window),
            color=color,
            label=f"{label}, mean of the last {window}",
        )
    axes.set_title(title_of(run))
    axes.set_xlabel("step")
    axes.set_ylabel("cross entropy, nats")
    count_axis(axes.xaxis)
    add_legend(figure)
    return figure
