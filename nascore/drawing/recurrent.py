"""Drawings of recurrent cells."""

from matplotlib.figure import Figure

from nascore.drawing.graphs import (
    FONT_SIZE,
    Arrows,
    Element,
    draw_graph,
    lay_out,
)
from nascore.drawing.style import styled
from nascore.spaces.recurrent import RecurrentCell, RecurrentSpace


def cell_graph(
    cell: RecurrentCell, space: RecurrentSpace
) -> tuple[list[Element], Arrows]:
    """Boxes of inputs and nodes, and arrows to what reads them.

    Where the new state is the mean of all nodes, no arrows say so.
    """
    boxes = [Element("token", "input"), Element("last state", "input")]
    places = [cell.first, *(function for _, function in cell.nodes)]
    boxes += [
        Element(f"{node} {space.functions[place]}", "convolution")
        for node, place in enumerate(places)
    ]
    # Node 0 is the third box.
    arrows = [(0, 2), (1, 2)]
    arrows += [
        (source + 2, node + 2) for node, (source, _) in enumerate(cell.nodes, 1)
    ]
    if space.output == "ends":
        boxes.append(Element("mean", "output"))
        end = len(boxes) - 1
        arrows += [(node + 2, end) for node in space.joined(cell)]
    return boxes, arrows


@styled
def draw_cell(
    cell: RecurrentCell, space: RecurrentSpace, title: str = ""
) -> Figure:
    """Draws a cell."""
    boxes, arrows = cell_graph(cell, space)
    width, height = lay_out(boxes, arrows).extent
    figure = Figure(
        figsize=(max(width + 20, 320) / 72, (height + 60) / 72),
        layout="constrained",
    )
    draw_graph(figure.subplots(), boxes, arrows)
    last = f"new state: mean of nodes 1 to {space.num_nodes}"
    if space.output == "ends":
        last = "new state: mean of what no node reads"
    lines = [title] * bool(title) + [last]
    figure.suptitle("\n".join(lines), fontsize=FONT_SIZE + 2)
    return figure
