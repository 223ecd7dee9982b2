"""How a model of language learns from a window: penalties and a step."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nascore.networks.recurrent.config import WindowsConfig
from nascore.networks.recurrent.model import Read


def penalties(read: Read, config: WindowsConfig) -> tf.Tensor:
    """What joins the loss of a window: of fast and of large states."""
    total = tf.constant(0.0)
    if config.slowness:
        change = tf.square(read.raw[1:] - read.raw[:-1])
        # A window of one step has no change.
        count = tf.maximum(tf.size(change), 1)
        total += config.slowness * (
            tf.reduce_sum(change) / tf.cast(count, tf.float32)
        )
    if config.activation:
        total += config.activation * tf.reduce_mean(tf.square(read.hidden))
    return total


def descend(
    weights: Sequence[tf.Variable],
    gradients: Sequence[Any],
    learning_rate: tf.Tensor,
    config: WindowsConfig,
) -> tf.Tensor:
    """A step of plain gradient descent; returns the gradient's norm.

    The gradient is clipped, then joined by the decay.
    """
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    norm = tf.linalg.global_norm(gradients)
    if config.clip_norm:
        gradients, _ = tf.clip_by_global_norm(gradients, config.clip_norm, norm)
    for weight, gradient in zip(weights, gradients, strict=True):
        step = gradient + config.weight_decay * weight
        weight.assign_sub(learning_rate * step)
    return norm
