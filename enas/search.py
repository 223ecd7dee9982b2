"""The ENAS search (Pham et al., 2018, section 2.2), put together."""

import keras

from enas.config import EnasConfig
from enas.controller import LstmController
from enas.memory import estimate
from nascore.data import images
from nascore.data.describe import describe_data, summarize
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks.supernet import Supernet, describe_layers
from nascore.process import runtime
from nascore.protocols import Reward
from nascore.runs.atomic import write_json
from nascore.runs.folder import RunFolder
from nascore.search.assemble import one_shot
from nascore.search.search import Search
from nascore.strategies.random import RandomStrategy
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]


def load(config: EnasConfig) -> ImageData:
    """See `nascore.search.assemble.Assembly`.

    Raises:
      InputError: no such data, or fewer training images than a batch.
    """
    data = images.load(config.data)
    check_sizes(config, data)
    return data


def check_sizes(config: EnasConfig, data: ImageData) -> None:
    """Checks the settings that depend on the data.

    Raises:
      InputError: fewer training images than a batch.
    """
    if len(data.train) < config.weights.batch_size:
        raise InputError(
            f"--batch_size={config.weights.batch_size} is more than the "
            f"{len(data.train)} training images; lower it"
        )


def make_search(
    config: EnasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    reward: Reward | None = None,
    method: str = "enas",
) -> Search:
    """Makes a search of ENAS, or of random architectures if so configured.

    Args:
      config: decides the result, together with the reward.
      run: where everything is written; an earlier part of the same search
        in it is continued.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      reward: makes rewards of accuracies; the accuracy itself if None.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    data = images.load(config.data) if data is None else data
    check_sizes(config, data)
    runtime.configure(config.search.deterministic)
    keras.utils.set_random_seed(config.search.seed)
    supernet = Supernet(config.child, data.image_shape, data.classes)
    shared = SharedWeights(
        supernet, data, config.weights, config.data.standardize
    )
    space = config.child.space
    strategy: LstmController | RandomStrategy
    if config.controller.controller == "random":
        method, strategy = "random", RandomStrategy(space)
    else:
        strategy = LstmController(space, config.controller)
    phases = one_shot(
        space,
        strategy,
        strategy.sample,
        shared,
        data,
        config.data,
        reward or ScoreReward(),
        config.controller.train_steps,
        config.controller.num_aggregate,
        config.search,
    )
    about = {"method": method, "data": describe_data(data)}
    search = Search(
        run,
        space,
        phases,
        strategy,
        shared,
        config.search,
        config,
        about,
        checkpoint_minutes,
    )
    layers = {"layers": describe_layers(supernet)}
    write_json(run.path / "layers.json", layers)
    return search
