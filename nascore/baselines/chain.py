"""Searches of chains of layers, the space of NASES's public code.

Each architecture is a network of its own, trained from scratch. Random ones
are what a method is compared with.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nascore.baselines.config import ChainSearchConfig
from nascore.baselines.own_weights import OwnParts, search_own_weights
from nascore.data.describe import summarize
from nascore.data.images import ImageData
from nascore.networks import costs
from nascore.networks.stack import plan
from nascore.process.memory import FLOAT, Need, peak
from nascore.runs.folder import RunFolder
from nascore.search.assemble import load_images as load
from nascore.search.search import Search
from nascore.strategies.random import RandomStrategy
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]

# Networks that are counted for an estimate; and bytes of a graph.
_COUNTED = 200
_GRAPH = 500 * 2**20


class RandomChains(RandomStrategy):
    """Random architectures, of which what was measured ranks."""

    def finalists(self, count: tf.Tensor, seed: tf.Tensor) -> None:
        """See `nascore.protocols.Strategy`."""


def estimate(config: ChainSearchConfig, data: ImageData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`.

    Networks differ much in size. The need is that of the largest of some
    hundred random ones, the most that a search of them comes by.
    """
    child, rng = config.child, np.random.default_rng(0)
    kept = weights = 0
    for row in child.space.sample(rng, _COUNTED):
        architecture = child.space.decode(row)
        stack = plan(child, data.image_shape, data.classes, architecture)
        whole = costs.total(costs.count(stack))
        kept = max(kept, whole.kept)
        weights = max(weights, whole.parameters)
    splits = (data.train, data.validation, data.search_test)
    copied = sum(split.images.nbytes for split in splits)
    return Need(
        {
            "process": base,
            "images": copied + data.test.images.nbytes,
            "graph": _GRAPH,
        },
        {
            "activations": FLOAT * config.weights.batch_size * kept,
            # Weight, momentum, gradient, and what is saved of them.
            "weights": 4 * FLOAT * weights,
            "images for training": copied,
        },
        ("--batch_size", "--filters", "--num_layers", "--image_size"),
        peak(),
    )


def make_search(
    config: ChainSearchConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    make: Callable[[], OwnParts] | None = None,
    method: str = "chain_random",
) -> Search:
    """Puts networks and strategy together; see `Assembly`.

    Args:
      config: the settings.
      run: where everything is written.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      make: makes what a method adds; random architectures if None.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """

    def make_random() -> OwnParts:
        return OwnParts(
            RandomChains(config.child.space),
            ScoreReward(),
            config.asking.train_steps,
            config.asking.num_aggregate,
        )

    return search_own_weights(
        config,
        run,
        load(config) if data is None else data,
        checkpoint_minutes,
        make or make_random,
        method,
        config.own.inheritance,
        restarts=True,
    )
