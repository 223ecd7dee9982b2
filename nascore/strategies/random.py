"""Random search: every legal value of a place is equally likely."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import fold_in
from nascore.spaces.space import Space

# Far below every logit, yet finite: 0 * -inf would spoil the entropy.
ILLEGAL = -1e9


class RandomStrategy(tf.Module):
    """Samples under the space's prior; see `nascore.protocols.Strategy`.

    Args:
      space: the architectures to choose from.
    """

    in_graph = True
    columns = ("entropy", "log_prob")
    lasting: tuple[str, ...] = ()

    def __init__(self, space: Space) -> None:
        super().__init__(name="random")
        self.space = space
        self._choices = free_choices(space)
        prior = np.where(space.allowed, space.prior, ILLEGAL)
        self._log_probs = tf.nn.log_softmax(tf.constant(prior, tf.float32))

    @property
    def state(self) -> State:
        """Nothing is learned."""
        return {}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `Restarts`; nothing is remembered."""

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Draws rows; of seeds `[runs, 2]` those of each run."""
        if self._choices is None:
            return self._draw_in_turn(count, seed)
        choices = tf.constant(self._choices, tf.int32)
        rows = draws.of_each(
            lambda one: draws.below(choices, [count, self.space.length], one),
            seed,
            tf.int32,
        )
        entropy = tf.reduce_sum(tf.math.log(tf.cast(choices, tf.float32)))
        entropies = tf.fill([tf.shape(rows)[0]], entropy)
        return Proposals(rows, {"entropy": entropies, "log_prob": -entropies})

    def _draw_in_turn(
        self, count: int | tf.Tensor, seed: tf.Tensor
    ) -> Proposals:
        """Place after place, where one depends on the one before."""
        total = count * (tf.size(seed) // 2)
        before = tf.zeros([total], tf.int32)
        columns = []
        entropy = log_prob = tf.zeros([total])
        for place in range(self.space.length):
            every = tf.gather(self._log_probs[place], before)
            before = draws.categorical(every, fold_in(seed, place))
            columns.append(before)
            log_prob += tf.gather(every, before, batch_dims=1)
            entropy -= tf.reduce_sum(tf.exp(every) * every, axis=1)
        rows = tf.stack(columns, axis=1)
        return Proposals(rows, {"entropy": entropy, "log_prob": log_prob})

    @tf.function(autograph=False)
    def sample(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Rows of `ask`, int32 `[count, length]`, compiled once."""
        return self.ask(count, seed).rows

    def finalists(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh samples."""
        return self.sample(count, seed)

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, Any]:
        """Learns nothing."""
        return {"healthy": tf.constant(True)}

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`; there is no update that could fail."""
        raise AssertionError(row)


def random_rows(space: Space) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Proposes random rows, from a count and a seed; compiled once."""
    strategy = RandomStrategy(space)

    def sample(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        # A compiled method does not keep its object alive by itself.
        return strategy.sample(count, seed)

    return sample


def free_choices(space: Space) -> np.ndarray | None:
    """Values of each place, `[length]`, if all are free and equally likely.

    None if a place depends on the one before, or the space has a prior.
    """
    if np.any(space.prior):
        return None
    counts = space.allowed.sum(axis=2)
    most = counts.max(axis=1)
    values = np.arange(space.allowed.shape[-1])
    legal = values < most[:, None]
    used = counts > 0
    same = np.where(used[:, :, None], legal[:, None] == space.allowed, True)
    return most if same.all() else None
