"""Figures of searches with weights over NAS-Bench-201's cells."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.runs import title_of
from experiments.figures.tabulated import plot_operations
from experiments.support import cell_ranks
from nascore.drawing.bench201 import draw_cell
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
from nascore.runs.reader import RunRecords
from nascore.spaces.bench201 import parse_cell

_LOOKS = ((BLACK, "-"), (BLUE, "--"), (VERMILLION, ":"))


def draw(run: RunRecords, top: int) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      top: how many of the best architectures are drawn.
    """
    # Alphas, where a search has them, say more.
    if not run.child.empty:
        yield "operations", plot_operations(run)
    means = [f"{name}_mean" for name in TRUTH]
    if not run.epochs.empty and set(means) <= set(run.epochs):
        yield "table", _plot_means(run, means)
    ranks = cell_ranks.read(run.path)
    if len(ranks):
        yield "cell_ranks", _plot_ranks(run, ranks)
    for entry in (run.derived or run.best)[:top]:
        title = f"rank {entry['rank']}"
        if run.derived:
            title += (
                f": {entry['validation_accuracy']:.1%} with these weights\n"
                f"{entry['table_cifar10']:.2%} in the table (CIFAR-10, test)"
            )
        cell = parse_cell(entry["architecture"])
        yield f"best_cell_{entry['rank']}", draw_cell(cell, title)


@styled
def _plot_means(run: RunRecords, names: list[str]) -> Figure:
    """What the table has of the sampled cells, by epoch."""
    figure, (axes,) = make_figure()
    for name, column, (color, line) in zip(
        names, TRUTH.values(), _LOOKS, strict=True
    ):
        axes.plot(
            run.epochs["epoch"] + 1,
            run.epochs[name],
            color=color,
            linestyle=line,
            label=column.dataset,
        )
    axes.set_ylabel("sampled cells in the table,\nmean test accuracy")
    axes.set_xlabel("epoch")
    axes.set_title(title_of(run))
    count_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    add_legend(figure)
    return figure


@styled
def _plot_ranks(run: RunRecords, table: pd.DataFrame) -> Figure:
    """How cells rank with these weights and in the table."""
    figure, (axes,) = make_figure()
    name, column = next(iter(TRUTH.items()))
    taus = cell_ranks.taus(table)
    axes.scatter(
        # Of equal ones the mean rank.
        table[name].rank(),
        table[cell_ranks.ACCURACY].rank(),
        color=BLUE,
        s=8,
        label=f"one of {len(table):,} cells",
    )
    axes.set_title(
        f"{title_of(run)}: Kendall's tau "
        f"{taus.loc[cell_ranks.WEIGHTS, name]:+.2f}"
    )
    axes.set_xlabel(
        f"rank by the table's test accuracy, {column.dataset} (1: worst)"
    )
    axes.set_ylabel("rank by the validation accuracy\nwith these weights")
    count_axis(axes.xaxis)
    count_axis(axes.yaxis)
    add_legend(figure)
    return figure
