"""The update of the public code, as a policy."""

import math

import tensorflow as tf

from nascore import draws
from nascore.runs.checkpoints import State
from nascore.seeds import fold_in
from nases.autoencoder import Autoencoder
from nases.config import EmbeddingConfig
from nases.policies import Controller

# What the public code trains on in an update.
_REPLAYED = 4
# One update more every so many steps.
_MORE_EVERY = 10
# Least deviation of rewards that is a signal and no rounding.
_SIGNAL = 1e-6


class CodePolicy(Controller):
    """The public code's update, named for what it is.

    The point is the controller's own output, a sigmoid. It is stored, with
    its state, before the updates that it takes part in. The loss is the cross
    entropy of the outputs, taken for logits, with the stored outputs as
    labels, weighted by rewards that are standardized over all so far, and
    `code_decay` times half the sum of squared weights (files controller.py
    and train.py, jimliu741523/NASES). Nothing is sampled: a good reward
    drives every output away from where its sigmoid is itself, 0.66, a bad
    one towards it.

    The newest state takes part in the first update of a step with the
    reward of the step before, as there. Others are drawn with replacement,
    there without. The decay of the autoencoder's own
    weights, which are frozen, has no gradient and is left out.

    Args:
      autoencoder: see `Policy`; likewise below.
      config: likewise.
      runs: likewise.
      steps: that are remembered.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        config: EmbeddingConfig,
        runs: int,
        steps: int = 1024,
    ) -> None:
        super().__init__(autoencoder, config, runs)
        self._steps = steps
        widths = {
            "states": autoencoder.reals.size,
            "codes": autoencoder.embedding,
            "rewards": 1,
        }
        # Newer steps take the places of the oldest.
        self._memory = {
            name: tf.Variable(
                tf.zeros([runs, steps, width]), trainable=False, name=name
            )
            for name, width in widths.items()
        }

    @property
    def state(self) -> State:
        """See `Controller.state`; and what is remembered."""
        memory = {f"memory_{name}": v for name, v in self._memory.items()}
        return {**super().state, **memory}

    def begin(self) -> None:
        """See `Policy.begin`."""
        super().begin()
        for variable in self._memory.values():
            variable.assign(tf.zeros_like(variable))

    def points(
        self, state: tf.Tensor, count: int | tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Policy.points`; all of a search are one."""
        points = tf.repeat(self(state), count, axis=1)
        return points, tf.fill(tf.shape(points)[:2], math.nan)

    def learn(
        self,
        state: tf.Tensor,
        points: tf.Tensor,
        rewards: tf.Tensor,
        following: tf.Tensor,
        step: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The updates before the next step; see `Policy.learn`.

        Its points are one, so their rewards are averaged.
        """
        # What is stored of the first step is stored here, of others before.
        tf.cond(
            tf.equal(step, 0),
            lambda: self._store(step, state),
            lambda: tf.constant(True),
        )
        self._write(
            "rewards", step, tf.reduce_mean(rewards, axis=1, keepdims=True)
        )
        self._begin_cycle(step)
        self._store(step + 1, following)
        count = tf.minimum((step + 1) // _MORE_EVERY, self.config.code_updates)
        count = tf.where(self.is_training(step + 1), count, 0)
        # The newest has no reward yet.
        held = tf.minimum(step + 1, self._steps - 1)
        weights = self._standardized(step, held)

        def body(number: tf.Tensor, fine: tf.Tensor) -> tuple[tf.Tensor, ...]:
            places = draws.of_each(
                lambda one: draws.below(held, [1, _REPLAYED], one),
                fold_in(seed, number),
                tf.int32,
            )
            places = (step + 1 - held + places) % self._steps
            values = tf.gather(weights, places, batch_dims=1)
            # The newest has the reward of the one before it.
            newest = tf.equal(number, 0) & (
                tf.range(_REPLAYED) == _REPLAYED - 1
            )
            before = tf.gather(weights, step % self._steps, axis=1)
            values = tf.where(newest, before[:, None], values)
            places = tf.where(newest, (step + 1) % self._steps, places)
            states, codes = (
                tf.gather(self._memory[name], places, batch_dims=1)
                for name in ("states", "codes")
            )
            finite = self._descend(states, codes, values)
            return number + 1, fine & finite

        _, finite = tf.while_loop(
            lambda number, _: number < count,
            body,
            (tf.constant(0), tf.ones([self.runs], tf.bool)),
        )
        return finite, tf.zeros_like(rewards)

    def _store(self, step: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """Remembers a state, and what the controller makes of it."""
        self._write("states", step, state[:, 0])
        self._write("codes", step, self(state)[:, 0])
        return tf.constant(True)

    def _write(self, name: str, step: tf.Tensor, values: tf.Tensor) -> None:
        self._memory[name][:, step % self._steps].assign(values)

    def _standardized(self, step: tf.Tensor, held: tf.Tensor) -> tf.Tensor:
        """Rewards with mean 0 and deviation 1, `[R, steps]`.

        Args:
          step: the last that was rewarded, an int32 scalar.
          held: how many that are remembered were, likewise.
        """
        rewards = self._memory["rewards"][:, :, 0]
        age = (step - tf.range(self._steps)) % self._steps
        there = tf.cast(age < held, tf.float32)
        count = tf.cast(held, tf.float32)
        mean = tf.reduce_sum(there * rewards, axis=1, keepdims=True) / count
        centred = rewards - mean
        square = tf.reduce_sum(there * tf.square(centred), 1, keepdims=True)
        deviation = tf.sqrt(square / count)
        return tf.where(deviation > _SIGNAL, centred / deviation, 0.0)

    def _descend(
        self, states: tf.Tensor, codes: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        variables = list(self.weights.values())
        with tf.GradientTape() as tape:
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(
                labels=codes, logits=self(states)
            )
            loss = tf.reduce_mean(entropy * weights[..., None], axis=[1, 2])
            decay = tf.add_n([tf.nn.l2_loss(value) for value in variables])
            # Searches share nothing: their losses are summed up.
            total = tf.reduce_sum(loss) + self.config.code_decay * decay
        return self.optimizer.descend(tape.gradient(total, variables))
