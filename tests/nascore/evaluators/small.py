"""Shared weights of a small network on digits, to train and measure."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights
from nascore.networks.config import SupernetConfig
from nascore.networks.supernet import Supernet
from nascore.protocols import Proposals

IMAGES = DataConfig(validation_fraction=0.21)
CHILD = SupernetConfig(
    filters=4,
    num_normal_cells=1,
    num_reduction_cells=1,
    num_nodes=2,
    operations="sep_conv_3x3,max_pool_3x3,identity",
)
WEIGHTS = SharedWeightsConfig(batch_size=32)
DATA = load(IMAGES)


def make_weights(**fields):
    """The phase that trains them; its `shared` measures.

    Settings that were asked for before give the same object, so that it is
    not traced again, with all of its state as it was when it was new.
    """
    training, start = _traced(**fields)
    for variable, value in start:
        variable.assign(value)
    training._sample, training._sampled = draw_rows, None
    return training


@functools.cache
def _traced(**fields):
    tf.keras.utils.set_random_seed(7)
    shared = SharedWeights(
        Supernet(CHILD, DATA.image_shape, 10),
        DATA,
        dataclasses.replace(WEIGHTS, **fields),
    )
    training = TrainWeights(shared, draw_rows, DATA.train, IMAGES, 1)
    variables = [
        value for value in training.state.values() if hasattr(value, "assign")
    ]
    return training, [(value, value.numpy()) for value in variables]


def draw_rows(count, seed=0):
    rng = np.random.default_rng(np.ravel(seed))
    return tf.constant(CHILD.space.sample(rng, int(count)))


def train(training, rows, start, stop, rate=0.05, epoch=0):
    numbers = (tf.constant(n) for n in (epoch, start, stop))
    return training.train(rows, *numbers, tf.constant(rate))


def measure(shared, rows, seed):
    """Scores as NumPy has them."""
    return shared.measure(Proposals(rows), tf.constant(seed)).score.numpy()
