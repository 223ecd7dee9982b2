"""Searches of cells that train each architecture for itself."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import keras
import numpy as np

from nascore.data.describe import describe_data
from nascore.data.images import ImageData
from nascore.evaluators.config import InheritanceConfig
from nascore.evaluators.discrete_training import DiscreteTraining
from nascore.evaluators.own_training import OwnTraining
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.side_by_side import Recipe
from nascore.evaluators.standalone_weights import StandaloneWeights
from nascore.networks.chain.config import ChainConfig
from nascore.networks.chain.discrete import build_chain
from nascore.networks.config import SupernetConfig
from nascore.networks.layers import fused_moving_norm
from nascore.networks.own_cell import OwnCell
from nascore.networks.stack import plan
from nascore.networks.supernet import Supernet, describe_layers
from nascore.process import runtime
from nascore.protocols import Phase, Reward, Strategy
from nascore.runs.atomic import write_json
from nascore.runs.folder import RunFolder
from nascore.search.assemble import ImageSettings, load_images
from nascore.search.many import StreamSeeds
from nascore.search.phases import AskTell
from nascore.search.search import Search


class OwnParts(NamedTuple):
    """What makes a method beside weights that are not shared.

    Attributes:
      strategy: is asked and told.
      reward: makes rewards of the scores.
      steps: of asking and telling in an epoch.
      batch: rows of each of them.
      before: phases before them.
    """

    strategy: Strategy
    reward: Reward
    steps: int
    batch: int
    before: Sequence[Phase] = ()


def search_own_weights(
    config: ImageSettings,
    run: RunFolder,
    data: ImageData,
    checkpoint_minutes: float,
    make: Callable[[], OwnParts],
    method: str,
    inheritance: InheritanceConfig,
    restarts: bool = False,
) -> Search:
    """Makes a search of cells that have weights of their own.

    Args:
      config: decides the result, together with `make`.
      run: see `nascore.search.assemble.Assembly`; likewise below.
      data: likewise.
      checkpoint_minutes: likewise.
      make: makes what the method adds.
      method: what the run is called in its files.
      inheritance: what an architecture begins with, and how it is trained.
      restarts: see `StandaloneWeights`.

    Raises:
      InputError: settings that do not fit the run folder.
    """
    length = config.search
    evaluator = make_evaluator(config, data, inheritance, restarts)
    evaluator.recipe = Recipe(
        __name__, "make_alone", (config, inheritance, restarts)
    )
    space = config.child.space
    parts = make()
    phase = AskTell(
        space,
        parts.strategy,
        evaluator,
        parts.reward,
        parts.steps,
        parts.batch,
        StreamSeeds([length.seed], parts.steps),
    )
    search = Search(
        run,
        space,
        [*parts.before, phase],
        parts.strategy,
        evaluator,
        length,
        config,
        {"method": method, "data": describe_data(data)},
        checkpoint_minutes,
    )
    supernet = evaluator.shared.supernet
    if isinstance(supernet, Supernet):
        layers = describe_layers(supernet)
        write_json(run.path / "layers.json", {"layers": layers})
    return search


def make_alone(
    config: ImageSettings, inheritance: InheritanceConfig, restarts: bool
) -> StandaloneWeights:
    """What trains in a process of its own, which reads the images itself."""
    data = load_images(config)
    return make_evaluator(config, data, inheritance, restarts)


def make_evaluator(
    config: ImageSettings,
    data: ImageData,
    inheritance: InheritanceConfig,
    restarts: bool = False,
) -> StandaloneWeights:
    """Makes the network that architectures are trained in, from the seed.

    Args:
      config: of the search.
      data: its images.
      inheritance: see `search_own_weights`; likewise below.
      restarts: likewise.
    """
    runtime.configure(config.search.deterministic)
    keras.utils.set_random_seed(config.search.seed)
    if isinstance(config.child, ChainConfig):
        return StandaloneWeights(
            _discrete(config, config.child, data), inheritance, restarts
        )
    # Nothing is shared whose number could decide.
    cells = cast(SupernetConfig, config.child)
    child = dataclasses.replace(cells, slot_init="kernel")
    network = Supernet(child, data.image_shape, data.classes, OwnCell)
    scaled = config.data.standardize
    shared = SharedWeights(network, data, config.weights, scaled)
    training = OwnTraining(shared, data.train, config.data, config.search.seed)
    return StandaloneWeights(training, inheritance, restarts)


def _discrete(
    config: ImageSettings, child: ChainConfig, data: ImageData
) -> DiscreteTraining:
    """The training of chains, each a network of its own."""
    space = child.space

    def build(row: np.ndarray) -> keras.Model:
        architecture = space.decode(row)
        stack = plan(child, data.image_shape, data.classes, architecture)
        return build_chain(stack, fused_moving_norm)

    return DiscreteTraining(
        build,
        child,
        space.length,
        data,
        config.weights,
        config.data,
        config.search.seed,
    )
