"""Training the controller: REINFORCE, and the accuracy predictor with it."""

import keras
import tensorflow as tf

from mlpnas.config import PolicyConfig
from mlpnas.controller import Controller, Sample
from nascore.spaces.perceptrons import PADDING
from nascore.strategies.policy_gradient import (
    descend_if_finite,
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
        self.predictor_optimizer = keras.optimizers.Adam(config.predictor_lr)
        self.predictor_optimizer.build(controller.predictor_variables)

    @property
    def state(self) -> list[tf.Variable]:
        """Every variable that a resumed run needs."""
        optimizers = (self.optimizer, self.predictor_optimizer)
        return [
            *self.controller.state,
            *(v.value for optimizer in optimizers for v in optimizer.variables),
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

    def train(self, sequences: tf.Tensor, accuracies: tf.Tensor) -> float:
        """Makes the policy's updates of one epoch.

        Args:
          sequences: int32 `[n, max_layers]`, those of this epoch alone: the
            gradient holds for what the policy of today samples.
          accuracies: float32 `[n]`, theirs.

        Returns:
          The loss before the last update; NaN if there is nothing to train.

        Raises:
          FloatingPointError: loss or gradient of an update is not finite; it
            was not made.
        """
        loss = float("nan")
        if self.controller.variables_to_train:
            rewards = self.rewards(accuracies)
            for number in range(self.config.controller_steps):
                update = self._update_policy(sequences, rewards)
                loss = _check("policy", number, *update)
        return loss

    def train_predictor(
        self, sequences: tf.Tensor, accuracies: tf.Tensor
    ) -> float:
        """Makes the predictor's updates of one epoch (section 4.2).

        Args:
          sequences: int32 `[m, max_layers]`, of all epochs so far.
          accuracies: float32 `[m]`, theirs.

        Returns:
          The mean squared error before the last update; NaN without one.

        Raises:
          FloatingPointError: as in `train`.
        """
        error = float("nan")
        if self.controller.predictor_variables:
            for number in range(self.config.predictor_steps):
                update = self._update_predictor(sequences, accuracies)
                error = _check("predictor", number, *update)
        return error

    # Epochs can differ in size: one graph for all sizes.
    @tf.function(autograph=False, reduce_retracing=True)
    def _update_policy(
        self, sequences: tf.Tensor, rewards: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Loss, and whether the update was made."""
        weights = self.controller.variables_to_train
        lengths = tf.math.count_nonzero(
            sequences != PADDING, axis=1, dtype=tf.int32
        )
        steps, discount = self.controller.space.max_layers, self.config.discount
        returns = discounted_returns(rewards, lengths, steps, discount)
        with tf.GradientTape() as tape:
            scored = self.controller(sequences=sequences)
            loss = policy_gradient_loss(scored.log_probs, returns)
            entropy = tf.reduce_mean(scored.entropy)
            loss -= self.config.entropy_weight * entropy
        gradients = tape.gradient(loss, weights)
        return loss, descend_if_finite(self.optimizer, loss, gradients, weights)

    @tf.function(autograph=False, reduce_retracing=True)
    def _update_predictor(
        self, sequences: tf.Tensor, accuracies: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Error, and whether the update was made."""
        weights = self.controller.predictor_variables
        with tf.GradientTape() as tape:
            predicted = self.controller(sequences=sequences).predicted
            error = tf.reduce_mean((predicted - accuracies) ** 2)
        gradients = tape.gradient(error, weights)
        return error, descend_if_finite(
            self.predictor_optimizer, error, gradients, weights
        )


def _check(what: str, number: int, loss: tf.Tensor, made: tf.Tensor) -> float:
    """The loss of an update that was made; raises if it was not."""
    if not bool(made):
        raise FloatingPointError(
            f"the {what}'s loss is {float(loss):g} or its gradient is not "
            f"finite in update {number + 1}"
        )
    return float(loss)
