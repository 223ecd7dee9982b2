"""Strategies that are asked and told without a search around them."""

import numpy as np
import tensorflow as tf

from nascore.protocols import Measured, Proposals
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.strategies import config as settings
from nascore.strategies import named
from tests.toy.space import Necklace

# One of each kind; in the last two a place depends on the one before.
SPACES = (
    Bench201Space(),
    CellSpace(("sep_conv_3x3", "identity", "max_pool_3x3"), 2),
    MlpSpace(units=(8, 16), activations=("relu", "elu"), max_layers=4),
    Necklace(4),
)
# Small, so that all they do is done within some rows.
HOSTED = (
    settings.EvolutionConfig(population=4, tournament=2),
    settings.EvolutionConfig(4, 2, "node_first", "worst", True),
    settings.LocalSearchConfig("first"),
    settings.LocalSearchConfig("best"),
    settings.BohbConfig(random_fraction=0.2),
    settings.BohbConfig(categories="all"),
    settings.OptunaConfig(),
)


def make(config, space):
    return named.make(config, space, [1])


def worth(rows):
    """A score of each row, all different in nearly all."""
    rows = np.asarray(rows)
    weights = np.sin(1 + np.arange(rows.shape[1]))
    return np.cos(rows * 1.7) @ weights


def seed_of(step):
    return np.array([5, step], np.int32)


def step(strategy, number, count, value=worth):
    """Asks and tells once; returns the rows."""
    proposals = strategy.ask(count, seed_of(number))
    if len(proposals.rows):
        scores = value(proposals.rows)
        told = strategy.tell(proposals, Measured(scores), scores)
        assert told["healthy"]
    return proposals.rows


def search(strategy, steps, count=1, value=worth):
    """The rows of several steps, `[n, length]`."""
    return np.concatenate([step(strategy, n, count, value) for n in steps])


def copy_state(source, target):
    """As a checkpoint does it."""
    for name, value in source.state.items():
        if isinstance(value, tf.Variable):
            target.state[name].assign(value)
        else:
            target.state[name].deserialize(value.serialize())


def no_tensors(proposals):
    return isinstance(proposals, Proposals) and isinstance(
        proposals.rows, np.ndarray
    )
