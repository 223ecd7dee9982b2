"""Architectures trained for themselves, as a check of the shared weights."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.networks import ChildConfig, make_weights
from nascore.evaluators.weights import TrainWeights


def train_standalone(
    supernet: ChildConfig,
    config: SharedWeightsConfig,
    data_config: DataConfig,
    data: ImageData,
    rows: Sequence[np.ndarray],
    epochs: int,
    seed: int,
    after_epoch: Callable[[], None] = lambda: None,
) -> Iterator[float]:
    """Trains each architecture from the same fresh weights.

    The network is the supernet of the search with nothing shared: the same
    layers, batch and optimizer, one architecture in every step, and one
    cosine from `child_lr_max` towards 0.

    Args:
      supernet: that of the search.
      config: that of the search.
      data_config: that of the search.
      data: that of the search.
      rows: int32 `[length]` each, what to train.
      epochs: passes over the training images.
      seed: that of the search; weights come of Keras's own, to be set before.
      after_epoch: called after each epoch of each.

    Yields:
      For each architecture its accuracy on the search-test set: the
      validation images gave the shared-weight accuracies, and ranked. NaN
      where the training diverged.
    """
    shared = make_weights(supernet, config, data, data_config.standardize)
    training = TrainWeights(
        shared, lambda count, seed: count, data.train, data_config, seed
    )
    # Weights and momenta; moving statistics, where there are any.
    state: dict[str, Any] = dict(training.state)
    fresh = {name: value.numpy() for name, value in state.items()}
    cosine = keras.optimizers.schedules.CosineDecay
    schedule = cosine(config.child_lr_max, epochs)
    steps = training.steps_per_epoch
    for row in rows:
        for name, start in fresh.items():
            state[name].assign(start)
        everywhere = tf.repeat(tf.constant(row[None]), steps, axis=0)
        for epoch in range(epochs):
            columns = training.train(
                everywhere,
                *(tf.constant(n) for n in (epoch, 0, steps)),
                tf.constant(float(schedule(epoch))),
            )
            after_epoch()
        healthy = np.all(columns["healthy"])
        found = shared.validate(row[None]) if healthy else {}
        yield found.get("search_test_accuracy", float("nan"))
