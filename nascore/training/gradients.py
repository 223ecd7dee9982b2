"""Loss and gradients of a batch, whole or in parts."""

from typing import NamedTuple

import keras
import tensorflow as tf

from nascore.networks.discrete import AUXILIARY, LOGITS
from nascore.training.config import FinalConfig


class StepRows(NamedTuple):
    """What one replica measured in one step; sums over its images.

    Attributes:
      loss: cross entropy of the main head, in nats.
      hits: images whose largest logit was the label's.
      norm: of the gradient, without loss scaling; summed over the parts of
        the batch, so that it is at least the norm of their sum.
      unhealthy: parts whose loss is beyond the limit or whose gradient is
        not finite.
    """

    loss: tf.Tensor
    hits: tf.Tensor
    norm: tf.Tensor
    unhealthy: tf.Tensor


class Gradients:
    """Differentiates the loss of a network.

    Args:
      network: from `nascore.networks.discrete.build_network`.
      optimizer: scales the loss.
      config: of the training.
      replicas: devices that share a batch.
    """

    def __init__(
        self,
        network: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        config: FinalConfig,
        replicas: int,
    ) -> None:
        self._network = network
        self._optimizer = optimizer
        self._config = config
        self._replicas = replicas
        self._classes = network.output[LOGITS].shape[-1]

    @property
    def loss_scale(self) -> tf.Tensor:
        """What the loss is multiplied with before it is differentiated."""
        if self._config.training.precision != "float16":
            return tf.constant(1.0)
        return tf.identity(self._optimizer.dynamic_scale.value)

    def __call__(
        self, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[StepRows, list[tf.Tensor]]:
        """Of this replica's part of a batch.

        Args:
          images: of the whole batch, float32 `[n, h, w, c]`.
          labels: int32 `[n]`.

        Returns:
          Sums, and gradients of the weights, scaled as the loss.
        """
        if self._config.training.accumulate > 1:
            return self._accumulate(images, labels)
        context = tf.distribute.get_replica_context()
        return self._differentiate(
            images, labels, context.replica_id_in_sync_group
        )

    def _accumulate(
        self, images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[StepRows, list[tf.Tensor]]:
        """Adds up the parts of the batch, one after the other."""
        zero = tf.constant(0.0)
        weights = self._network.trainable_variables

        def body(part: tf.Tensor, *sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            rows, gradients = self._differentiate(images, labels, part)
            new = (*rows, *gradients)
            return (part + 1, *(a + b for a, b in zip(sums, new, strict=True)))

        _, *sums = tf.while_loop(
            lambda part, *sums: part < self._config.training.accumulate,
            body,
            (
                tf.constant(0),
                *StepRows(zero, zero, zero, zero),
                *(tf.zeros_like(weight.value) for weight in weights),
            ),
        )
        count = len(StepRows._fields)
        return StepRows(*sums[:count]), list(sums[count:])

    def _differentiate(
        self, images: tf.Tensor, labels: tf.Tensor, part: tf.Tensor
    ) -> tuple[StepRows, list[tf.Tensor]]:
        """Sums and gradients of one part of the batch."""
        training = self._config.training
        parts = self._replicas * training.accumulate
        size = training.batch_size // parts
        images = tf.ensure_shape(
            images[part * size : (part + 1) * size], [size, *images.shape[1:]]
        )
        labels = tf.ensure_shape(
            labels[part * size : (part + 1) * size], [size]
        )
        weights = [v.value for v in self._network.trainable_variables]
        with tf.GradientTape() as tape:
            outputs = self._network(images, training=True)
            loss = self._loss(labels, outputs[LOGITS])
            total = loss
            if AUXILIARY in outputs:
                aux_loss = self._loss(labels, outputs[AUXILIARY])
                total += self._config.network.aux_weight * aux_loss
            total /= training.batch_size
            if training.weight_decay:
                squares = tf.add_n(
                    [tf.nn.l2_loss(weight) for weight in weights]
                )
                total += 2 * training.weight_decay * squares / parts
            scaled = self._optimizer.scale_loss(total)
        gradients = tape.gradient(scaled, weights)
        hits = tf.equal(
            tf.argmax(outputs[LOGITS], axis=1, output_type=tf.int32), labels
        )
        scale = self.loss_scale
        norm = tf.linalg.global_norm(gradients) / scale
        sound = tf.math.is_finite(norm)
        if training.precision == "float16":
            # The optimizer skips gradients that overflow, and halves the
            # scale.
            sound = tf.logical_or(sound, scale > 1.0)
        healthy = tf.logical_and(loss / size <= training.loss_limit, sound)
        rows = StepRows(
            loss,
            tf.reduce_sum(tf.cast(hits, tf.float32)),
            norm,
            1.0 - tf.cast(healthy, tf.float32),
        )
        return rows, gradients

    def _loss(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Cross entropy with smoothed labels, summed over the images."""
        smoothing = self._config.training.label_smoothing
        if not smoothing:
            return tf.reduce_sum(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            )
        targets = tf.one_hot(
            labels,
            self._classes,
            1 - smoothing + smoothing / self._classes,
            smoothing / self._classes,
        )
        return tf.reduce_sum(
            tf.nn.softmax_cross_entropy_with_logits(targets, logits)
        )
