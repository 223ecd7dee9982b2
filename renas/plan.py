"""What a mutation may change in a space, and what a controller reads of it.

A row is read as a sequence of tokens: of each cell two that stand for the
layers before it, then of each node its inputs, its operations and one for
their sum (Chen et al., 2019, section 3.3). Cells without inputs to choose,
as on NAS-Bench-201, have no layers before.
"""

import itertools
from typing import Any

import numpy as np

from nascore.errors import InputError
from nascore.spaces.cells import CELL_INPUTS
from nascore.spaces.space import Space
from nascore.strategies.random import free_choices
from renas.config import IN_ALL

INPUT, OPERATION = "input", "operation"


class MutationPlan:
    """Places, tokens and blocks of a space, as NumPy arrays.

    `L` is the length of a row, `V` the most values of a place, `T` the
    number of tokens, `B` of blocks, `K` the most places of a block. In each
    block one place is changed: a node, or, with `one_in_all`, everything.

    Args:
      space: to search.
      mutator: see `renas.config.MutationConfig`.

    Attributes:
      choices: values of each place, `[L]`.
      legal: bool `[L, V]`.
      members: places of each block, `[B, K]`, 0 where there are fewer.
      is_member: bool, likewise.
      vocabulary: number of tokens.

    Raises:
      InputError: choices that depend on each other, or other ones than
        inputs and operations.
    """

    def __init__(self, space: Space[Any], mutator: str) -> None:
        choices = free_choices(space)
        kinds = [place.kind for place in space.places]
        odd = sorted(set(kinds) - {INPUT, OPERATION})
        if choices is None or odd:
            what = odd[0] if odd else "one that depends on another"
            raise InputError(
                "RENAS changes inputs and operations that are chosen freely, "
                f"and this space has {what}; choose cells or NAS-Bench-201"
            )
        self.space = space
        self.choices = choices
        self.legal = np.arange(choices.max()) < choices[:, None]
        self.is_input = np.array([kind == INPUT for kind in kinds])
        nodes = self._nodes()
        blocks = [[*range(space.length)]] if mutator == IN_ALL else nodes
        most = max(map(len, blocks))
        self.members = np.zeros((len(blocks), most), np.int32)
        self.is_member = np.zeros((len(blocks), most), bool)
        for block, places in enumerate(blocks):
            self.members[block, : len(places)] = places
            self.is_member[block, : len(places)] = True
        self._make_tokens(nodes)

    def _nodes(self) -> list[list[int]]:
        """Places of each node, inputs before operations."""
        order = sorted(
            range(self.space.length),
            key=lambda n: (*self._node_of(n), not self.is_input[n], n),
        )
        return [
            list(group) for _, group in itertools.groupby(order, self._node_of)
        ]

    def _node_of(self, place: int) -> tuple[int, int]:
        return self.space.places[place].cell, self.space.places[place].node

    def _make_tokens(self, nodes: list[list[int]]) -> None:
        """The sequence, and where each candidate of an input is in it."""
        inputs = int(self.choices[self.is_input].max(initial=0))
        operations = int(self.choices[~self.is_input].max(initial=0))
        joined = inputs + operations
        self.vocabulary = joined + 1 + (CELL_INPUTS if inputs else 0)
        # Of each token: the place that it shows or -1, and what is added.
        shows: list[tuple[int, int]] = []
        self.positions = np.zeros(self.space.length, np.int32)
        # Of each cell, where its layers before and its nodes are.
        tensors: dict[int, list[int]] = {}
        for places in nodes:
            cell, _ = self._node_of(places[0])
            if cell not in tensors:
                tensors[cell] = []
                for begin in range(CELL_INPUTS if inputs else 0):
                    tensors[cell].append(len(shows))
                    shows.append((-1, joined + 1 + begin))
            for place in places:
                self.positions[place] = len(shows)
                offset = 0 if self.is_input[place] else inputs
                shows.append((place, offset))
            tensors[cell].append(len(shows))
            shows.append((-1, joined))
        self.shown = np.array([place for place, _ in shows], np.int32)
        self.added = np.array([value for _, value in shows], np.int32)
        self.candidates = np.zeros((int(self.is_input.sum()), inputs), np.int32)
        for number, place in enumerate(np.flatnonzero(self.is_input).tolist()):
            count = int(self.choices[place])
            cell, _ = self._node_of(place)
            self.candidates[number, :count] = tensors[cell][:count]

    @property
    def tokens(self) -> int:
        """Length of the sequence."""
        return len(self.shown)

    @property
    def blocks(self) -> int:
        """How many changes a mutation makes."""
        return len(self.members)
