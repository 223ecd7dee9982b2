"""Regularised evolution (Real et al., 2019, algorithm 1); any space."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nascore.protocols import Proposals
from nascore.spaces.space import Space
from nascore.strategies.config import EvolutionConfig
from nascore.strategies.host import HostStrategy, stack

# Until a child is new; then it is drawn at random.
_TOURNAMENTS = 100


class Evolution(HostStrategy):
    """The strategy; a population of the last ones, or of the best.

    Who lives follows from what was measured, in its order. Rows that are
    asked for at once have parents of one population.

    Args:
      space: to search.
      config: its constants.
    """

    def __init__(self, space: Space, config: EvolutionConfig) -> None:
        super().__init__(space)
        self.config = config
        self._nodes = nodes_of(space)

    def ask(self, count: int, seed: Any) -> Proposals:
        """Random rows until there is a population, then children."""
        rng = np.random.default_rng(np.asarray(seed))
        grown = len(self.history) >= self.config.population
        living = self.eligible() if grown else ()
        rows: list[np.ndarray] = []
        taken: set[bytes] = set()
        for _ in range(int(count)):
            row = self._child(living, rng, taken)
            if row is None:
                break
            rows.append(row)
            taken.add(row.tobytes())
        return Proposals(stack(rows, self.space))

    def eligible(self) -> Sequence[int]:
        """Numbers of the living in the history."""
        number, most = len(self.history), self.config.population
        if self.config.removal == "oldest" or number <= most:
            return range(max(0, number - most), number)
        # Of equals the oldest dies: of all that ever were the best are left.
        ranked = np.argsort(self.history.scores, kind="stable")
        return ranked[-most:].tolist()

    def _child(
        self,
        living: Sequence[int],
        rng: np.random.Generator,
        taken: set[bytes],
    ) -> np.ndarray | None:
        """A mutant of the best of some of the living, or a random row."""
        repeats, scores = self.config.repeats, self.history.scores
        if not living:
            if repeats:
                return self.space.sample(rng, 1)[0]
            return self.new_row(rng, taken)
        for _ in range(_TOURNAMENTS):
            places = rng.integers(len(living), size=self.config.tournament)
            contenders = [living[place] for place in places.tolist()]
            parent = max(contenders, key=scores.__getitem__)
            row = self._mutate(self.history.rows[parent], rng)
            key = row.tobytes()
            if repeats or not (key in self.history.seen or key in taken):
                return row
        return self.new_row(rng, taken)

    def _mutate(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.config.mutation == "node_first" and self._nodes:
            return mutate_node_first(self.space, self._nodes, row, rng)
        return self.space.mutate(row, rng)


def nodes_of(space: Space) -> list[list[int]]:
    """Places of each node of each cell; none if each has one place alone."""
    keys = [(place.cell, place.node) for place in space.places]
    nodes = [
        [n for n, other in enumerate(keys) if other == key]
        for key in dict.fromkeys(keys)
    ]
    return nodes if len(nodes) < len(keys) else []


def mutate_node_first(
    space: Space,
    nodes: Sequence[Sequence[int]],
    row: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Changes a choice of a node: first the node is drawn, then the choice.

    Of those that have an alternative, all are equally likely each time. A
    node with few choices, such as the first of a cell of NAS-Bench-201, so
    changes them more often than others.

    Args:
      space: of the row.
      nodes: see `nodes_of`.
      row: int `[length]`, legal.
      rng: draws.
    """
    fits = space.alternatives(row)
    can = set(np.flatnonzero(fits.any(axis=1)).tolist())
    choices = ([place for place in node if place in can] for node in nodes)
    open_nodes = [places for places in choices if places]
    if not open_nodes:
        return space.mutate(row, rng)
    node = open_nodes[rng.integers(len(open_nodes))]
    place = node[rng.integers(len(node))]
    values = np.flatnonzero(fits[place])
    changed = np.array(row, np.int32)
    changed[place] = values[rng.integers(len(values))]
    return changed
