"""Drawings of cells."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nascore.drawing.graphs import (
    FONT_SIZE,
    Element,
    draw_graph,
    fill_of,
    lay_out,
)
from nascore.drawing.style import styled
from nascore.spaces.cells import (
    CELL_INPUTS,
    Architecture,
    Cell,
    CellSpace,
)


def operation_label(name: str) -> str:
    """Shortens a name for a drawing: `sep_conv_3x3` to `sep conv 3x3`."""
    return name.replace("_", " ")


def cell_graph(
    cell: Cell, space: CellSpace
) -> tuple[list[Element], list[tuple[int, int]]]:
    """Returns the boxes of a cell and the arrows between their places."""
    boxes = [
        Element("input 0 (k-2)", "input"),
        Element("input 1 (k-1)", "input"),
    ]
    arrows: list[tuple[int, int]] = []
    places = list(range(CELL_INPUTS))
    for number, node in enumerate(cell.nodes):
        first = len(boxes)
        boxes += [
            Element(
                operation_label(name),
                "convolution" if "conv" in name else "operation",
            )
            for name in (space.operations[op] for _, op in node.edges)
        ]
        for offset, (index, _) in enumerate(node.edges):
            arrows.append((places[index], first + offset))
            arrows.append((first + offset, len(boxes)))
        places.append(len(boxes))
        boxes.append(Element(f"+ {number}", "node"))
    arrows += [(places[index], len(boxes)) for index in space.ends(cell)]
    boxes.append(Element("concat", "output"))
    return boxes, arrows


def draw_cell(axes: Axes, cell: Cell, space: CellSpace) -> None:
    """Draws one cell; the axes' units become points."""
    draw_graph(axes, *cell_graph(cell, space))


@styled
def draw_architecture(
    architecture: Architecture, space: CellSpace, title: str = ""
) -> Figure:
    """Draws the cells of an architecture, one below the other."""
    extents = np.array(
        [
            lay_out(*cell_graph(cell, space)).extent
            for cell in architecture.cells
        ]
    )
    width, heights = extents[:, 0].max(), extents[:, 1].tolist()
    figure = Figure(
        figsize=(
            (width + 20) / 72,
            (sum(heights) + 30 * len(heights) + 30) / 72,
        ),
        layout="constrained",
    )
    panels = figure.subplots(
        len(heights), 1, squeeze=False, height_ratios=heights
    )[:, 0]
    for axes, name, cell in zip(
        panels, space.cell_types, architecture.cells, strict=True
    ):
        draw_cell(axes, cell, space)
        axes.set_title(f"{name} cell", fontsize=FONT_SIZE + 1)
    if title:
        figure.suptitle(title, fontsize=FONT_SIZE + 2)
    return figure


def to_dot(architecture: Architecture, space: CellSpace) -> str:
    """The same drawing as text for the graphviz programs."""
    lines = ["digraph architecture {"]
    for name, cell in zip(space.cell_types, architecture.cells, strict=True):
        boxes, arrows = cell_graph(cell, space)
        lines.append(f'  subgraph "cluster_{name}" {{ label="{name} cell";')
        for place, box in enumerate(boxes):
            lines.append(
                f'    {name}_{place} [shape=box, style="rounded,filled", '
                f'fillcolor="{fill_of(box.kind)}", '
                f'label="{box.label}"];'
            )
        lines += [
            f"    {name}_{start} -> {name}_{end};" for start, end in arrows
        ]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def figure_to_rgb(figure: Figure) -> np.ndarray:
    """Renders a figure as uint8 `[height, width, 3]`."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
