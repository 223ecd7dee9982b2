"""Steps of the strategy, and its networks in NumPy."""

import dataclasses

import numpy as np
import tensorflow as tf

from nascore.protocols import Measured
from nascore.seeds import fold_in
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.reals import ORDERED
from nases.config import EmbeddingConfig
from nases.strategy import EmbeddingSearch

SPACE = Bench201Space()
SMALL = EmbeddingConfig(
    encoding=ORDERED, hidden_units=5, hidden_layers=1, controller_lr=0.01
)


def make(seeds=(3,), **changed):
    strategy = EmbeddingSearch(
        SPACE, dataclasses.replace(SMALL, **changed), list(seeds)
    )
    strategy.begin()
    return strategy


def worth(rows):
    rows = np.asarray(rows)
    scores = np.sin(rows * 1.3 + np.arange(rows.shape[1])).sum(1) / 20 + 0.5
    return scores.astype(np.float32)


def seeds_of(step, seeds):
    found = tf.stack([fold_in(tf.constant([s, 0]), step) for s in seeds])
    return found if len(seeds) > 1 else found[0]


def take_step(strategy, number, seeds=(3,), count=1, scores=None):
    """Asks, measures and tells once; what was asked, scores and columns."""
    asked = strategy.ask(count, seeds_of(number, seeds))
    score = worth(asked.rows) if scores is None else np.float32(scores)
    told = dict(strategy.tell(asked, Measured(tf.constant(score)), score))
    assert np.all(told.pop("healthy"))
    columns = {**asked.notes, **told}
    assert set(columns) == set(strategy.columns)
    return asked, score, {n: np.asarray(v) for n, v in columns.items()}


def values_of(strategy):
    return {name: v.numpy() for name, v in strategy.state.items()}


def dense(values, part, x, layers=2):
    """What a network of these weights makes of vectors; float64."""
    for layer in range(layers):
        x = (
            x @ values[f"{part}_kernel_{layer}"]
            + values[f"{part}_bias_{layer}"]
        )
        x = np.tanh(x) if layer < layers - 1 else 1 / (1 + np.exp(-x))
    return x


def of_run(values, run):
    return {
        n: np.asarray(v[run], np.float64) for n, v in values.items() if v.ndim
    }
