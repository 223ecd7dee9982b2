"""The cells of DARTS as rows of integers; no TensorFlow.

A node adds two operations on two different earlier tensors, and the output is
the concatenation of all nodes (Liu et al., 2019, section 2.1). The value is
the `Architecture` of `nascore.spaces.cells`.
"""

import dataclasses
import functools

import numpy as np

from nascore.errors import InputError
from nascore.spaces import genotypes
from nascore.spaces.cells import (
    CELL_INPUTS,
    ENAS_CELL_TYPES,
    Architecture,
    Cell,
    CellSpace,
    Node,
)
from nascore.spaces.genotypes import Genotype
from nascore.spaces.space import Place, Space, table_of_choices

# In the order of the public code, of which `none` comes first; it is searched
# over and never derived.
DARTS_OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
# The table of legal values grows with the fifth power.
MAX_NODES = 20
_PARTS = ("pair", "operation", "operation")
# Pair k of the inputs of any node that has so many: the second input decides
# first, so that a pair has one number wherever it stands.
PAIRS = np.array(
    [
        (first, second)
        for second in range(CELL_INPUTS + MAX_NODES - 1)
        for first in range(second)
    ]
)


@dataclasses.dataclass(frozen=True)
class DartsSpace(CellSpace):
    """The set of all DARTS cells with these operations and sizes.

    A row holds three integers for each node: the pair of its inputs (see
    `PAIRS`), the operation on the earlier one, that on the later one. An
    architecture has the earlier input of each node first, so that a cell has
    one row and one text.

    Args:
      operations: names of the operations; an operation's id is its place.
      num_nodes: nodes in each cell.
      cell_types: names of the cells that make up an architecture.

    Raises:
      InputError: as `CellSpace`.
    """

    kind = "darts"

    operations: tuple[str, ...] = DARTS_OPERATIONS
    num_nodes: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_nodes > MAX_NODES:
            raise InputError(
                f"a DARTS cell has at most {MAX_NODES} nodes. Received: "
                f"num_nodes={self.num_nodes}"
            )

    @property
    def row_shape(self) -> tuple[int, int, int]:
        """Shape of a row that is not flat: cells, nodes, parts."""
        return len(self.cell_types), self.num_nodes, len(_PARTS)

    @property
    def length(self) -> int:
        """See `Space.length`."""
        return int(np.prod(self.row_shape))

    @property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`."""
        return tuple(
            Place(cell, node, _PARTS[part])
            for cell, node, part in np.ndindex(self.row_shape)
        )

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; no place depends on the one before."""
        return table_of_choices(self._row_choices())

    def _row_choices(self) -> np.ndarray:
        """Number of values each integer of a row can take."""
        inputs = CELL_INPUTS + np.arange(self.num_nodes)
        operations = np.full_like(inputs, len(self.operations))
        node = np.stack([inputs * (inputs - 1) // 2, operations, operations])
        return np.tile(node.T.ravel(), len(self.cell_types))

    def size(self) -> int:
        """See `Space.size`."""
        return Space.size(self)

    def ends(self, cell: Cell) -> tuple[int, ...]:
        """All nodes, whether another node reads them or not."""
        return tuple(range(CELL_INPUTS, CELL_INPUTS + len(cell.nodes)))

    def encode(self, architecture: Architecture) -> np.ndarray:
        """See `Space.encode`."""
        # Which also puts the inputs of each node in order.
        array = self.from_array(architecture.to_array()).to_array()
        first, op_1, second, op_2 = np.moveaxis(array, -1, 0)
        pairs = second * (second - 1) // 2 + first
        return np.stack([pairs, op_1, op_2], axis=-1).ravel().astype(np.int32)

    def decode(self, row: np.ndarray) -> Architecture:
        """See `Space.decode`."""
        flat = [int(value) for value in np.ravel(row)]
        if len(flat) != self.length:
            raise InputError(
                f"a row has {self.length} integers. Received: {len(flat)}"
            )
        limits = self._row_choices().tolist()
        for number, (value, limit) in enumerate(zip(flat, limits, strict=True)):
            if not 0 <= value < limit:
                place = self.places[number]
                raise InputError(
                    f"integer {number + 1} of the row ({place.kind} of node "
                    f"{place.node} of the {self.cell_types[place.cell]} cell) "
                    f"must be from 0 to {limit - 1}. Received: "
                    f"{str(value)[:40]}"
                )
        values = np.reshape(flat, self.row_shape)
        inputs = PAIRS[values[..., 0]]
        return self.from_array(
            np.stack([inputs, values[..., 1:]], axis=-1).ravel()
        )

    def from_array(self, values: np.ndarray) -> Architecture:
        """Makes an architecture from integers, as `CellSpace` does.

        Raises:
          InputError: as there, or a node has one input twice.
        """
        given = super().from_array(values)
        cells = []
        for name, cell in zip(self.cell_types, given.cells, strict=True):
            nodes = []
            for place, node in enumerate(cell.nodes):
                if node.index_1 == node.index_2:
                    raise InputError(
                        f"node {place} of the {name} cell reads tensor "
                        f"{node.index_1} twice; the two inputs of a node of "
                        "DARTS must differ"
                    )
                first, second = sorted(node.edges)
                nodes.append(Node(*first, *second))
            cells.append(Cell(tuple(nodes)))
        return Architecture(tuple(cells))

    def parse(self, text: str) -> Architecture:
        """Reads integers, a genotype, or the name of a published one.

        Raises:
          InputError: it is none of this space.
        """
        if not genotypes.is_genotype(text):
            return super().parse(text)
        genotype = genotypes.read_genotype(text)
        if self.cell_types != ENAS_CELL_TYPES:
            raise InputError(
                "a genotype has a normal and a reduction cell; those of this "
                f"space are: {', '.join(self.cell_types)}"
            )
        integers: list[int] = []
        for name, edges in zip(self.cell_types, genotype, strict=True):
            if len(edges) != 2 * self.num_nodes:
                raise InputError(
                    f"the {name} cell of the genotype has {len(edges) // 2} "
                    f"nodes; this space has {self.num_nodes} (--num_nodes)"
                )
            for place, (operation, index) in enumerate(edges):
                if operation not in self.operations:
                    raise InputError(
                        f"unknown operation {operation[:60]!r} in node "
                        f"{place // 2} of the {name} cell of the genotype; "
                        f"known are: {', '.join(self.operations)} "
                        "(--operations)"
                    )
                integers += index, self.operations.index(operation)
        return self.from_array(np.array(integers))

    def genotype(self, architecture: Architecture) -> str:
        """The text that DARTS's public code has for an architecture."""
        edges = (
            tuple(
                (self.operations[op], index)
                for node in cell.nodes
                for index, op in node.edges
            )
            for cell in architecture.cells
        )
        return genotypes.write_genotype(Genotype(*edges))

    def describe(self, architecture: Architecture) -> str:
        """One line for each node, and the genotype."""
        text = super().describe(architecture)
        if self.cell_types != ENAS_CELL_TYPES:
            return text
        return f"{text}\n{self.genotype(architecture)}"
