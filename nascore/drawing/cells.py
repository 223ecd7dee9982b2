"""Drawings of cells in the manner of graphviz, without its program.

grandalf computes the layered (Sugiyama) layout, matplotlib draws it.
"""

import dataclasses
from typing import Any

import matplotlib.patches as patches
import numpy as np
from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path

from nascore.errors import printable
from nascore.spaces.cells import (
    CELL_INPUTS,
    Architecture,
    Cell,
    CellSpace,
)

_BOX_HEIGHT = 20.0
_FONT_SIZE = 8
# Points for each character of a label, and around it.
_CHARACTER = 5.2
_MARGIN = 12.0


@dataclasses.dataclass(frozen=True)
class Element:
    """A box of the drawing.

    Attributes:
      label: its text.
      kind: `input`, `operation`, `node` or `output`.
    """

    label: str
    kind: str


# Fill, border style and hatch tell the kinds apart in gray print, too.
_LOOKS: dict[str, dict[str, Any]] = {
    "input": {"facecolor": "#d9ead3", "linestyle": "-"},
    "convolution": {"facecolor": "#a6cee3", "linestyle": "-"},
    "operation": {"facecolor": "#ffffff", "linestyle": "--"},
    "node": {"facecolor": "#fff2cc", "linestyle": "-"},
    "output": {"facecolor": "#d9d9d9", "linestyle": "-"},
}


def plain_text(text: str, most: int = 80) -> str:
    """Text of a file for a figure, where `$` would begin a formula.

    Args:
      text: the text.
      most: letters that there is room for.
    """
    text = printable(text)
    if len(text) > most:
        text = f"{text[:most]}..."
    return text.replace("$", r"\$")


def operation_label(name: str) -> str:
    """Shortens a name for a drawing: `sep_conv_3x3` to `sep conv 3x3`."""
    return name.replace("_", " ")


def cell_graph(
    cell: Cell, operations: tuple[str, ...]
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
                operation_label(operations[op]),
                "convolution" if "conv" in operations[op] else "operation",
            )
            for _, op in node.edges
        ]
        for offset, (index, _) in enumerate(node.edges):
            arrows.append((places[index], first + offset))
            arrows.append((first + offset, len(boxes)))
        places.append(len(boxes))
        boxes.append(Element(f"+ {number}", "node"))
    arrows += [(places[index], len(boxes)) for index in cell.loose_ends]
    boxes.append(Element("concat", "output"))
    return boxes, arrows


class _View:
    """What grandalf needs to know of a box: its size; it sets `xy`."""

    def __init__(self, width: float, height: float) -> None:
        self.w = width
        self.h = height
        self.xy = (0.0, 0.0)


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where everything goes, in points, y upwards.

    Attributes:
      centres: `[boxes, 2]`.
      sizes: `[boxes, 2]`, width and height.
      routes: for each arrow the points it passes, `[points, 2]`.
    """

    centres: np.ndarray
    sizes: np.ndarray
    routes: list[np.ndarray]


def lay_out(boxes: list[Element], arrows: list[tuple[int, int]]) -> Layout:
    """Computes a layered layout with few crossings, inputs at the top."""
    vertices = [Vertex(box) for box in boxes]
    for vertex, box in zip(vertices, boxes, strict=True):
        width = _CHARACTER * len(box.label) + _MARGIN
        vertex.view = _View(width, _BOX_HEIGHT)
    edges = []
    for start, end in arrows:
        edge = Edge(vertices[start], vertices[end])
        edge.view = _Route()
        edges.append(edge)
    graph = Graph(vertices, edges)
    right = 0.0
    for component in graph.C:
        layout = SugiyamaLayout(component)
        layout.xspace, layout.yspace = 14.0, 22.0
        roots = [v for v in component.sV if not v.e_in()]
        layout.init_all(roots=roots, optimize=True)
        layout.route_edge = _note_route
        layout.draw(12)
        # An input that nothing uses stands beside the rest.
        xs = [v.view.xy[0] - v.view.w / 2 for v in component.sV]
        shift = right - min(xs)
        for vertex in component.sV:
            x, y = vertex.view.xy
            vertex.view.xy = (x + shift, y)
            right = max(right, x + shift + vertex.view.w / 2 + 20)
        for edge in component.sE:
            edge.view.points = [(x + shift, y) for x, y in edge.view.points]
    flip = np.array([1.0, -1.0])
    return Layout(
        np.array([v.view.xy for v in vertices]) * flip,
        np.array([(v.view.w, v.view.h) for v in vertices]),
        [np.array(edge.view.points) * flip for edge in edges],
    )


class _Route:
    """grandalf calls `setpath` with the points an arrow passes."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []

    def setpath(self, points: list[tuple[float, float]]) -> None:
        self.points = list(points)


