"""Training the controller: REINFORCE, and the accuracy predictor with it."""

import keras
import tensorflow as tf

from mlpnas.config import PolicyConfig
from mlpnas.controller import Controller, Sample
from mlpnas.space import PADDING
from nascore.reinforce import (
    discounted_returns,
    policy_gradient_loss,
    standardize,
)


class PolicyTrainer(tf.Module):
    """Samples from a controller and trains it with what was measured.

    Args:
      controller: the policy; one without variables is only sampled.
      config: constants.
    """

    def __init__(self, controller: Controller, config: PolicyConfig) -> None:
        super().__init__(name="policy")
        self.controller = controller
        self.config = config
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.InverseTimeDecay(
                config.controller_lr, 1, config.controller_decay
            )
        )
        self.optimizer.build(controller.variables_to_train)

    @property
    def state(self) -> list[tf.Variable]:
        """Every variable that a resumed run needs."""
        return [
            *self.controller.variables_to_train,
            *(variable.value for variable in self.optimizer.variables),
        ]

    @tf.function(autograph=False)
    def sample(self, count: tf.Tensor, seed: tf.Tensor) -> Sample:
        """Draws `count` sequences."""
        return self.controller(count, seed)

    @tf.function(autograph=False, reduce_retracing=True)
    def score(self, sequences: tf.Tensor) -> Sample:
        """Scores sequences, int32 `[n, max_layers]`."""
        return self.controller(sequences=sequences)

    def rewards(self, accuracies: tf.Tensor) -> tf.Tensor:
        """What the policy is rewarded with, `[n]` (section 5.1)."""
        rewards = accuracies - self.config.baseline
        return (
            standardize(rewards) if self.config.normalize_rewards else rewards
        )

    def train(
        self,
        sequences: tf.Tensor,
        accuracies: tf.Tensor,
        measured: tf.Tensor,
        measured_accuracies: tf.Tensor,
    ) -> tuple[float, float]:
        """Makes the updates of one epoch.

        Args:
          sequences: int32 `[n, max_layers]`, sampled in this epoch; the
            policy gradient is of these alone, which the policy of today drew.
          accuracies: float32 `[n]`, theirs.
          measured: int32 `[m, max_layers]`, of all epochs, for the predictor.
          measured_accuracies: float32 `[m]`, theirs.

        Returns:
          The policy's loss, and the predictor's mean squared error (NaN
          without one), of the last update.
        """
        if not self.controller.variables_to_train:
            return float("nan"), float("nan")
        rewards = self.rewards(accuracies)
        for _ in range(self.config.controller_steps):
            losses = self._update(
                sequences, rewards, measured, measured_accuracies
            )
        loss, error = (float(value) for value in losses)
        return loss, error

    # Every epoch has more measured sequences: one graph for all sizes.
    @tf.function(autograph=False, reduce_retracing=True)
    def _update(
        self,
        sequences: tf.Tensor,
        rewards: tf.Tensor,
        measured: tf.Tensor,
        measured_accuracies: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        config = self.config
        weights = self.controller.variables_to_train
        lengths = tf.math.count_nonzero(
            sequences != PADDING, axis=1, dtype=tf.int32
        )
        returns = discounted_returns(
            rewards, lengths, self.controller.space.max_layers, config.discount
        )
        with tf.GradientTape() as tape:
            scored = self.controller(sequences=sequences)
            loss = policy_gradient_loss(scored.log_probs, returns)
            loss -= config.entropy_weight * tf.reduce_mean(scored.entropy)
            error = tf.constant(float("nan"))
            total = loss
            if config.predictor:
                predicted = self.controller(sequences=measured).predicted
                error = tf.reduce_mean((predicted - measured_accuracies) ** 2)
                total += config.predictor_weight * error
        self.optimizer.apply(tape.gradient(total, weights), weights)
        return loss, error
