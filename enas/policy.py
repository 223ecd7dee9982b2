"""What the policies of ENAS share, whatever they choose.

Pham et al. (2018), sections 2.2 and 2.4, with the constants of the published
code.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from nascore import draws
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import fold_in
from nascore.spaces.space import Space
from nascore.strategies.policy_gradient import (
    MovingBaseline,
    descend_if_finite,
    policy_gradient_loss,
)


class Sample(NamedTuple):
    """A batch of architectures under a policy.

    Attributes:
      architectures: int32 `[n, cell types, nodes, 4]`; `[n, length]` where
        a space knows no other form than rows.
      log_prob: float32 `[n]`, log-probability of each, in nats.
      entropy: float32 `[n]`, sum of the entropies of its choices, in nats;
        no gradient flows through it.
      notes: float32 `[n]` each, what else a policy notes of them, by name.
    """

    architectures: tf.Tensor
    log_prob: tf.Tensor
    entropy: tf.Tensor
    notes: Mapping[str, tf.Tensor] = {}


class Choices:
    """Makes the choices of a batch, drawing them or replaying given ones.

    Args:
      given: int32 `[n, length]` to replay, or None to draw.
      seed: int32 `[2]`, needed to draw where `draw` is not given.
      draw: chooses from logits `[n, k]` for a column.
    """

    def __init__(
        self,
        given: tf.Tensor | None,
        seed: tf.Tensor | None = None,
        draw: Callable[[tf.Tensor, int], tf.Tensor] | None = None,
    ) -> None:
        self.given = given
        self.draw = draw or (
            lambda logits, column: draws.categorical(
                logits, fold_in(seed, column)
            )
        )
        self.columns: dict[int, tf.Tensor] = {}
        self.log_prob = tf.constant(0.0)
        self.entropy = tf.constant(0.0)

    def take(self, logits: tf.Tensor, column: int) -> tf.Tensor:
        """Chooses integer `column` from logits `[n, k]`; int32 `[n]`."""
        if self.given is None:
            choice = self.draw(logits, column)
        else:
            choice = self.given[:, column]
        log_probs = tf.nn.log_softmax(logits)
        self.log_prob += self.entry(log_probs, choice)
        self.entropy -= tf.reduce_sum(tf.exp(log_probs) * log_probs, axis=1)
        self.columns[column] = choice
        return choice

    def take_many(self, logits: tf.Tensor, column: int) -> tf.Tensor:
        """Chooses integers from `column` on, each from its own logits.

        Args:
          logits: `[n, m, k]`.
          column: of the first of m integers.

        Returns:
          Int32 `[n, m]`.
        """
        count, values = logits.shape[1:]
        flat = tf.reshape(logits, [-1, values])
        if self.given is None:
            choice = tf.reshape(self.draw(flat, column), [-1, count])
        else:
            choice = self.given[:, column : column + count]
        log_probs = tf.nn.log_softmax(logits)
        chosen = tf.gather(log_probs, choice, batch_dims=2)
        self.log_prob += tf.reduce_sum(chosen, axis=1)
        every = tf.exp(log_probs) * log_probs
        self.entropy -= tf.reduce_sum(every, axis=[1, 2])
        for place in range(count):
            self.columns[column + place] = choice[:, place]
        return choice

    def entry(self, values: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Entry `index[i]` of `values[i]`.

        Where choices are replayed there is a gradient. That of gathering is
        many operations for every choice, all to be prepared before the first
        step. The sum has one term that is not zero, so that it is exact.

        Args:
          values: float32 `[n, k, ...]`.
          index: int32 `[n]`.

        Returns:
          Float32 `[n, ...]`.
        """
        if self.given is None:
            return tf.gather(values, index, batch_dims=1)
        chosen = tf.one_hot(index, values.shape[1], True, False, dtype=tf.bool)
        if values.shape.rank > 2:
            for axis in range(2, values.shape.rank):
                chosen = tf.expand_dims(chosen, axis)
            chosen = tf.broadcast_to(chosen, tf.shape(values))
        # Not `tf.where`: its gradient is prepared for shapes that differ.
        kept = tf.raw_ops.Select(
            condition=chosen, x=values, y=tf.zeros_like(values)
        )
        return tf.reduce_sum(kept, axis=1)

    def stack(self) -> tf.Tensor:
        """All choices, int32 `[n, length]`."""
        columns = [self.columns[column] for column in sorted(self.columns)]
        return tf.stack(columns, axis=1)

    def sample(self, **notes: tf.Tensor) -> Sample:
        """All choices as rows, with what is noted of them."""
        entropy = tf.stop_gradient(self.entropy)
        return Sample(self.stack(), self.log_prob, entropy, notes)


