"""REINFORCE with a softmax for each place; any space, many searches at once.

The baseline of NAS-Bench-201 (Dong and Yang, 2020), whose public code draws
each edge's operation from logits of its own, without a network.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import fold, fold_in
from nascore.spaces.space import Space
from nascore.strategies.config import ReinforceConfig
from nascore.strategies.policy_gradient import (
    descend_if_finite,
    policy_gradient_loss,
)
from nascore.strategies.random import ILLEGAL

# Of the first logits.
_STREAM = 141
# Rewards are accuracies in percent, as in the public code.
_SCALE = 100.0


class CorrectedBaseline(tf.Module):
    """A moving average of rewards that is right from the first one.

    The average of what there was, weighted by `decay` to the power of its
    age, as Adam corrects its moments. It takes in a reward before it is used.

    Args:
      decay: weight of the past.
      runs: searches, each with an average of its own.
    """

    def __init__(self, decay: float, runs: int) -> None:
        super().__init__(name="corrected_baseline")
        self.decay = decay
        # Sum of weighted rewards, and of weights.
        self.sums = tf.Variable(
            tf.zeros([2, runs]), trainable=False, name="sums"
        )

    def __call__(self, rewards: tf.Tensor) -> tf.Tensor:
        """Takes in rewards in turn; returns the average after each.

        Args:
          rewards: `[runs, count]`; likewise what is returned.
        """

        def take(sums: tf.Tensor, reward: tf.Tensor) -> tf.Tensor:
            new = tf.stack([reward, tf.ones_like(reward)])
            return self.decay * sums + (1 - self.decay) * new

        every = tf.scan(take, tf.transpose(rewards), self.sums.read_value())
        self.sums.assign(every[-1])
        return tf.transpose(every[:, 0] / every[:, 1])


class Reinforce(tf.Module):
    """The strategy, see `nascore.protocols.Strategy`.

    Where a place depends on the one before, it has logits for each value of
    that. `R` is the number of searches, which share nothing.

    Args:
      space: to search.
      config: its constants.
      seeds: of the searches; the first logits follow from them.
    """

    in_graph = True
    columns = ("baseline", "entropy", "log_prob")
    lasting = ("baseline",)

    def __init__(
        self, space: Space, config: ReinforceConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(name="reinforce")
        self.space = space
        self.config = config
        self.runs = len(seeds)
        allowed, prior = space.allowed, space.prior
        # Values before that are never there are like the one that is.
        used = allowed.any(axis=2)
        first = used.argmax(axis=1)[:, None, None]
        same = np.take_along_axis(allowed, first, 1) == allowed
        free = (same.all(axis=2) | ~used).all() and not prior.any()
        if free:
            allowed = np.take_along_axis(allowed, first, 1)
            prior = np.zeros(allowed.shape)
        self._contexts = allowed.shape[1]
        # Added to the logits, `[length, contexts, values]`.
        self._fixed = tf.constant(np.where(allowed, prior, ILLEGAL), tf.float32)
        self.logits = tf.Variable(self._first(seeds), name="logits")
        self.baseline = CorrectedBaseline(config.reinforce_decay, self.runs)
        self.optimizer = keras.optimizers.Adam(
            config.reinforce_lr, epsilon=1e-8
        )
        self.optimizer.build([self.logits])

    def _first(self, seeds: Sequence[int]) -> tf.Tensor:
        """The first logits, `[R, length, contexts, values]`."""
        normal = [
            tf.random.stateless_normal(self._fixed.shape, fold(seed, _STREAM))
            for seed in seeds
        ]
        return self.config.reinforce_init * tf.stack(normal)

    @property
    def _moments(self) -> list[tf.Variable]:
        """Of the optimizer, its counter among them; not the rate."""
        rate = self.optimizer.learning_rate
        return [v.value for v in self.optimizer.variables if v is not rate]

    @property
    def state(self) -> State:
        """Logits, moments of the optimizer, and the baseline."""
        moments = {f"optimizer_{n}": v for n, v in enumerate(self._moments)}
        return {
            "logits": self.logits,
            **moments,
            "baseline": self.baseline.sums,
        }

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        self.logits.assign(self._first(seeds))
        for variable in (*self._moments, self.baseline.sums):
            variable.assign(tf.zeros_like(variable))

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Samples from the policy; with seeds `[R, 2]` those of each run."""
        log_probs = self._log_probs()
        if self._contexts == 1:
            every = tf.repeat(log_probs[:, None, :, 0], count, axis=1)
            drawn = draws.categorical(_flat(every), seed)
            rows = tf.reshape(drawn, [-1, self.space.length])
        else:
            rows = self._draw_in_turn(log_probs, count, seed)
        if isinstance(count, int):
            rows = tf.ensure_shape(rows, [self.runs * count, None])
        chosen, entropy = self._chosen(log_probs, rows)
        notes = {"entropy": entropy, "log_prob": chosen}
        return Proposals(
            rows, {name: tf.reshape(v, [-1]) for name, v in notes.items()}
        )

    def _draw_in_turn(
        self, log_probs: tf.Tensor, count: int | tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Place after place, where one depends on the one before."""
        before = tf.zeros([self.runs, count], tf.int32)
        columns = []
        for place in range(self.space.length):
            every = tf.gather(log_probs[:, place], before, batch_dims=1)
            drawn = draws.categorical(_flat(every), fold_in(seed, place))
            columns.append(drawn)
            before = tf.reshape(drawn, tf.shape(before))
        return tf.stack(columns, axis=1)

    def _log_probs(self) -> tf.Tensor:
        """Float32 `[R, length, contexts, values]`."""
        return tf.nn.log_softmax(self.logits + self._fixed)

    def _chosen(
        self, log_probs: tf.Tensor, rows: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Log-probabilities of rows and entropies of their choices.

        Args:
          log_probs: of all.
          rows: int32 `[R * count, length]`.

        Returns:
          `[R, count]` each, sums over the places, in nats.
        """
        rows = tf.reshape(rows, [self.runs, -1, self.space.length])
        before = tf.pad(rows[:, :, :-1], [[0, 0], [0, 0], [1, 0]])
        if self._contexts == 1:
            before = tf.zeros_like(rows)
        # For each row and place the values that could have been taken.
        contexts = tf.one_hot(before, self._contexts)
        every = tf.reduce_sum(contexts[..., None] * log_probs[:, None], axis=3)
        chosen = tf.gather(every, rows, batch_dims=3)
        entropy = -tf.reduce_sum(tf.exp(every) * every, axis=[2, 3])
        return tf.reduce_sum(chosen, axis=2), entropy

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
        """One update of each run from all its rows."""
        scaled = tf.reshape(rewards, [self.runs, -1]) * _SCALE
        baseline = self.baseline(scaled)
        made = self._descend(proposals.rows, scaled - baseline)
        each = tf.repeat(made, tf.shape(scaled)[1])
        return {
            "baseline": tf.reshape(baseline, [-1]) / _SCALE,
            "healthy": each if self.runs > 1 else made[0],
        }

    def _descend(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """One step on the policy-gradient loss, unless one is not finite.

        Returns:
          Bool `[R]`: whether the step was made; where it was not, whether it
          was another run's fault.
        """
        with tf.GradientTape() as tape:
            log_probs, _ = self._chosen(self._log_probs(), rows)
            # Runs are summed up, rows are averaged.
            loss = policy_gradient_loss(
                tf.transpose(log_probs), tf.transpose(advantages)
            )
        gradient = tape.gradient(loss, self.logits)
        made = descend_if_finite(
            self.optimizer, loss, [gradient], [self.logits]
        )
        norms = tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3])
        finite = tf.math.is_finite(norms)
        return made | (finite & ~tf.reduce_all(finite))

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        what = "the policy's loss or its gradient is not finite"
        if not math.isfinite(row["entropy"] + row["log_prob"]):
            what = "the policy's probabilities are not finite"
        return what, "Lower --reinforce_lr in a new run"


def _flat(values: tf.Tensor) -> tf.Tensor:
    """`[n, values]`, all but the last axis in their order."""
    return tf.reshape(values, [-1, values.shape[-1]])
