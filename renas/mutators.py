"""What mutations do, and mutations at random.

`R` is the number of searches, `n` that of parents in each; other sizes are
those of `renas.plan.MutationPlan`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from nascore.runs.checkpoints import State
from nascore.strategies.random import ILLEGAL
from renas.plan import MutationPlan


class Chances(NamedTuple):
    """Log-probabilities of all that a mutation may do.

    Attributes:
      routers: of which place changes, `[R, n, B, K]`.
      values: of what a place becomes, if it changes, `[R, n, L, V]`.
    """

    routers: tf.Tensor
    values: tf.Tensor


class Actions(NamedTuple):
    """What mutations did.

    Attributes:
      routes: int32 `[R, n, B]`, numbers among the places of a block.
      values: int32 `[R, n, B]`, what the place became.
    """

    routes: tf.Tensor
    values: tf.Tensor


class RandomMutator:
    """All places and all values are equally likely; nothing is learned.

    Args:
      plan: of the space.
      mask_same: whether a place that changes never keeps its value.
    """

    def __init__(self, plan: MutationPlan, mask_same: bool = False) -> None:
        self.plan = plan
        self.mask_same = mask_same
        self._no_member = tf.constant(~plan.is_member)
        self._illegal = tf.constant(~plan.legal)
        # Where there is no other value, the old one is kept.
        self._maskable = tf.constant(mask_same & (plan.choices > 1))
        self._members = tf.constant(plan.members)

    def chances(self, rows: tf.Tensor) -> Chances:
        """Of parents, int32 `[R, n, L]`."""
        runs, count = tf.unstack(tf.shape(rows)[:2])
        blocks, most = self.plan.members.shape
        length, values = self.plan.legal.shape
        return self._normalize(
            tf.zeros([runs, count, blocks, most]),
            tf.zeros([runs, count, length, values]),
            rows,
        )

    def _normalize(
        self, routers: tf.Tensor, values: tf.Tensor, rows: tf.Tensor
    ) -> Chances:
        """Chances of logits, without what cannot be."""
        out = self._illegal
        if self.mask_same:
            own = tf.one_hot(rows, self.plan.legal.shape[1], True, False)
            out |= own & self._maskable[:, None]
        return Chances(
            tf.nn.log_softmax(tf.where(self._no_member, ILLEGAL, routers)),
            tf.nn.log_softmax(tf.where(out, ILLEGAL, values)),
        )

    def changed(self, routes: tf.Tensor) -> tf.Tensor:
        """Places that routes `[R, n, B]` lead to, likewise."""
        chosen = tf.one_hot(routes, self.plan.members.shape[1], dtype=tf.int32)
        return tf.reduce_sum(chosen * self._members, axis=3)

    def values_of(self, chances: Chances, routes: tf.Tensor) -> tf.Tensor:
        """Log-probabilities of values where routes lead, `[R, n, B, V]`."""
        return tf.gather(chances.values, self.changed(routes), batch_dims=2)

    def apply(self, rows: tf.Tensor, actions: Actions) -> tf.Tensor:
        """The children of parents, int32 `[R, n, L]`."""
        places = self.changed(actions.routes)[..., None]
        here = tf.equal(places, tf.range(self.plan.space.length))
        value = tf.where(here, actions.values[..., None], -1)
        new = tf.reduce_max(value, axis=2)
        return tf.where(new >= 0, new, rows)

    def score(
        self, chances: Chances, actions: Actions
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Log-probabilities of actions, and entropies of all that could be.

        Returns:
          `[R, n]` each, in nats: sums over the blocks. Of a value that was
          drawn the entropy is that of each place, weighted by its chance.
        """
        values = self.values_of(chances, actions.routes)
        chosen = tf.gather(chances.routers, actions.routes, batch_dims=3)
        chosen += tf.gather(values, actions.values, batch_dims=3)
        routed = tf.exp(chances.routers)
        inside = tf.gather(_entropy(chances.values), self._members, axis=2)
        each = _entropy(chances.routers)
        each += tf.reduce_sum(routed * inside, axis=3)
        return tf.reduce_sum(chosen, axis=2), tf.reduce_sum(each, axis=2)

    @property
    def state(self) -> State:
        """Nothing is learned."""
        return {}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`; nothing is remembered."""


def _entropy(log_probs: tf.Tensor) -> tf.Tensor:
    """Over the last axis, in nats; what cannot be adds nothing."""
    return -tf.reduce_sum(tf.exp(log_probs) * log_probs, axis=-1)
