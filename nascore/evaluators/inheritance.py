"""Which weights a child takes over from its parent, and who holds them.

RENAS (Chen et al., 2019, section 3.4): a child has its parent's weights but
where it was changed. Ours, where the paper is silent: an edge keeps its
weights if its operation is the same, also where it reads another tensor
(`inherit_moved`); of the convolution that joins loose ends the part of each
end is for itself; all else is taken over.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nascore.networks.supernet import Supernet
from nascore.runs.checkpoints import pack, unpack
from nascore.spaces.cells import CELL_INPUTS

# Kinds of weights.
PLAIN, EDGES, ENDS = "plain", "edges", "ends"


class Part(NamedTuple):
    """What a weight of a network of `OwnCell`s belongs to.

    Attributes:
      kind: `PLAIN`: to every architecture; `EDGES`: a row for each edge of a
        cell, for one operation; `ENDS`: a row for each tensor of a cell.
      cell: place of the cell in an architecture.
      operation: its id.
    """

    kind: str = PLAIN
    cell: int = 0
    operation: int = 0


def parts_of(supernet: Supernet) -> list[Part]:
    """Of each trainable weight of a network of `OwnCell`s, in their order."""
    found: dict[int, Part] = {}
    for layer, cell in zip(supernet.stack.layers, supernet.cells, strict=True):
        slots = iter(cell.slots)
        for number, operation in enumerate(cell.operations.values()):
            for _ in operation.weight_specs(cell.channels):
                part = Part(EDGES, layer.cell, number)
                found[id(next(slots))] = part
        found[id(cell.loose_end_kernels)] = Part(ENDS, layer.cell)
    return [found.get(id(w), Part()) for w in supernet.trainable_variables]


def rows_in_use(part: Part, cells: np.ndarray) -> np.ndarray:
    """Rows of a weight that an architecture needs.

    Args:
      part: of the weight.
      cells: the architecture, int `[cell types, nodes, 4]`.

    Returns:
      Bool `[rows]`; of a plain weight one True for all.
    """
    if part.kind == PLAIN:
        return np.ones(1, bool)
    cell = cells[part.cell]
    if part.kind == EDGES:
        return cell.reshape(-1, 2)[:, 1] == part.operation
    loose = np.ones(CELL_INPUTS + len(cell), bool)
    loose[cell.reshape(-1, 2)[:, 0]] = False
    return loose


def rows_inherited(
    part: Part, child: np.ndarray, parent: np.ndarray, moved: bool
) -> np.ndarray:
    """Rows of a weight that a child takes over.

    Args:
      part: of the weight.
      child: as in `rows_in_use`.
      parent: likewise.
      moved: whether an edge that reads another tensor keeps its weights.
    """
    both = rows_in_use(part, child) & rows_in_use(part, parent)
    if part.kind == EDGES and not moved:
        reads = [x[part.cell].reshape(-1, 2)[:, 0] for x in (child, parent)]
        both &= reads[0] == reads[1]
    return both


class Individual(NamedTuple):
    """What is kept of an architecture that was trained.

    Attributes:
      cells: int32 `[cell types, nodes, 4]`.
      weights: of each weight the rows in use, in their order; of a plain one
        all of it.
    """

    cells: np.ndarray
    weights: Sequence[np.ndarray]


class Individuals(tf.train.experimental.PythonState):
    """Trained ones by the number of their evaluation.

    Attributes:
      entries: them.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Individual] = {}

    @property
    def size(self) -> int:
        """Bytes that their weights take."""
        return sum(
            weight.nbytes
            for entry in self.entries.values()
            for weight in entry.weights
        )

    def keep(self, numbers: set[int]) -> None:
        """Drops all others."""
        for number in set(self.entries) - numbers:
            del self.entries[number]

    def serialize(self) -> bytes:
        """All as an NPZ file."""
        arrays = {}
        for number, entry in self.entries.items():
            arrays[f"{number}|cells"] = entry.cells
            for place, weight in enumerate(entry.weights):
                arrays[f"{number}|{place}"] = weight
        return pack(arrays)

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        self.entries.clear()
        arrays = unpack(string_value)
        for name in [name for name in arrays if name.endswith("|cells")]:
            number = name.partition("|")[0]
            count = sum(key.startswith(f"{number}|") for key in arrays) - 1
            weights = [arrays[f"{number}|{place}"] for place in range(count)]
            self.entries[int(number)] = Individual(arrays[name], weights)
