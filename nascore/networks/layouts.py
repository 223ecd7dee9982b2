"""Where reduction cells stand, and edges of mixed ones; no TensorFlow."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nascore.errors import InputError

REDUCTION = "reduction"
NORMAL = "normal"
# Stems of networks for large images.
IMAGENET, CELLS = "imagenet", "cells"


def ienas_layout(num_layers: int) -> tuple[str, ...]:
    """The public code of I-ENAS: two layers more, three reductions."""
    distance = num_layers // 4
    return _place_reductions(
        num_layers + 2, (distance, 2 * distance + 1, num_layers)
    )


def enas_layout(num_layers: int) -> tuple[str, ...]:
    """The public code of ENAS: two layers more, two reductions."""
    distance = num_layers // 3
    return _place_reductions(num_layers + 2, (distance, 2 * distance + 1))


def darts_layout(num_layers: int) -> tuple[str, ...]:
    """The public code of DARTS: so many layers, two reductions."""
    return _place_reductions(num_layers, (num_layers // 3, 2 * num_layers // 3))


def bench201_layout(num_layers: int) -> tuple[str, ...]:
    """NAS-Bench-201: three stages of so many cells, reductions between."""
    stage = (NORMAL,) * num_layers
    return (*stage, REDUCTION, *stage, REDUCTION, *stage)


def macro_layout(num_layers: int) -> tuple[str, ...]:
    """ENAS's whole networks: reductions of all after a third, and after two.

    They stand between the layers and are none of them.
    """
    third = num_layers // 3
    part = [NORMAL] * third + [REDUCTION] * (third > 0)
    return (*part, *part, *[NORMAL] * (num_layers - 2 * third))


def chain_layout(num_layers: int) -> tuple[str, ...]:
    """The public code of NASES: what each layer is, the architecture says."""
    return ("layer",) * num_layers


def _place_reductions(layers: int, places: Sequence[int]) -> tuple[str, ...]:
    return tuple(
        REDUCTION if layer in places else NORMAL for layer in range(layers)
    )


def block_layout(normal_cells: int, reduction_cells: int) -> tuple[str, ...]:
    """Blocks of about equal length that each end in a reduction cell."""
    blocks = max(1, reduction_cells)
    least, more = divmod(normal_cells, blocks)
    layers: list[str] = []
    for block in range(blocks):
        layers += [NORMAL] * (least + (block < more))
        if reduction_cells:
            layers.append(REDUCTION)
    return tuple(layers)


# Of networks of one architecture, by the name of their layout.
LAYOUTS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "enas": enas_layout,
    "ienas": ienas_layout,
    "darts": darts_layout,
    "bench201": bench201_layout,
    "macro": macro_layout,
    "chain": chain_layout,
}


def stem_cells(stem: str) -> int:
    """Reduction cells that a stem has."""
    return 2 * (stem == CELLS)


def check_stem(stem: str, layout: str, filters: int) -> None:
    """Refuses a stem that a network cannot begin with.

    Raises:
      InputError: no public code of the layout has it, or it divides filters
        that cannot be divided.
    """
    fits = {IMAGENET: ("darts",), CELLS: ("enas", "ienas")}.get(stem, (layout,))
    if layout not in fits:
        raise InputError(
            f"--stem={stem} is for --layout={' or '.join(fits)}, whose code "
            "has it"
        )
    if stem == CELLS and filters % 4:
        raise InputError(
            f"--stem={stem} begins with a quarter of the filters, and "
            f"--filters={filters} is no multiple of 4"
        )


class Wiring(NamedTuple):
    """Which edges a mixed cell has.

    Attributes:
      inputs: of the cell; they are the first tensors.
      edges: tensors that each comes from and leads to; node by node.
    """

    inputs: int
    edges: tuple[tuple[int, int], ...]

    @property
    def nodes(self) -> range:
        """The tensors that are not inputs."""
        return range(self.inputs, max(node for _, node in self.edges) + 1)