def _note_route(edge: Edge, points: list[tuple[float, float]]) -> None:
    edge.view.points = list(points)


def _arrow_path(route: np.ndarray, sizes: np.ndarray) -> Path:
    """A smooth curve through a route, from border to border.

    Args:
      route: `[points, 2]`, from the centre of a box to that of another.
      sizes: `[2, 2]`, width and height of both boxes.
    """
    points = route.copy()
    points[0, 1] -= sizes[0, 1] / 2
    points[-1, 1] += sizes[1, 1] / 2
    vertices, codes = [points[0]], [Path.MOVETO]
    for start, end in zip(points[:-1], points[1:], strict=True):
        # Vertical tangents keep the curve between its two layers.
        middle = (start[1] + end[1]) / 2
        vertices += [(start[0], middle), (end[0], middle), end]
        codes += [Path.CURVE4] * 3
    return Path(np.array(vertices), codes)


def draw_cell(axes: Axes, cell: Cell, operations: tuple[str, ...]) -> None:
    """Draws one cell; the axes' units become points."""
    draw_graph(axes, *cell_graph(cell, operations))


def draw_graph(
    axes: Axes, boxes: list[Element], arrows: list[tuple[int, int]]
) -> None:
    """Draws boxes and arrows; the axes' units become points."""
    layout = lay_out(boxes, arrows)
    for (start, end), route in zip(arrows, layout.routes, strict=True):
        axes.add_patch(
            patches.FancyArrowPatch(
                path=_arrow_path(route, layout.sizes[[start, end]]),
                arrowstyle="-|>",
                mutation_scale=7,
                linewidth=0.8,
                color="#333333",
            )
        )
    for box, centre, size in zip(
        boxes, layout.centres, layout.sizes, strict=True
    ):
        axes.add_patch(
            patches.FancyBboxPatch(
                (centre[0] - size[0] / 2, centre[1] - size[1] / 2),
                size[0],
                size[1],
                boxstyle="round,pad=0,rounding_size=5",
                edgecolor="#333333",
                linewidth=0.9,
                **_LOOKS[box.kind],
            )
        )
        axes.text(
            centre[0],
            centre[1],
            box.label,
            ha="center",
            va="center",
            fontsize=_FONT_SIZE,
        )
    low = (layout.centres - layout.sizes / 2).min(0) - 4
    high = (layout.centres + layout.sizes / 2).max(0) + 4
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.axis("off")


def draw_architecture(
    architecture: Architecture, space: CellSpace, title: str = ""
) -> Figure:
    """Draws the cells of an architecture, one below the other."""
    extents = []
    for cell in architecture.cells:
        layout = lay_out(*cell_graph(cell, space.operations))
        low = (layout.centres - layout.sizes / 2).min(0)
        extents.append((layout.centres + layout.sizes / 2).max(0) - low)
    width = max(extent[0] for extent in extents)
    heights = [extent[1] for extent in extents]
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
        draw_cell(axes, cell, space.operations)
        axes.set_title(f"{name} cell", fontsize=_FONT_SIZE + 1)
    if title:
        figure.suptitle(title, fontsize=_FONT_SIZE + 2)
    return figure


def to_dot(architecture: Architecture, space: CellSpace) -> str:
    """The same drawing as text for the graphviz programs."""
    lines = ["digraph architecture {"]
    for name, cell in zip(space.cell_types, architecture.cells, strict=True):
        boxes, arrows = cell_graph(cell, space.operations)
        lines.append(f'  subgraph "cluster_{name}" {{ label="{name} cell";')
        for place, box in enumerate(boxes):
            lines.append(
                f'    {name}_{place} [shape=box, style="rounded,filled", '
                f'fillcolor="{_LOOKS[box.kind]["facecolor"]}", '
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
