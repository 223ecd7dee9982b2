"""Drawings of whole networks: layers in a column, and skips beside it."""

from collections.abc import Sequence

import numpy as np
from matplotlib import patches
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path

from nascore.drawing.cells import operation_label
from nascore.drawing.graphs import FONT_SIZE, fill_of
from nascore.drawing.style import styled
from nascore.networks.layouts import REDUCTION, macro_layout
from nascore.spaces.macro import MacroArchitecture, MacroSpace

_LINE = "#333333"
# Points: between the middles of two boxes, a box, and to the widest arc.
_STEP, _WIDTH, _HEIGHT = 30.0, 118.0, 20.0
# Points that an arc lies further out for each layer that it passes.
_REACH = 11.0
# Of more layers arcs cannot be told apart; dots can.
_MOST_ARCS = 12
# Points between dots, and before the first.
_DOTS, _BEFORE = 13.0, 16.0


def skips_of(architecture: MacroArchitecture) -> list[tuple[int, int]]:
    """All skips: the tensor, 0 the stem, and the layer that adds it."""
    return [
        (source, number)
        for number, layer in enumerate(architecture.layers, 1)
        for source in layer.sources
    ]


def rows_of_network(
    architecture: MacroArchitecture, space: MacroSpace
) -> list[tuple[str, str]]:
    """What stands below what: label and kind of box; `` for a reduction."""
    rows = [("stem", "input")]
    layers = iter(enumerate(architecture.layers, 1))
    for kind in macro_layout(space.num_layers):
        if kind == REDUCTION:
            rows.append(("half the size", ""))
            continue
        number, layer = next(layers)
        name = space.operations[layer.operation]
        looks = "convolution" if "conv" in name else "operation"
        rows.append((f"{number}: {operation_label(name)}", looks))
    return [*rows, ("classifier", "output")]


@styled
def draw_macro(
    architecture: MacroArchitecture, space: MacroSpace, title: str = ""
) -> Figure:
    """Draws a network from top to bottom, its skips to the right.

    Of up to 12 layers they are arcs, of more there is a dot for each tensor
    that a layer adds, below the number of that tensor.
    """
    rows = rows_of_network(architecture, space)
    skips = skips_of(architecture)
    # Of the stem and of each layer, in points and downwards.
    heights = [-_STEP * place for place, (_, kind) in enumerate(rows) if kind]
    has_arcs = space.num_layers <= _MOST_ARCS
    if has_arcs:
        longest = max([end - start for start, end in skips], default=0)
        # A curve comes to three quarters of the way to its handles.
        reach = 0.75 * (_REACH * longest + 8) + 6
    else:
        reach = _BEFORE + _DOTS * space.num_layers
    width, height = _WIDTH + reach + 24, _STEP * len(rows)
    figure = Figure(
        figsize=(max(width, 360) / 72, (height + 36) / 72),
        layout="constrained",
    )
    axes = figure.subplots()
    (_draw_arcs if has_arcs else _draw_dots)(axes, heights, skips)
    _draw_column(axes, rows)
    axes.set_xlim(-_WIDTH / 2 - 6, _WIDTH / 2 + reach)
    axes.set_ylim(-height + _STEP / 2, _STEP / 2)
    axes.set_aspect("equal")
    axes.axis("off")
    if title:
        figure.suptitle(title, fontsize=FONT_SIZE + 2)
    return figure


def _draw_column(axes: Axes, rows: Sequence[tuple[str, str]]) -> None:
    """The boxes, what leads from one to the next, and lines of halving."""
    for place, (label, kind) in enumerate(rows):
        y = -_STEP * place
        if place:
            below = rows[place - 1][1]
            axes.add_patch(
                patches.FancyArrowPatch(
                    (0, y + _STEP - (_HEIGHT / 2 if below else 0)),
                    (0, y + (_HEIGHT / 2 if kind else 0)),
                    arrowstyle="-|>" if kind else "-",
                    mutation_scale=7,
                    shrinkA=0,
                    shrinkB=0,
                    linewidth=0.8,
                    color=_LINE,
                )
            )
        if not kind:
            axes.axhline(y, color=_LINE, linewidth=0.7, linestyle=(0, (4, 3)))
            axes.text(
                -_WIDTH / 2,
                y + 2,
                label,
                ha="left",
                va="bottom",
                fontsize=FONT_SIZE - 1,
            )
            continue
        axes.add_patch(
            patches.FancyBboxPatch(
                (-_WIDTH / 2, y - _HEIGHT / 2),
                _WIDTH,
                _HEIGHT,
                boxstyle="round,pad=0,rounding_size=5",
                edgecolor=_LINE,
                facecolor=fill_of(kind),
                linestyle="--" if kind == "operation" else "-",
                linewidth=0.9,
                zorder=3,
            )
        )
        axes.text(
            0, y, label, ha="center", va="center", fontsize=FONT_SIZE, zorder=4
        )


def _draw_arcs(
    axes: Axes, heights: Sequence[float], skips: Sequence[tuple[int, int]]
) -> None:
    """The skips: the further they reach, the further out they lie."""
    edge = _WIDTH / 2
    for start, end in skips:
        # They leave below the middle of a box and come in above it.
        first = heights[start] - _HEIGHT / 5
        last = heights[end] + _HEIGHT / 5
        out = edge + _REACH * (end - start) + 8
        path = Path(
            np.array([(edge, first), (out, first), (out, last), (edge, last)]),
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        axes.add_patch(
            patches.FancyArrowPatch(
                path=path,
                arrowstyle="-|>",
                mutation_scale=5,
                linewidth=0.7,
                color=_LINE,
                # Many lie over each other.
                alpha=0.75,
                fill=False,
            )
        )


def _draw_dots(
    axes: Axes, heights: Sequence[float], skips: Sequence[tuple[int, int]]
) -> None:
    """A table: a column for each tensor, a dot where a layer adds it."""
    axes.text(
        _WIDTH / 2 + _BEFORE - 4,
        heights[0] + _HEIGHT / 2,
        "tensors that a layer adds (0: stem)",
        fontsize=FONT_SIZE - 1,
    )
    across = _WIDTH / 2 + _BEFORE + _DOTS * np.arange(len(heights) - 3)
    for tensor, x in enumerate(across):
        axes.text(
            x,
            heights[0] - 3,
            str(tensor),
            ha="center",
            va="center",
            fontsize=FONT_SIZE - 1,
        )
    for number, y in enumerate(heights[1:-1], 1):
        # What could be added.
        there = across[: number - 1]
        axes.scatter(there, np.full(len(there), y), s=2, color="#999999")
    axes.scatter(
        [across[start] for start, _ in skips],
        [heights[end] for _, end in skips],
        s=26,
        color=_LINE,
        zorder=3,
    )
