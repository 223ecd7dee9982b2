"""The optimizer of final training and its learning rate."""

import keras

from nascore.final.config import TrainingConfig


def make_schedule(
    training: TrainingConfig,
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Learning rate as a function of the epoch."""
    alpha = training.lr_min / training.lr_max
    if not training.lr_period:
        return keras.optimizers.schedules.CosineDecay(
            training.lr_max, training.epochs, alpha
        )
    return keras.optimizers.schedules.CosineDecayRestarts(
        training.lr_max, training.lr_period, t_mul=2.0, alpha=alpha
    )


def make_optimizer(training: TrainingConfig) -> keras.optimizers.Optimizer:
    """Nesterov momentum; with float16 its loss is scaled."""
    optimizer = keras.optimizers.SGD(
        training.lr_max,
        momentum=training.momentum,
        nesterov=training.momentum > 0,
    )
    if training.precision == "float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
