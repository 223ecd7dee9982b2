"""What chooses points of the embedding, and what it learns of rewards.

The searches of a stack share nothing: `R` is their number, `k` that of points
in each. A state is a vector of the autoencoder.
"""

import math

import tensorflow as tf

from nascore import draws
from nascore.runs.checkpoints import State
from nascore.strategies.reinforce import CorrectedBaseline
from nascore.strategies.stacked_adam import StackedAdam
from nases.autoencoder import Autoencoder
from nases.config import POINTS, EmbeddingConfig


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
