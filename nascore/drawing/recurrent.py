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
    """Boxes of inputs and nodes, and arrows; the mean comes last."""
    boxes = [Element("token", "input"), Element("last state", "input")]
    places = [cell.first, *(function for _, function in cell.nodes)]
    boxes += [
        Element(f"{node} {space.functions[place]}", _KINDS[place % 2])
        for node, place in enumerate(places)
    ]
    # Node 0 is the third box.
    arrows = [(0, 2), (1, 2)]
    arrows += [
        (source + 2, node + 2) for node, (source, _) in enumerate(cell.nodes, 1)
    ]
    boxes.append(Element("mean: new state", "output"))
    arrows += [(node + 2, len(boxes) - 1) for node in space.joined(cell)]
    return boxes, arrows


# Neighbours in the list of functions look different.
_KINDS = ("convolution", "operation")


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
    if title:
        figure.suptitle(title, fontsize=FONT_SIZE + 2)
    return figure
