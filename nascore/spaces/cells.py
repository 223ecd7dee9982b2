"""Cells and architectures as plain values; no TensorFlow.

The micro search space of ENAS (Pham et al., 2018, section 2.4): a network is
a stack of cells, and an architecture is one cell of each type. Node `b` of a
cell adds two operations, each applied to one of the `b + 2` earlier tensors
(0 and 1 are the outputs of the two previous layers).
"""

import dataclasses
import functools
import re
from typing import NamedTuple

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Place, Space, table_of_choices

ENAS_OPERATIONS = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "avg_pool_3x3",
    "max_pool_3x3",
    "identity",
)
ENAS_CELL_TYPES = ("normal", "reduction")
CELL_INPUTS = 2
# A file may name any number; so many are still drawn in a second.
MAX_NODES = MAX_NAMES = 100
NODE_INPUTS = 2
_NAME = re.compile(r"\w{1,80}", re.ASCII)


class Node(NamedTuple):
    """One node: `op_1(tensor index_1) + op_2(tensor index_2)`."""

    index_1: int
    op_1: int
    index_2: int
    op_2: int

    @property
    def edges(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The two (index, operation) pairs."""
        return ((self.index_1, self.op_1), (self.index_2, self.op_2))


@dataclasses.dataclass(frozen=True)
class Cell:
    """The nodes of one cell, in order."""

    nodes: tuple[Node, ...]

    @property
    def loose_ends(self) -> tuple[int, ...]:
        """Indices of the tensors, inputs included, that no node uses."""
        used = {index for node in self.nodes for index, _ in node.edges}
        tensors = range(CELL_INPUTS + len(self.nodes))
        return tuple(index for index in tensors if index not in used)

    def __str__(self) -> str:
        return " ".join(str(value) for node in self.nodes for value in node)


@dataclasses.dataclass(frozen=True)
class Architecture:
    """One cell of each type; hashable, comparable, printed as integers."""

    cells: tuple[Cell, ...]

    def to_array(self) -> np.ndarray:
        """Returns int32 `[cell types, nodes, 4]`, a row for each node."""
        return np.array([cell.nodes for cell in self.cells], np.int32)

    def __str__(self) -> str:
        return " ".join(str(cell) for cell in self.cells)


@dataclasses.dataclass(frozen=True)
class CellSpace(Space[Architecture]):
    """The set of all architectures with these operations and sizes.

    A row holds the integers of `Architecture.to_array`, flat.

    Args:
      operations: names of the operations; an operation's id is its place.
      num_nodes: nodes in each cell.
      cell_types: names of the cells that make up an architecture.

    Raises:
      InputError: no or repeated operations or cell types, odd names, no
        nodes or far too many.
    """

    kind = "cells"

    operations: tuple[str, ...] = ENAS_OPERATIONS
    num_nodes: int = 5
    cell_types: tuple[str, ...] = ENAS_CELL_TYPES

    def __post_init__(self) -> None:
        if not 1 <= self.num_nodes <= MAX_NODES:
            raise InputError(
                f"a cell needs from 1 to {MAX_NODES} nodes. Received: "
                f"num_nodes={self.num_nodes}"
            )
        for what, names in (
            ("operations", self.operations),
            ("cell_types", self.cell_types),
        ):
            shown = f"Received: {what}={','.join(map(str, names))[:200]}"
            if not names or len(set(map(str, names))) < len(names):
                raise InputError(
                    f"the names must be distinct and at least one. {shown}"
                )
            # They become names of columns and of files.
            if len(names) > MAX_NAMES or not all(map(_is_name, names)):
                raise InputError(
                    f"the names must be at most {MAX_NAMES}, of letters, "
                    f"digits and underscores. {shown}"
                )

    @property
    def num_tensors(self) -> int:
        """Tensors in a cell: its two inputs and one for each node."""
        return CELL_INPUTS + self.num_nodes

    @property
    def array_shape(self) -> tuple[int, int, int]:
        """Shape of an architecture as integers."""
        return (len(self.cell_types), self.num_nodes, 4)

    @property
    def length(self) -> int:
        """See `Space.length`."""
        return int(np.prod(self.array_shape))

    @property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`."""
        return tuple(
            Place(cell, node, "operation" if part % 2 else "input")
            for cell, node, part in np.ndindex(self.array_shape)
        )

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; no place depends on the one before."""
        return table_of_choices(self.choices().ravel())

    @property
    def column_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """A column for each cell."""
        return tuple(f"{name}_cell" for name in self.cell_types)

    def columns(self, architecture: Architecture) -> dict[str, str]:
        """See `Space.columns`."""
        texts = map(str, architecture.cells)
        return dict(zip(self.column_names, texts, strict=True))

    def encode(self, architecture: Architecture) -> np.ndarray:
        """See `Space.encode`."""
        return architecture.to_array().ravel()

    def decode(self, row: np.ndarray) -> Architecture:
        """See `Space.decode`."""
        return self.from_array(row)

    def ends(self, cell: Cell) -> tuple[int, ...]:
        """Indices of the tensors that make up the output of a cell."""
        return cell.loose_ends

    def choices(self) -> np.ndarray:
        """Number of values each integer can take, shaped like an array."""
        inputs = CELL_INPUTS + np.arange(self.num_nodes)
        rows = np.stack([inputs, np.full_like(inputs, len(self.operations))])
        return np.tile(rows.T, (len(self.cell_types), 1, NODE_INPUTS))

    def size(self) -> int:
        """Exact number of distinct texts in the space."""
        return int(np.prod(self.choices().astype(object)))

    def from_array(self, values: np.ndarray) -> Architecture:
        """Makes an architecture from integers of any shape.

        Raises:
          InputError: wrong number of integers, or one out of range.
        """
        flat = [int(value) for value in np.ravel(values)]
        length = int(np.prod(self.array_shape))
        if len(flat) != length:
            raise InputError(
                f"an architecture has {length} integers "
                f"({len(self.cell_types)} cells x {self.num_nodes} nodes x "
                f"4). Received: {len(flat)} integers"
            )
        limits = self.choices().ravel()
        for place, (value, limit) in enumerate(zip(flat, limits, strict=True)):
            if not 0 <= value < limit:
                cell, node, part = np.unravel_index(place, self.array_shape)
                raise InputError(
                    f"integer {place + 1} of the architecture "
                    f"({Node._fields[part]} of node {node} of the "
                    f"{self.cell_types[cell]} cell) must be from 0 to "
                    f"{limit - 1}. Received: {str(value)[:40]}"
                )
        rows = np.reshape(flat, self.array_shape).tolist()
        cells = (Cell(tuple(Node(*row) for row in cell)) for cell in rows)
        return Architecture(tuple(cells))

    def parse(self, text: str) -> Architecture:
        """Reads the text form: integers separated by spaces or commas.

        Raises:
          InputError: a word that is no integer, or as in `from_array`.
        """
        words = text.replace(",", " ").split()
        values = []
        for place, word in enumerate(words):
            try:
                values.append(int(word))
            except ValueError:
                raise InputError(
                    f"word {place + 1} of the architecture must be an "
                    f"integer. Received: {word[:40]!r}"
                ) from None
        return self.from_array(np.array(values, object))

    def format(self, architecture: Architecture) -> str:
        """See `Space.format`: all integers, with spaces between."""
        return str(architecture)

    def describe(self, architecture: Architecture) -> str:
        """One line for each node."""
        lines = []
        for name, cell in zip(self.cell_types, architecture.cells, strict=True):
            lines.append(f"{name} cell")
            for place, node in enumerate(cell.nodes):
                terms = (
                    f"{self.operations[op]}({tensor_name(index)})"
                    for index, op in node.edges
                )
                lines.append(f"  node {place} = {' + '.join(terms)}")
            ends = ", ".join(tensor_name(index) for index in self.ends(cell))
            lines.append(f"  output = concat({ends})")
        return "\n".join(lines)


def nodes_in(text: str) -> int | None:
    """How many nodes each cell of an architecture has, by its length.

    Args:
      text: integers of a normal and a reduction cell, as `CellSpace.parse`
        reads them.

    Returns:
      None if there is no number of nodes with so many integers.
    """
    integers = len(text.replace(",", " ").split())
    nodes, rest = divmod(integers, len(ENAS_CELL_TYPES) * len(Node._fields))
    return nodes if nodes and not rest else None


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(_NAME.fullmatch(name))


def tensor_name(index: int) -> str:
    """Names a tensor of a cell: `input 0`, `input 1`, `node 0`, ..."""
    if index < CELL_INPUTS:
        return f"input {index}"
    return f"node {index - CELL_INPUTS}"
