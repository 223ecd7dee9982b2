"""Architectures trained for themselves, as a check of the shared weights."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from enas.child import Child
from enas.config import EnasConfig
from nascore.data.images import ImageData
from nascore.networks.supernet import Supernet
from nascore.process import runtime
from nascore.spaces.cells import Architecture


def train_standalone(
    config: EnasConfig,
    data: ImageData,
    architectures: Sequence[Architecture],
    epochs: int,
) -> Iterator[float]:
    """Trains each architecture from the same fresh weights.

    The network is the child of the search with nothing shared: the same
    layers, batch and optimizer, one architecture in every step, and one
    cosine from `child_lr_max` towards 0.

    Args:
      config: that of the search.
      data: that of the search.
      architectures: what to train.
      epochs: passes over the training images.

    Yields:
      For each architecture its accuracy on the search-test set: the
      validation images gave the shared-weight accuracies, and ranked.
    """
    runtime.configure(config.schedule.deterministic)
    keras.utils.set_random_seed(config.schedule.seed)
    supernet = Supernet(config.child, data.image_shape, data.classes)
    child = Child(supernet, data, config)
    fresh = [weight.numpy() for weight in child.weights]
    schedule = keras.optimizers.schedules.CosineDecay(
        config.schedule.child_lr_max, epochs
    )
    steps = child.steps_per_epoch
    for architecture in architectures:
        for weight, momentum, start in zip(
            child.weights, child.momenta, fresh, strict=True
        ):
            weight.assign(start)
            momentum.assign(tf.zeros_like(momentum))
        alone = tf.constant(architecture.to_array()[None])
        everywhere = tf.repeat(alone, steps, axis=0)
        for epoch in range(epochs):
            rows = child.train(
                everywhere,
                *(tf.constant(n) for n in (epoch, 0, steps)),
                tf.constant(float(schedule(epoch))),
            )
        if np.all(rows.healthy):
            yield child.accuracy_on(child.search_test_images, alone)
        else:
            yield float("nan")
