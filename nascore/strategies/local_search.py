"""Local search (White et al., 2020): hill climbing with restarts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import Arrays, State
from nascore.spaces.space import Space
from nascore.strategies.config import LocalSearchConfig
from nascore.strategies.host import HostStrategy, stack

_NOWHERE = -1


class LocalSearch(HostStrategy):
    """The strategy; nothing is asked for twice.

    From a random architecture to better neighbours (`Space.neighbours`), in
    random order, until there is none; then from another random one.

    Args:
      space: to search.
      config: when it moves.
    """

    def __init__(self, space: Space, config: LocalSearchConfig) -> None:
        super().__init__(space)
        self.config = config
        # Numbers in the history: where it stands, and the best neighbour.
        self._place = Arrays()
        self._stand(_NOWHERE)
        self._around: tuple[bytes, np.ndarray] = (b"", np.zeros([0, 0]))

    @property
    def state(self) -> State:
        """What was measured, and where it stands."""
        return {**super().state, "place": self._place}

    def ask(self, count: int, seed: Any) -> Proposals:
        """New neighbours in random order, or a random row to start from."""
        rng = np.random.default_rng(np.asarray(seed))
        if self._at < 0:
            row = self.new_row(rng, set())
            return Proposals(stack([] if row is None else [row], self.space))
        rows = self._new_neighbours()
        chosen = rng.permutation(len(rows))[: int(count)]
        return Proposals(stack([rows[n] for n in chosen], self.space))

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: Any
    ) -> Mapping[str, Any]:
        """Remembers, and moves if it is time."""
        scores = self.history.scores
        first = len(scores)
        told = super().tell(proposals, measured, rewards)
        if self._at < 0:
            self._stand(first)
        else:
            told_of = range(first, len(scores))
            ranked = [self._best, *told_of] if self._best >= 0 else told_of
            best = max(ranked, key=scores.__getitem__)
            self._stand(self._at, best)
            if self.config.climb == "first":
                self._climb()
        if not self._new_neighbours():
            self._climb()
            if not self._new_neighbours():
                self._stand(_NOWHERE)
        return told

    @property
    def _at(self) -> int:
        return int(self._place.values["at"])

    @property
    def _best(self) -> int:
        return int(self._place.values["best"])

    def _stand(self, at: int, best: int = _NOWHERE) -> None:
        self._place.values = {"at": np.array(at), "best": np.array(best)}

    def _climb(self) -> None:
        """Moves to the best neighbour that was measured, if it is better."""
        scores = self.history.scores
        if self._best >= 0 and scores[self._best] > scores[self._at]:
            self._stand(self._best)

    def _new_neighbours(self) -> list[np.ndarray]:
        """Those of where it stands that were not measured."""
        row = self.history.rows[self._at]
        key = row.tobytes()
        if self._around[0] != key:
            self._around = key, self.space.neighbours(row).astype(np.int32)
        seen = self.history.seen
        return [
            other for other in self._around[1] if other.tobytes() not in seen
        ]
