"""A picture of an architecture of any space that has one."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from nascore.drawing import bench201, recurrent
from nascore.drawing.cells import draw_architecture, figure_to_rgb
from nascore.drawing.macro import draw_macro
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.recurrent import RecurrentSpace
from nascore.spaces.space import Space


def draw_figure(space: Space, architecture: Any, title: str) -> Figure | None:
    """Draws an architecture; None where the space's text says it all."""
    if isinstance(space, CellSpace):
        return draw_architecture(architecture, space, title)
    if isinstance(space, Bench201Space):
        return bench201.draw_cell(architecture, title)
    if isinstance(space, MacroSpace):
        return draw_macro(architecture, space, title)
    if isinstance(space, RecurrentSpace):
        return recurrent.draw_cell(architecture, space, title)
    return None


def draw(space: Space, architecture: Any, title: str) -> np.ndarray | None:
    """The same as pixels, uint8 `[height, width, 3]`."""
    figure = draw_figure(space, architecture, title)
    return None if figure is None else figure_to_rgb(figure)
