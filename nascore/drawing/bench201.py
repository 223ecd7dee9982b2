"""Drawings of cells of NAS-Bench-201."""

from matplotlib.figure import Figure

from nascore.drawing.cells import operation_label
from nascore.drawing.graphs import (
    FONT_SIZE,
    Arrows,
    Element,
    draw_graph,
    lay_out,
)
from nascore.drawing.style import styled
from nascore.spaces.bench201 import EDGES, NODES, Bench201Cell


def cell_graph(cell: Bench201Cell) -> tuple[list[Element], Arrows]:
    """Boxes of nodes and operations, and arrows; edges `none` are not there."""
    boxes = [Element("input", "input")]
    boxes += [Element(f"+ {node}", "node") for node in range(1, NODES - 1)]
    boxes.append(Element("+ output", "output"))
    arrows: list[tuple[int, int]] = []
    for name, (start, end) in zip(cell.names, EDGES, strict=True):
        if name == "none":
            continue
        kind = "convolution" if "conv" in name else "operation"
        arrows += [(start, len(boxes)), (len(boxes), end)]
        boxes.append(Element(operation_label(name), kind))
    return boxes, arrows


@styled
def draw_cell(cell: Bench201Cell, title: str = "") -> Figure:
    """Draws a cell."""
    boxes, arrows = cell_graph(cell)
    width, height = lay_out(boxes, arrows).extent
    figure = Figure(
        figsize=(max(width + 20, 260) / 72, (height + 60) / 72),
        layout="constrained",
    )
    draw_graph(figure.subplots(), boxes, arrows)
    if title:
        figure.suptitle(title, fontsize=FONT_SIZE + 2)
    return figure
