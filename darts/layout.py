"""What alphas stand for: edges and operations of mixed cells.

NumPy only. Each node of a mixed cell has an edge from every earlier tensor,
and each edge a number, its alpha, for every operation (Liu et al., 2019, arXiv
1806.09055, section 2.1). Tensors are numbered as in `nascore.spaces.cells`: 0
and 1 are the inputs of the cell, node b is tensor b + 2.
"""

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nascore.networks.config import NONE
from nascore.networks.layouts import Wiring
from nascore.spaces.cells import (
    CELL_INPUTS,
    ENAS_CELL_TYPES,
    NODE_INPUTS,
    tensor_name,
)
from nascore.spaces.darts_cells import DARTS_OPERATIONS, DartsSpace

# The identity, as DARTS and as ENAS call it.
SKIPS = ("skip_connect", "identity")
# In the published order: of equal alphas the first operation is taken.
OPERATIONS = (NONE, *DARTS_OPERATIONS)


class Alphas(NamedTuple):
    """What a search learns beside weights; values of one epoch or of many.

    Attributes:
      operations: `[..., cells, edges, operations]`.
      edges: `[..., cells, edges]`, of PC-DARTS; None: all edges count alike.
    """

    operations: np.ndarray
    edges: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class AlphaLayout:
    """Which alpha belongs to which edge and operation.

    Args:
      operations: names, `none` among them or not.
      num_nodes: nodes of each cell.
      cell_types: names of the cells.

    Raises:
      InputError: as `CellSpace` does.
    """

    operations: tuple[str, ...] = OPERATIONS
    num_nodes: int = 4
    cell_types: tuple[str, ...] = ENAS_CELL_TYPES

    def __post_init__(self) -> None:
        DartsSpace(self.operations, self.num_nodes, self.cell_types)
        _ = self.derived

    @functools.cached_property
    def derived(self) -> Any:
        """The space of the cells that alphas choose."""
        names = tuple(name for name in self.operations if name != NONE)
        return DartsSpace(names, self.num_nodes, self.cell_types)

    @property
    def derivable(self) -> list[bool]:
        """Of each operation whether a derived cell may have it."""
        return [name != NONE for name in self.operations]

    @property
    def derived_edges(self) -> int:
        """Edges of a derived cell."""
        return NODE_INPUTS * self.num_nodes

    @property
    def titles(self) -> tuple[str, ...]:
        """The cells, for people."""
        return tuple(f"{name} cell" for name in self.cell_types)

    def tensor_name(self, tensor: int) -> str:
        """What a tensor of a cell is, for people."""
        return tensor_name(tensor)

    def chosen(self, architecture: Any) -> list[dict[tuple[int, int], str]]:
        """The operations of the edges of each derived cell.

        Args:
          architecture: of `derived`.
        """
        names = self.derived.operations
        return [
            {
                (source, node): names[operation]
                for node, found in enumerate(cell.nodes, CELL_INPUTS)
                for source, operation in found.edges
            }
            for cell in architecture.cells
        ]

    @functools.cached_property
    def incoming(self) -> tuple[int, ...]:
        """How many edges lead into each node."""
        return tuple(CELL_INPUTS + node for node in range(self.num_nodes))

    @functools.cached_property
    def starts(self) -> tuple[int, ...]:
        """The first edge into each node."""
        return tuple(itertools.accumulate(self.incoming[:-1], initial=0))

    @functools.cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Of each edge, node by node: tensors it comes from and leads to."""
        return tuple((source, n) for n in self.incoming for source in range(n))

    @property
    def wiring(self) -> Wiring:
        """The edges, for a network."""
        return Wiring(CELL_INPUTS, self.edges)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the alphas: cells, edges, operations."""
        return len(self.cell_types), len(self.edges), len(self.operations)

    @functools.cached_property
    def operation_columns(self) -> tuple[str, ...]:
        """Columns of alphas.csv, in the order of the flat alphas.

        `alpha_normal_1_3_skip_connect` is that operation on the edge from
        tensor 1 to tensor 3 of the normal cell.
        """
        return tuple(
            f"alpha_{cell}_{source}_{node}_{operation}"
            for (cell, (source, node)), operation in itertools.product(
                self._places, self.operations
            )
        )

    @functools.cached_property
    def edge_columns(self) -> tuple[str, ...]:
        """Columns of the edges' own alphas, such as `edge_normal_1_3`."""
        return tuple(
            f"edge_{cell}_{source}_{node}"
            for cell, (source, node) in self._places
        )

    @property
    def _places(self) -> list[tuple[str, tuple[int, int]]]:
        return list(itertools.product(self.cell_types, self.edges))

    def to_row(self, alphas: Alphas) -> dict[str, float]:
        """The columns of one epoch's alphas.

        Args:
          alphas: of one epoch.
        """
        named = [(self.operation_columns, alphas.operations)]
        if alphas.edges is not None:
            named.append((self.edge_columns, alphas.edges))
        return {
            name: value
            for names, values in named
            for name, value in zip(
                names, np.ravel(values).tolist(), strict=True
            )
        }

    def from_rows(self, rows: Sequence[Mapping[str, Any]]) -> Alphas:
        """The inverse of `to_row`, for many epochs; float64.

        Args:
          rows: of alphas.csv, an epoch each, one or more; numbers may be
            texts.
        """

        def read(names: Sequence[str], shape: Sequence[int]) -> np.ndarray:
            values = [[float(row[name]) for name in names] for row in rows]
            return np.reshape(values, (len(rows), *shape))

        operations = read(self.operation_columns, self.shape)
        if self.edge_columns[0] not in rows[0]:
            return Alphas(operations)
        return Alphas(operations, read(self.edge_columns, self.shape[:2]))
