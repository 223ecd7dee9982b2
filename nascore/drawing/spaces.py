"""A picture of an architecture of any space that has one."""

from typing import Any

import numpy as np

from nascore.drawing.cells import draw_architecture, figure_to_rgb
from nascore.spaces.cells import CellSpace
from nascore.spaces.space import Space


def draw(space: Space, architecture: Any, title: str) -> np.ndarray | None:
    """Draws an architecture, uint8 `[height, width, 3]`.

    None where the space's text says it all.
    """
    if not isinstance(space, CellSpace):
        return None
    return figure_to_rgb(draw_architecture(architecture, space, title))
