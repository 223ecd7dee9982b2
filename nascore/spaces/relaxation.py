"""From numbers to rows: what a search over continuous values builds.

Such a search gives each choice a number; an architecture has the choices
whose numbers are the largest. Everything here is written for NumPy and for
what has its functions, such as `tensorflow.experimental.numpy` in a graph.
"""

import abc
from typing import Any

import numpy as np

from nascore.errors import InputError
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, CellSpace
from nascore.spaces.darts_cells import PAIRS, DartsSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.recurrent import RecurrentSpace
from nascore.spaces.space import Space


class Relaxation(abc.ABC):
    """Numbers that stand for the choices of a space.

    Attributes:
      size: how many there are.
    """

    size: int

    @abc.abstractmethod
    def rows(self, numbers: Any, xp: Any = np) -> Any:
        """The rows of what numbers choose.

        Args:
          numbers: float `[n, size]`, finite.
          xp: NumPy, or what has its functions.

        Returns:
          Integers `[n, length]`, always legal.
        """

    @abc.abstractmethod
    def positions(self, rows: Any, xp: Any = np) -> Any:
        """Which of the numbers belong to what rows chose.

        Args:
          rows: integers `[n, length]`.
          xp: as above.

        Returns:
          Integers `[n, chosen]`, from 0 to `size - 1`.
        """


class LargestOfEach(Relaxation):
    """The largest number of each place, of equal ones the first.

    L2NAS has it on NAS-Bench-201 (Mills et al., 2021, arXiv 2109.12425).

    Args:
      choices: how many values each place can take, whatever others took.
    """

    def __init__(self, choices: np.ndarray) -> None:
        self.size = int(choices.sum())
        self._starts = np.cumsum(choices) - choices
        # Where a place has fewer values its first number fills up: of equal
        # numbers the first is taken.
        values = np.arange(choices.max())
        within = np.where(values < choices[:, None], values, 0)
        self._table = self._starts[:, None] + within

    def rows(self, numbers: Any, xp: Any = np) -> Any:
        """See `Relaxation.rows`."""
        return xp.argmax(xp.take(numbers, self._table, axis=1), axis=2)

    def positions(self, rows: Any, xp: Any = np) -> Any:
        """See `Relaxation.positions`."""
        return rows + xp.asarray(self._starts, rows.dtype)


class StrongestEdges(Relaxation):
    """The two strongest edges of each node, as DARTS derives its cells.

    There is a number for each edge and operation of each cell. Into a node
    lead the edge of the largest number and, of all others, the one of the
    largest (Liu et al., 2019, section 2.4; of equal numbers the first). What
    is built has the earlier of both first, so that a cell is one row.

    Args:
      space: of cells.
    """

    def __init__(self, space: CellSpace) -> None:
        self._cells = len(space.cell_types)
        self._operations = len(space.operations)
        self._edges = CELL_INPUTS + np.arange(space.num_nodes)
        # Of the numbers of each node within those of its cell.
        counts = self._edges * self._operations
        self._starts = np.cumsum(counts) - counts
        self._in_cell = int(counts.sum())
        self.size = self._cells * self._in_cell

    def rows(self, numbers: Any, xp: Any = np) -> Any:
        """See `Relaxation.rows`."""
        cells = xp.reshape(numbers, (-1, self._cells, self._in_cell))
        nodes = []
        for start, edges in zip(
            self._starts.tolist(), self._edges.tolist(), strict=True
        ):
            own = cells[:, :, start : start + edges * self._operations]
            own = xp.reshape(own, (-1, self._cells, edges, self._operations))
            operations, strengths = xp.argmax(own, axis=3), xp.max(own, axis=3)
            first = xp.argmax(strengths, axis=2)[..., None]
            others = xp.where(np.arange(edges) == first, -np.inf, strengths)
            second = xp.argmax(others, axis=2)[..., None]
            inputs = [xp.minimum(first, second), xp.maximum(first, second)]
            chosen = [
                xp.take_along_axis(operations, edge, axis=2) for edge in inputs
            ]
            nodes += self._node(inputs, chosen)
        length = self._cells * len(nodes)
        return xp.reshape(xp.concatenate(nodes, axis=2), (-1, length))

    def positions(self, rows: Any, xp: Any = np) -> Any:
        """See `Relaxation.positions`."""
        cells = np.arange(self._cells)[:, None] * self._in_cell
        starts = (cells + self._starts)[:, :, None]
        inputs, operations = self._split(rows, xp)
        found = inputs * self._operations + operations
        found = found + xp.asarray(starts, rows.dtype)
        count = self._cells * len(self._edges) * NODE_INPUTS
        return xp.reshape(found, (-1, count))

    def _node(self, inputs: list[Any], operations: list[Any]) -> list[Any]:
        """What a row has of a node, `[n, cells, 1]` each."""
        return [inputs[0], operations[0], inputs[1], operations[1]]

    def _split(self, rows: Any, xp: Any) -> tuple[Any, Any]:
        """Inputs and operations in rows, `[n, cells, nodes, 2]` each."""
        shape = (-1, self._cells, len(self._edges), NODE_INPUTS, 2)
        edges = xp.reshape(rows, shape)
        return edges[..., 0], edges[..., 1]


