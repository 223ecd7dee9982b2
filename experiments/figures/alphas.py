"""What alphas made of a search: the mixture on each edge, by epoch."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from darts.derive import derive, mix
from darts.layout import AlphaLayout
from darts.stops import at_epoch
from experiments.figures.operation_shares import draw_shares
from nascore.drawing.cells import operation_label
from nascore.drawing.style import (
    GREY,
    add_legend,
    count_axis,
    make_figure,
    plain_text,
    styled,
)


def draw(
    table: pd.DataFrame, layout: AlphaLayout, title: str
) -> Iterator[tuple[str, Figure]]:
    """Yields name and figure for each cell.

    Args:
      table: alphas.csv, a row for each epoch, one or more; its columns are
        `epoch` and those of the layout.
      layout: of the alphas.
      title: of the run.
    """
    alphas = layout.from_rows(table.to_dict("records"))
    weights = mix(layout, alphas)
    epochs = table["epoch"].to_numpy() + 1
    derived = derive(layout, at_epoch(alphas, -1))
    of = "operation" if alphas.edges is None else "operation and edge"
    for place, chosen in enumerate(layout.chosen(derived)):
        figure = _plot_cell(weights[:, place], epochs, layout, chosen)
        name = layout.titles[place]
        _write_title(figure, f"{title}: weight of each {of}, {name}")
        yield f"alphas_{layout.cell_types[place]}", figure


@styled
def _plot_cell(
    weights: np.ndarray,
    epochs: np.ndarray,
    layout: AlphaLayout,
    chosen: dict[tuple[int, int], str],
) -> Figure:
    """A panel for each edge: nodes downwards, where it comes from across.

    Args:
      weights: `[epochs, edges, operations]`.
      epochs: from 1.
      layout: of the alphas.
      chosen: operations of the cell that the last epoch's alphas stand for;
        its edges are framed.
    """
    rows, columns = layout.num_nodes, layout.incoming[-1]
    figure, panels = make_figure(
        rows,
        columns,
        width=7.6,
        height=0.8 + 1.35 * rows,
        sharex=True,
        sharey="row",
    )
    for axes in panels:
        axes.set_axis_off()
    for edge, (source, node) in enumerate(layout.edges):
        row = layout.incoming.index(node)
        axes = panels[row * columns + source]
        axes.set_axis_on()
        shares = pd.DataFrame(
            weights[:, edge], index=epochs, columns=list(layout.operations)
        )
        draw_shares(axes, shares)
        taken = chosen.get((source, node))
        _label(axes, layout.tensor_name(source), taken)
        count_axis(axes.xaxis)
        if not source:
            axes.set_ylabel(layout.tensor_name(node))
    for row, parts in enumerate(np.split(weights, layout.starts[1:], axis=1)):
        # Of edges with shares of their own, the largest of the node.
        panels[row * columns].set_ylim(0, parts.sum(axis=-1).max())
    figure.supxlabel("epoch", fontsize=9)
    add_legend(figure, beside=True)
    return figure


@styled
def _write_title(figure: Figure, title: str) -> None:
    figure.suptitle(plain_text(title))


def _label(axes: Axes, source: str, taken: str | None) -> None:
    """Says where an edge comes from and which operation is derived on it."""
    text = "not taken"
    if taken is not None:
        text = operation_label(taken)
        for spine in axes.spines.values():
            spine.set(visible=True, linewidth=1.8)
    axes.set_title(
        f"from {source}\n{text}",
        fontsize=7,
        color=GREY if taken is None else "black",
        fontweight="normal" if taken is None else "bold",
    )
    axes.tick_params(labelsize=7)
