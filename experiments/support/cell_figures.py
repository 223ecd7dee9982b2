"""The figures of a search of cells: operations, and the best cells."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.support.run_figures import make_figure, title_of
from nascore.drawing.cells import draw_architecture, operation_label
from nascore.runs.reader import RunRecords

_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "+++", "**", "--")


def draw(run: RunRecords, top: int) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure.

    Args:
      run: with at least one evaluation.
      top: how many of the best architectures are drawn.
    """
    yield "operations", _plot_operations(run)
    ranking = run.derived or run.best
    for entry in ranking[:top]:
        if run.derived:
            measured = (
                f"{entry['validation_accuracy']:.1%} of the validation set"
            )
        else:
            measured = f"{entry['accuracy']:.1%} of one validation batch"
        title = f"rank {entry['rank']}: {measured}, shared weights"
        architecture = run.cells.parse(entry["architecture"])
        yield (
            f"best_cell_{entry['rank']}",
            draw_architecture(architecture, run.cells, title),
        )


def _plot_operations(run: RunRecords) -> Figure:
    """The share of each operation, by epoch and cell type."""
    space = run.cells
    figure, panels = make_figure(len(space.cell_types))
    epochs = np.unique(run.evaluations["epoch"])
    for axes, name in zip(panels, space.cell_types, strict=True):
        shares = []
        for epoch in epochs:
            texts = run.evaluations.loc[
                run.evaluations["epoch"] == epoch, f"{name}_cell"
            ]
            ops = np.array([text.split()[1::2] for text in texts], int)
            counts = np.bincount(ops.ravel(), minlength=len(space.operations))
            shares.append(counts / counts.sum())
        bottom = np.zeros(len(epochs))
        shades = np.linspace(0.25, 0.95, len(space.operations))
        for place, operation in enumerate(space.operations):
            share = np.array([row[place] for row in shares])
            axes.bar(
                epochs + 1,
                share,
                bottom=bottom,
                width=1.0,
                color=str(shades[place]),
                hatch=_HATCHES[place % len(_HATCHES)],
                edgecolor="black",
                linewidth=0.2,
                label=operation_label(operation),
            )
            bottom += share
        axes.set_ylim(0, 1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(f"share, {name} cell")
        axes.grid(False)
    panels[0].set_title(f"{title_of(run)}: operations", fontsize=10)
    panels[0].legend(
        fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False
    )
    panels[-1].set_xlabel("epoch")
    return figure
