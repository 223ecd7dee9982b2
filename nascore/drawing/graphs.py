"""Drawings of boxes and arrows in the manner of graphviz, without its program.

fast-sugiyama computes the layered layout, matplotlib draws it.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from fast_sugiyama import from_edges
from matplotlib import patches
from matplotlib.axes import Axes
from matplotlib.path import Path

FONT_SIZE = 8
_BOX_HEIGHT = 20.0
# Points for each character of a label, and around it.
_CHARACTER = 5.2
_MARGIN = 12.0
# Points between boxes.
_BESIDE, _BELOW = 14.0, 22.0
_LINE = "#333333"
# Stands above all that no arrow reaches, so that they share the first row.
_ABOVE = -1


@dataclasses.dataclass(frozen=True)
class Element:
    """A box of the drawing.

    Attributes:
      label: its text.
      kind: `input`, `operation`, `node` or `output`.
    """

    label: str
    kind: str


Arrows = Sequence[tuple[int, int]]

# Fill and border style tell the kinds apart in gray print, too.
_LOOKS: dict[str, dict[str, Any]] = {
    "input": {"facecolor": "#d9ead3", "linestyle": "-"},
    "convolution": {"facecolor": "#a6cee3", "linestyle": "-"},
    "operation": {"facecolor": "#ffffff", "linestyle": "--"},
    "node": {"facecolor": "#fff2cc", "linestyle": "-"},
    "output": {"facecolor": "#d9d9d9", "linestyle": "-"},
}


def fill_of(kind: str) -> str:
    """The colour that fills a kind of box."""
    return str(_LOOKS[kind]["facecolor"])


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

    @property
    def low(self) -> np.ndarray:
        """The lower left corner of the whole, `[2]`."""
        return (self.centres - self.sizes / 2).min(0)

    @property
    def high(self) -> np.ndarray:
        """The upper right corner of the whole, `[2]`."""
        return (self.centres + self.sizes / 2).max(0)

    @property
    def extent(self) -> np.ndarray:
        """Width and height of the whole, `[2]`."""
        return self.high - self.low


def lay_out(boxes: Sequence[Element], arrows: Arrows) -> Layout:
    """Computes a layered layout with few crossings.

    What no arrow reaches, such as the inputs of a cell, stands side by side
    in the first row, whether it is used or not.
    """
    widths = np.array([_CHARACTER * len(box.label) + _MARGIN for box in boxes])
    reached = {end for _, end in arrows}
    first = [place for place in range(len(boxes)) if place not in reached]
    ((positions, _, _, parts),) = from_edges(
        [(_ABOVE, place) for place in first] + list(arrows),
        # All are as far apart as the widest must be.
        vertex_spacing=float(widths.max()) + _BESIDE,
        dummy_vertices=True,
        ranking_type="up",
        crossing_minimization="median",
    )
    rows = sorted({y for _, (_, y) in positions}, reverse=True)
    height = _BOX_HEIGHT + _BELOW
    across = dict(positions)
    # The first box of the first row stands left, as one reads.
    side = 1 if across[first[0]][0] <= across[first[-1]][0] else -1
    points = {
        int(place): np.array([side * x, -height * rows.index(y)])
        for place, (x, y) in positions
    }
    chains = _follow(parts or [], len(boxes))
    return Layout(
        np.array([points[place] for place in range(len(boxes))]),
        np.column_stack([widths, np.full(len(boxes), _BOX_HEIGHT)]),
        [np.array([points[p] for p in chains[arrow]]) for arrow in arrows],
    )


def _follow(
    parts: Iterable[tuple[Any, Any]], boxes: int
) -> dict[tuple[int, int], list[int]]:
    """The places that each arrow passes.

    Args:
      parts: arrows, cut at each row that they cross; the places of the cuts
        are numbers above those of the boxes.
      boxes: how many there are.
    """
    following: dict[int, list[int]] = {}
    for start, end in parts:
        following.setdefault(start, []).append(end)
    chains = {}
    for start in range(boxes):
        for place in following.get(start, []):
            chain = [start, place]
            while chain[-1] >= boxes:
                chain += following[chain[-1]]
            chains[start, chain[-1]] = chain
    return chains


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


def draw_graph(axes: Axes, boxes: Sequence[Element], arrows: Arrows) -> None:
    """Draws boxes and arrows; the axes' units become points."""
    layout = lay_out(boxes, arrows)
    for (start, end), route in zip(arrows, layout.routes, strict=True):
        axes.add_patch(
            patches.FancyArrowPatch(
                path=_arrow_path(route, layout.sizes[[start, end]]),
                arrowstyle="-|>",
                mutation_scale=7,
                linewidth=0.8,
                color=_LINE,
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
                edgecolor=_LINE,
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
            fontsize=FONT_SIZE,
        )
    low, high = layout.low - 4, layout.high + 4
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal")
    axes.axis("off")
