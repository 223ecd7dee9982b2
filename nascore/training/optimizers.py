"""The optimizer of final training and its learning rate."""

from collections.abc import Callable

import keras
import tensorflow as tf

from nascore.schedules import CosineRestarts
from nascore.training.config import TrainingConfig


def make_schedule(
    training: TrainingConfig,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Learning rate of a place in epochs, and a step of that epoch."""
    if training.lr_period:
        return CosineRestarts(
            training.lr_max,
            training.lr_min,
            training.lr_period,
            training.lr_restart == "half",
        )
    cosine = keras.optimizers.schedules.CosineDecay(
        training.lr_max, training.epochs, training.lr_min / training.lr_max
    )
    return lambda place, step: cosine(place)


def make_optimizer(training: TrainingConfig) -> keras.optimizers.Optimizer:
    """Momentum; with float16 its loss is scaled."""
    optimizer = keras.optimizers.SGD(
        training.lr_max,
        momentum=training.momentum,
        nesterov=training.nesterov and training.momentum > 0,
    )
    if training.precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
