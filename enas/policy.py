"""The controller phase: evaluate, reward, update, in one compiled loop."""

from typing import NamedTuple

import keras
import tensorflow as tf

from enas.child import Child
from enas.config import EnasConfig
from enas.controller import LstmController, RandomController
from nascore.seeds import Stream, fold, fold_in
from nascore.strategies.policy_gradient import (
    MovingBaseline,
    descend_if_finite,
    policy_gradient_loss,
)


class PolicyRows(NamedTuple):
    """What a stretch of controller updates measured, in order.

    Attributes:
      architectures: int32 `[n, cell types, nodes, 4]`.
      accuracy: raw accuracy on one batch of validation images.
      reward: what the reward made of it, before the entropy bonus.
      baseline: the moving average that the reward was held against.
      entropy: of the policy along the architecture, in nats.
      log_prob: of the architecture, in nats.
      healthy: bool, whether the architecture's numbers, the update's loss and
        its gradient are finite.
    """

    architectures: tf.Tensor
    accuracy: tf.Tensor
    reward: tf.Tensor
    baseline: tf.Tensor
    entropy: tf.Tensor
    log_prob: tf.Tensor
    healthy: tf.Tensor


class PolicyTrainer(tf.Module):
    """Trains a controller with the rewards of a child.

    Args:
      controller: the policy; one without variables is only evaluated.
      child: measures accuracies.
      reward: maps an accuracy to a reward, inside the graph.
      config: the search's configuration.
    """

    def __init__(
        self,
        controller: LstmController | RandomController,
        child: Child,
        reward: tf.Module,
        config: EnasConfig,
    ) -> None:
        super().__init__(name="policy")
        self.controller = controller
        self.child = child
        self.reward = reward
        self.config = config
        self.baseline = MovingBaseline(config.controller.baseline_decay)
        self.optimizer = keras.optimizers.Adam(
            config.controller.controller_lr, beta_1=0.0, epsilon=1e-3
        )
        self.optimizer.build(controller.variables_to_train)

    @tf.function(autograph=False)
    def train(
        self, epoch: tf.Tensor, start: tf.Tensor, stop: tf.Tensor
    ) -> PolicyRows:
        """Makes updates `start` to `stop` of an epoch.

        It stops early after an update that is not healthy, and leaves the
        controller as it was before; the rows after it stay zero.

        Args:
          epoch: int32 scalar.
          start: int32 scalar, the first update.
          stop: int32 scalar, the update after the last one.

        Returns:
          `(stop - start) * num_aggregate` rows.
        """

        def more(
            step: tf.Tensor, healthy: tf.Tensor, *rows: tf.TensorArray
        ) -> tf.Tensor:
            return tf.logical_and(step < stop, healthy)

        def body(
            step: tf.Tensor, healthy: tf.Tensor, *rows: tf.TensorArray
        ) -> tuple[tf.Tensor, ...]:
            values = self._update(epoch, step)
            rows = tuple(
                row.write(step - start, value)
                for row, value in zip(rows, values, strict=True)
            )
            return (step + 1, tf.reduce_all(values.healthy), *rows)

        types = {"architectures": tf.int32, "healthy": tf.bool}
        rows = [
            tf.TensorArray(
                types.get(name, tf.float32),
                stop - start,
                element_shape=self._row_shape(name),
            )
            for name in PolicyRows._fields
        ]
        _, _, *rows = tf.while_loop(
            more, body, (start, tf.constant(True), *rows)
        )
        return PolicyRows(
            *(
                tf.reshape(row.stack(), [-1, *self._row_shape(name)[1:]])
                for name, row in zip(PolicyRows._fields, rows, strict=True)
            )
        )

    def _row_shape(self, name: str) -> list[int]:
        count = self.config.controller.num_aggregate
        if name == "architectures":
            return [count, *self.controller.space.array_shape]
        return [count]

    def _update(self, epoch: tf.Tensor, step: tf.Tensor) -> PolicyRows:
        """One update from `num_aggregate` architectures."""
        config = self.config
        count = config.controller.num_aggregate
        seed = config.schedule.seed
        sample = self.controller(
            count, fold(seed, Stream.CONTROLLER_ARCHITECTURES, epoch, step)
        )
        batch_seed = fold(seed, Stream.REWARD_BATCH, epoch, step)

        def evaluate(
            place: tf.Tensor, *rows: tf.TensorArray
        ) -> tuple[tf.Tensor, ...]:
            accuracy = self.child.reward_accuracy(
                sample.architectures[place],
                fold_in(batch_seed, place),
            )
            reward = self.reward(accuracy)
            bonus = config.controller.entropy_weight * sample.entropy[place]
            baseline = self.baseline(reward + bonus)
            values = (accuracy, reward, reward + bonus, baseline)
            rows = tuple(
                row.write(place, value)
                for row, value in zip(rows, values, strict=True)
            )
            return (place + 1, *rows)

        arrays = [
            tf.TensorArray(tf.float32, count, element_shape=[])
            for _ in range(4)
        ]
        # One after the other: the reward and the baseline remember.
        _, *arrays = tf.while_loop(
            lambda place, *_: place < count,
            evaluate,
            (tf.constant(0), *arrays),
            parallel_iterations=1,
        )
        accuracy, reward, total, baseline = (row.stack() for row in arrays)
        made = self._descend(sample.architectures, total - baseline)
        finite = tf.math.is_finite(accuracy + total + baseline)
        # If no architecture explains why an update failed, all are marked.
        finite &= made | tf.logical_not(tf.reduce_all(finite))
        return PolicyRows(
            sample.architectures,
            accuracy,
            reward,
            baseline,
            sample.entropy,
            sample.log_prob,
            finite,
        )

    def _descend(
        self, architectures: tf.Tensor, advantages: tf.Tensor
    ) -> tf.Tensor:
        """One step on the policy-gradient loss; whether it was made."""
        weights = self.controller.variables_to_train
        if not weights:
            return tf.constant(True)
        with tf.GradientTape() as tape:
            scored = self.controller(architectures=architectures)
            loss = policy_gradient_loss(scored.log_prob, advantages)
        gradients = tape.gradient(loss, weights)
        return descend_if_finite(self.optimizer, loss, gradients, weights)