def attend(
    keys: Sequence[tf.Tensor], query: tf.Tensor, score_kernel: tf.Tensor
) -> tf.Tensor:
    """Compares what chooses with each of what there is to choose from.

    Args:
      keys: float32 `[n, units]` each, k of them.
      query: `[n, units]`.
      score_kernel: `[units, 1]`.

    Returns:
      Float32 `[n, k]`, logits that are not bounded yet.
    """
    scores = tf.tanh(tf.stack(keys, axis=1) + query[:, None])
    flat = tf.reshape(scores, [-1, query.shape[1]]) @ score_kernel
    return tf.reshape(flat, [-1, len(keys)])


class ReinforcePolicy(tf.Module):
    """A policy as a strategy, see `nascore.protocols.Strategy`.

    What is chosen from what is up to the class that inherits it; it builds the
    optimizer of its weights.

    Args:
      space: the architectures to choose from.
      config: constants, those of `PolicyGradientConfig` that are used here,
        and whatever the class that inherits this needs.
      baseline: of the rewards.
    """

    in_graph = True
    columns: tuple[str, ...] = ("baseline", "entropy", "log_prob")
    lasting = ("baseline",)

    def __init__(
        self,
        space: Space,
        config: Any,
        baseline: MovingBaseline,
    ) -> None:
        super().__init__(name="controller")
        self.space = space
        self.config = config
        self.baseline = baseline
        self.optimizer = keras.optimizers.Adam(
            config.controller_lr, beta_1=0.0, epsilon=1e-3
        )

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        raise NotImplementedError

    def __call__(
        self,
        count: int | tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        architectures: tf.Tensor | None = None,
    ) -> Sample:
        """Samples architectures, or scores the given ones.

        Args:
          count: how many to sample.
          seed: int32 `[2]`, needed for sampling.
          architectures: as in `Sample`, to score instead.
        """
        raise NotImplementedError

    def _loss(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """What an update descends on, a scalar: that of the policy gradient."""
        scored = self(architectures=rows)
        return policy_gradient_loss(scored.log_prob, advantages)

    def _differentiate(
        self, rows: tf.Tensor, advantages: tf.Tensor
    ) -> tuple[tf.Tensor, list[Any]]:
        """The loss, and its gradient for each of `variables_to_train`."""
        with tf.GradientTape() as tape:
            loss = self._loss(rows, advantages)
        return loss, tape.gradient(loss, self.variables_to_train)

    def _descend(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """One step on the loss; whether it was made."""
        loss, gradients = self._differentiate(rows, advantages)
        return descend_if_finite(
            self.optimizer, loss, gradients, self.variables_to_train
        )

    @property
    def state(self) -> State:
        """Weights, moments of the optimizer, and the baseline."""
        moments = [v.value for v in self.optimizer.variables]
        return {
            **{f"weight_{n}": v for n, v in enumerate(self.variables_to_train)},
            **{f"optimizer_{n}": v for n, v in enumerate(moments)},
            "baseline": self.baseline.value,
        }

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Samples from the policy."""
        sample = self(count, seed)
        rows = tf.reshape(sample.architectures, [-1, self.space.length])
        notes = {"entropy": sample.entropy, "log_prob": sample.log_prob}
        return Proposals(rows, {**notes, **sample.notes})

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
        """One update from all rows; the baseline moves with each of them."""
        bonus = self.config.entropy_weight * proposals.notes["entropy"]
        totals = rewards + bonus
        baseline = self.baseline.follow(totals)
        made = self._descend(proposals.rows, totals - baseline)
        return {"baseline": baseline, "healthy": made}

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        if not math.isfinite(row["entropy"] + row["log_prob"]):
            return (
                "the controller's probabilities are not finite",
                "Lower --controller_lr in a new run",
            )
        return (
            "the controller's loss or its gradient is not finite",
            "Lower --controller_lr or --entropy_weight in a new run",
        )

    def _squash(self, logits: tf.Tensor, reduce: float = 1.0) -> tf.Tensor:
        """Bounds logits by the tanh constant over `reduce`."""
        bound = self.config.tanh_constant / reduce
        return bound * tf.tanh(logits / self.config.temperature)
