"""What chooses points of the embedding, and what it learns of rewards.

The searches of a stack share nothing: `R` is their number, `k` that of points
in each. A state is a vector of the autoencoder.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from nascore import draws
from nascore.runs.checkpoints import State
from nascore.seeds import fold_in
from nascore.strategies.reinforce import CorrectedBaseline
from nascore.strategies.stacked_adam import StackedAdam
from nases.autoencoder import Autoencoder
from nases.config import CODE, GAUSSIAN, POINTS, EmbeddingConfig

# What the public code trains on in an update.
_REPLAYED = 4
# One update more every so many steps.
_MORE_EVERY = 10
# Least deviation of rewards that is a signal and no rounding.
_SIGNAL = 1e-6


class Policy(tf.Module):
    """Points that follow from nothing but chance; and what all have.

    Args:
      autoencoder: whose embedding it is.
      config: constants.
      runs: searches.
    """

    def __init__(
        self, autoencoder: Autoencoder, config: EmbeddingConfig, runs: int
    ) -> None:
        super().__init__(name="policy")
        self.autoencoder = autoencoder
        self.config = config
        self.runs = runs

    @property
    def state(self) -> State:
        """Nothing is learned."""
        return {}

    def begin(self) -> None:
        """Begins anew, with an autoencoder that is trained."""

    def points(
        self, state: tf.Tensor, count: int | tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Chooses points.

        Args:
          state: `[R, 1, size]`.
          count: of each search.
          seed: int32 `[2]` of one search, or `[R, 2]`.

        Returns:
          Points `[R, count, embedding]`, and their log-densities in nats,
          `[R, count]`; NaN where they are not known.
        """
        width = self.autoencoder.embedding
        is_points = self.config.policy == POINTS
        size = width if is_points else self.autoencoder.reals.size
        vectors = draws.of_each(lambda s: draws.uniform([count, size], s), seed)
        vectors = tf.reshape(vectors, [self.runs, -1, size])
        if not is_points:
            vectors = self.autoencoder.encode(vectors)
        density = 0.0 if is_points else math.nan
        return vectors, tf.fill(tf.shape(vectors)[:2], density)

    def learn(
        self,
        state: tf.Tensor,
        points: tf.Tensor,
        rewards: tf.Tensor,
        following: tf.Tensor,
        step: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Learns of rewards.

        Args:
          state: the points were chosen in, `[R, 1, size]`.
          points: `[R, k, embedding]`.
          rewards: of them, `[R, k]`.
          following: the state of the next step, `[R, 1, size]`.
          step: number of this one, int32 scalar.
          seed: int32 `[R, 2]`.

        Returns:
          Bool `[R]`, whether the update was finite, and the baseline
          `[R, k]`.
        """
        return tf.ones([self.runs], tf.bool), tf.zeros_like(rewards)

    def is_training(self, step: tf.Tensor) -> tf.Tensor:
        """Whether a step is one that is learned in, a bool scalar."""
        config = self.config
        if not config.cycle:
            return tf.constant(True)
        return step % config.cycle >= config.cycle_random


class Controller(Policy):
    """A controller that begins as the simulator (section 3.2)."""

    def __init__(
        self, autoencoder: Autoencoder, config: EmbeddingConfig, runs: int
    ) -> None:
        super().__init__(autoencoder, config, runs)
        self.weights = {
            name: tf.Variable(value, name=name)
            for name, value in autoencoder.simulator.items()
        }
        self.optimizer = StackedAdam(self.weights, config.controller_lr)

    @property
    def state(self) -> State:
        """Weights, and what the optimizer remembers."""
        every = {**self.weights, **self.optimizer.state}
        return {f"controller_{name}": value for name, value in every.items()}

    def begin(self) -> None:
        """See `Policy.begin`; the controller is the simulator."""
        self.copy_simulator()

    def copy_simulator(self) -> tf.Tensor:
        """Makes the controller the simulator; True, for a graph."""
        for name, value in self.autoencoder.simulator.items():
            self.weights[name].assign(value)
        self.optimizer.restart()
        return tf.constant(True)

    def __call__(self, states: tf.Tensor) -> tf.Tensor:
        """Codes `[R, k, embedding]` of states `[R, k, size]`."""
        return self.autoencoder.encode(states, self.weights)

    def _begin_cycle(self, step: tf.Tensor) -> None:
        """Before the first step of another cycle the controller is reset."""
        cycle = self.config.cycle
        if cycle:
            tf.cond(
                tf.equal((step + 1) % cycle, 0),
                self.copy_simulator,
                lambda: tf.constant(True),
            )


class GaussianPolicy(Controller):
    """Normal around the controller's output, learned by REINFORCE.

    Ours: the paper says policy gradient and names no distribution.
    """

    def __init__(
        self, autoencoder: Autoencoder, config: EmbeddingConfig, runs: int
    ) -> None:
        super().__init__(autoencoder, config, runs)
        self.baseline = CorrectedBaseline(config.baseline_decay, runs)

    @property
    def state(self) -> State:
        """See `Controller.state`; and the baseline."""
        return {**super().state, "baseline": self.baseline.sums}

    def begin(self) -> None:
        """See `Policy.begin`."""
        super().begin()
        self.baseline.sums.assign(tf.zeros_like(self.baseline.sums))

    def points(
        self, state: tf.Tensor, count: int | tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `Policy.points`."""
        width = self.autoencoder.embedding
        noise = draws.of_each(
            lambda one: tf.random.stateless_normal([count, width], one), seed
        )
        noise = tf.reshape(noise, [self.runs, -1, width])
        points = self(state) + self.config.sigma * noise
        return points, self.log_density(state, points)

    def log_density(self, state: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
        """Log-densities of points in a state, `[R, k]`, in nats."""
        sigma, width = self.config.sigma, self.autoencoder.embedding
        distance = tf.square((points - self(state)) / sigma)
        constant = width * math.log(sigma * math.sqrt(2 * math.pi))
        return -tf.reduce_sum(distance, axis=2) / 2 - constant

    def learn(
        self,
        state: tf.Tensor,
        points: tf.Tensor,
        rewards: tf.Tensor,
        following: tf.Tensor,
        step: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One update of REINFORCE; see `Policy.learn`."""
        baseline = self.baseline(rewards)
        finite = tf.cond(
            self.is_training(step),
            lambda: self._descend(state, points, rewards - baseline),
            lambda: tf.ones([self.runs], tf.bool),
        )
        with tf.control_dependencies([finite]):
            self._begin_cycle(step)
        return finite, baseline

    def _descend(
        self, state: tf.Tensor, points: tf.Tensor, advantages: tf.Tensor
    ) -> tf.Tensor:
        weights = list(self.weights.values())
        with tf.GradientTape() as tape:
            gain = self.log_density(state, points) * advantages
            # Searches share nothing: their losses are summed up.
            loss = -tf.reduce_sum(tf.reduce_mean(gain, axis=1))
        return self.optimizer.descend(tape.gradient(loss, weights))


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
        variables: Sequence[tf.Variable] = list(self.weights.values())
        with tf.GradientTape() as tape:
            entropy = tf.nn.sigmoid_cross_entropy_with_logits(
                labels=codes, logits=self(states)
            )
            loss = tf.reduce_mean(entropy * weights[..., None], axis=[1, 2])
            decay = tf.add_n([tf.nn.l2_loss(value) for value in variables])
            # Searches share nothing: their losses are summed up.
            total = tf.reduce_sum(loss) + self.config.code_decay * decay
        return self.optimizer.descend(tape.gradient(total, variables))


def make_policy(
    autoencoder: Autoencoder, config: EmbeddingConfig, runs: int
) -> Policy:
    """The policy that settings name."""
    if config.policy == GAUSSIAN:
        return GaussianPolicy(autoencoder, config, runs)
    if config.policy == CODE:
        return CodePolicy(autoencoder, config, runs)
    return Policy(autoencoder, config, runs)
