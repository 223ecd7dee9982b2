"""What may be built: a finite set of architectures, each also a row.

To people an architecture is a value with a text; to a strategy it is a row
of integers, and a table says which integer may follow which. Whoever knows
the table samples, mutates and counts without knowing what is built. NumPy
only, no TensorFlow.
"""

import abc
from collections.abc import Iterator, Mapping
from typing import ClassVar, Generic, NamedTuple, TypeVar

import numpy as np

from nascore.errors import InputError

A = TypeVar("A")


class Place(NamedTuple):
    """What one integer of a row decides.

    Attributes:
      cell: of which cell, from 0; 0 where there are none.
      node: of which node or layer, from 0.
      kind: `input`, `pair` (of inputs), `operation`, `skip`, `layer`, or
        `kernel` or `channels` of a layer.
    """

    cell: int
    node: int
    kind: str


class Space(abc.ABC, Generic[A]):
    """A finite set of architectures `A`, each also a row of integers.

    Subclasses are frozen dataclasses, whose fields a run's `config.json`
    holds. They give the table of legal values and what belongs to their
    architectures; what follows from the table is given here.
    """

    # Its name among all kinds, see `nascore.spaces.kinds`.
    kind: ClassVar[str]
    # Of the columns that hold an architecture in a CSV file.
    column_names: tuple[str, ...] = ("architecture",)

    @property
    @abc.abstractmethod
    def places(self) -> tuple[Place, ...]:
        """What each integer of a row decides, in their order."""

    @property
    @abc.abstractmethod
    def allowed(self) -> np.ndarray:
        """Bool `[length, values, values]`: place, value before, value.

        Before the first place stands 0.
        """

    @property
    def prior(self) -> np.ndarray:
        """Float64, shaped as `allowed`; added to the logits of a policy.

        With it a policy that knows nothing, whose own logits are all alike,
        samples as the space wants; zeros unless a space says otherwise.
        """
        return np.zeros(self.allowed.shape)

    @abc.abstractmethod
    def encode(self, architecture: A) -> np.ndarray:
        """Returns the row of an architecture, int32 `[length]`."""

    @abc.abstractmethod
    def decode(self, row: np.ndarray) -> A:
        """Returns the architecture of a row.

        Raises:
          InputError: the row is not legal; names the place.
        """

    @abc.abstractmethod
    def parse(self, text: str) -> A:
        """Reads the text of an architecture.

        Raises:
          InputError: it is none of this space; names the place.
        """

    @abc.abstractmethod
    def format(self, architecture: A) -> str:
        """Returns the text of an architecture, one line."""

    @abc.abstractmethod
    def describe(self, architecture: A) -> str:
        """Returns several lines for people."""

    def columns(self, architecture: A) -> dict[str, str]:
        """An architecture as columns of a CSV file, `column_names`."""
        return {"architecture": self.format(architecture)}

    def parse_columns(self, row: Mapping[str, object]) -> A:
        """Reads an architecture from a row of a CSV file.

        Raises:
          InputError: it is none of this space.
        """
        texts = (str(row[name]) for name in self.column_names)
        return self.parse(" ".join(texts))

    @property
    def length(self) -> int:
        """Integers of a row."""
        return len(self.places)

    def size(self) -> int:
        """Exact number of legal rows."""
        ways = self.allowed[0, 0].astype(object)
        for table in self.allowed[1:]:
            ways = ways @ table.astype(object)
        return int(ways.sum())

    def is_legal(self, row: np.ndarray) -> bool:
        """Whether a row `[length]` keeps to the table."""
        row = np.asarray(row)
        values = self.allowed.shape[-1]
        if row.shape != (self.length,) or row.min() < 0 or row.max() >= values:
            return False
        before = np.concatenate([[0], row[:-1]])
        return bool(self.allowed[np.arange(self.length), before, row].all())

    def draw(self, rng: np.random.Generator) -> A:
        """Draws one architecture, see `sample`."""
        return self.decode(self.sample(rng, 1)[0])

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Draws rows, int32 `[count, length]`, each value under the prior.

        Without a prior all legal values of a place are equally likely, given
        the one before.
        """
        weights = np.where(self.allowed, np.exp(self.prior), 0.0)
        rows = np.zeros((count, self.length), np.int32)
        before = np.zeros(count, np.int32)
        for place in range(self.length):
            sums = weights[place, before].cumsum(axis=1)
            draws = rng.random(count) * sums[:, -1]
            # The first value whose sum is above the draw has a weight.
            before = (sums <= draws[:, None]).sum(axis=1).astype(np.int32)
            rows[:, place] = before
        return rows

    def enumerate(self) -> Iterator[np.ndarray]:
        """Yields every legal row in order; only sensible for tiny spaces."""

        def grow(row: list[int]) -> Iterator[np.ndarray]:
            if len(row) == self.length:
                yield np.array(row, np.int32)
                return
            before = row[-1] if row else 0
            for value in np.flatnonzero(self.allowed[len(row), before]):
                yield from grow([*row, int(value)])

        yield from grow([])

    def alternatives(self, row: np.ndarray) -> np.ndarray:
        """What may stand in each place instead, all others unchanged.

        Args:
          row: int `[length]`, legal.

        Returns:
          Bool `[length, values]`.
        """
        row = np.asarray(row)
        numbers = np.arange(self.length)
        before = np.concatenate([[0], row[:-1]])
        fits = self.allowed[numbers, before].copy()
        fits[:-1] &= self.allowed[numbers[1:], :, row[1:]]
        fits[numbers, row] = False
        return fits

    def neighbours(self, row: np.ndarray) -> np.ndarray:
        """All legal rows that differ from one in one place, `[n, length]`."""
        changes = np.argwhere(self.alternatives(row))
        rows = np.repeat(np.asarray(row, np.int32)[None], len(changes), axis=0)
        rows[np.arange(len(changes)), changes[:, 0]] = changes[:, 1]
        return rows

    def mutate(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Changes one integer to another legal value.

        The place is uniform over those that have an alternative, the new
        value uniform over these (Real et al., 2019, section 3.1, without
        their identity mutation).

        Args:
          row: int `[length]`, legal.
          rng: draws.

        Raises:
          InputError: nothing can be changed.
        """
        fits = self.alternatives(row)
        places = np.flatnonzero(fits.any(axis=1))
        if not places.size:
            raise InputError("no single choice of the architecture can change")
        place = rng.choice(places)
        changed = np.array(row, np.int32)
        changed[place] = rng.choice(np.flatnonzero(fits[place]))
        return changed


def table_of_choices(choices: np.ndarray) -> np.ndarray:
    """Returns `Space.allowed` of places that depend on none before.

    Args:
      choices: int `[length]`; place k takes 0 to `choices[k] - 1`.
    """
    values = int(np.max(choices))
    legal = np.arange(values) < np.reshape(choices, (-1, 1))
    before = np.concatenate([np.arange(values)[None] == 0, legal[:-1]])
    return before[:, :, None] & legal[:, None, :]