class StrongestPairs(StrongestEdges):
    """`StrongestEdges` where a row has pairs of inputs.

    Args:
      space: of DARTS cells.
    """

    def __init__(self, space: DartsSpace) -> None:
        super().__init__(space)

    def _node(self, inputs: list[Any], operations: list[Any]) -> list[Any]:
        first, second = inputs
        # The place of the pair in `PAIRS`.
        return [second * (second - 1) // 2 + first, *operations]

    def _split(self, rows: Any, xp: Any) -> tuple[Any, Any]:
        nodes = xp.reshape(rows, (-1, self._cells, len(self._edges), 3))
        inputs = xp.take(xp.asarray(PAIRS, rows.dtype), nodes[..., 0], axis=0)
        return inputs, nodes[..., 1:]


class StrongestInputs(Relaxation):
    """The strongest input of each node, with its strongest function.

    There is a number for each input and function of each node, as DARTS has
    them in recurrent cells (Liu et al., 2019, section 3.1.2, and its code); of
    equal numbers the first is taken.

    Args:
      space: of recurrent cells whose node 0 is not chosen.
    """

    def __init__(self, space: RecurrentSpace) -> None:
        self._functions = len(space.functions)
        counts = self._functions * np.arange(1, space.num_nodes + 1)
        self._starts = np.cumsum(counts) - counts
        self.size = int(counts.sum())
        self._each = LargestOfEach(counts)

    def rows(self, numbers: Any, xp: Any = np) -> Any:
        """See `Relaxation.rows`."""
        best = self._each.rows(numbers, xp)
        pairs = (best // self._functions, best % self._functions)
        length = 2 * len(self._starts)
        return xp.reshape(xp.stack(pairs, axis=2), (-1, length))

    def positions(self, rows: Any, xp: Any = np) -> Any:
        """See `Relaxation.positions`."""
        pairs = xp.reshape(rows, (-1, len(self._starts), 2))
        best = pairs[..., 0] * self._functions + pairs[..., 1]
        return best + xp.asarray(self._starts, rows.dtype)


def relax(space: Space[Any]) -> Relaxation:
    """The numbers that stand for the choices of a space.

    Raises:
      InputError: it is of a kind that has none.
    """
    if isinstance(space, DartsSpace):
        return StrongestPairs(space)
    if isinstance(space, CellSpace):
        return StrongestEdges(space)
    if isinstance(space, Bench201Space | MacroSpace):
        return LargestOfEach(space.allowed.any(axis=1).sum(axis=1))
    if isinstance(space, RecurrentSpace) and not space.skip:
        return StrongestInputs(space)
    raise InputError(
        f"a space of {space.kind} has no relaxation to numbers; there are "
        "those of cells, recurrent ones too, of NAS-Bench-201 and of whole "
        "networks"
    )
