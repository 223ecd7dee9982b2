"""What strategies without a graph share: all that was measured, and ends."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State, pack, unpack
from nascore.runs.tables import Row
from nascore.spaces.space import Space

# Draws until one is new; then the rest is listed, where that can be.
_TRIES = 100
_LISTED = 1_000_000


class ScoredRows(tf.train.experimental.PythonState):
    """What was measured, in its order.

    Attributes:
      rows: int32 `[length]` each.
      scores: of them.
      seen: the bytes of each row.
    """

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.scores: list[float] = []
        self.seen: set[bytes] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, rows: np.ndarray, scores: np.ndarray) -> None:
        """Takes in rows `[n, length]` and their scores `[n]`."""
        self.rows.extend(rows := np.array(rows, np.int32))
        self.scores.extend(np.asarray(scores, np.float64).tolist())
        self.seen.update(row.tobytes() for row in rows)

    def best(self, count: int, among: Sequence[int]) -> np.ndarray:
        """Rows with the highest scores, each once, int32 `[m, length]`.

        Args:
          count: most of them.
          among: their numbers; of equal scores the earlier one comes first.
        """
        ranked = sorted(among, key=lambda number: -self.scores[number])
        found: dict[bytes, np.ndarray] = {}
        for number in ranked:
            row = self.rows[number]
            found.setdefault(row.tobytes(), row)
            if len(found) == count:
                break
        return np.stack(list(found.values()))

    def serialize(self) -> bytes:
        """Rows and scores as an NPZ file."""
        rows, scores = np.array(self.rows, np.int32), np.array(self.scores)
        return pack({"rows": rows, "scores": scores})

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        values = unpack(string_value)
        self.__init__()  # type: ignore[misc]
        self.add(values["rows"], values["scores"])


class HostStrategy:
    """The parts of a strategy that learns from a history of scores.

    See `nascore.protocols.Strategy`; subclasses ask.

    Args:
      space: to search.
    """

    in_graph = False
    columns: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()

    def __init__(self, space: Space) -> None:
        self.space = space
        self.history = ScoredRows()

    @property
    def state(self) -> State:
        """What was measured."""
        return {"history": self.history}

    def ask(self, count: int, seed: Any) -> Proposals:
        """See `Strategy.ask`."""
        raise NotImplementedError

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: Any
    ) -> Mapping[str, Any]:
        """Remembers the scores."""
        self.history.add(proposals.rows, measured.score)
        return {"healthy": True}

    def eligible(self) -> Sequence[int]:
        """Numbers of those in the history that may be proposed at the end."""
        return range(len(self.history))

    def finalists(self, count: int | tf.Tensor, seed: Any) -> np.ndarray:
        """The best measured ones that may be, each once."""
        return self.history.best(int(count), self.eligible())

    def sample(self, count: int | tf.Tensor, seed: Any) -> tf.Tensor:
        """As many of the finalists, again from the first if they are few.

        What is scored after an epoch over shared weights.
        """
        best = self.finalists(count, seed)
        return tf.constant(best[np.arange(int(count)) % len(best)], tf.int32)

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`; there is no update that could fail."""
        raise AssertionError(row)

    def new_row(
        self, rng: np.random.Generator, taken: set[bytes]
    ) -> np.ndarray | None:
        """A random row that was neither measured nor taken.

        None if there is no more.
        """
        seen = self.history.seen
        for row in self.space.sample(rng, _TRIES):
            key = row.tobytes()
            if key not in seen and key not in taken:
                return row
        if self.space.size() > _LISTED:
            return None
        left = [
            row
            for row in self.space.enumerate()
            if not {row.tobytes()} & (seen | taken)
        ]
        return left[rng.integers(len(left))] if left else None


def stack(rows: Sequence[np.ndarray], space: Space) -> np.ndarray:
    """Rows as an array `[n, length]`, also of none."""
    return np.array(rows, np.int32).reshape(len(rows), space.length)
