"""What puts a method together, and searches of cells over shared weights."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import keras
import tensorflow as tf

from nascore.data import images
from nascore.data.config import DataConfig
from nascore.data.describe import describe_data
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.memory import SharedSettings
from nascore.evaluators.networks import describe_layers, make_weights
from nascore.evaluators.weights import TrainWeights
from nascore.process import runtime
from nascore.process.memory import Need
from nascore.protocols import Evaluator, Phase, Reward
from nascore.runs.atomic import write_json
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.score import Score
from nascore.search.search import Search
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space
from nascore.strategies.named import Sampling


class Assembly(Protocol):
    """The module of a method, see `flags.methods`."""

    @staticmethod
    def load(config: Any) -> Any:
        """Loads the data, and checks the settings that depend on them.

        What is returned has `notes`, remarks for whoever starts a search.

        Raises:
          InputError: data or settings that cannot be.
        """

    @staticmethod
    def summarize(data: Any) -> str:
        """Says in one line what there is to learn from."""

    @staticmethod
    def estimate(config: Any, data: Any, base: int) -> Need:
        """The memory that a search needs; nothing is built for it.

        Args:
          config: the settings.
          data: as loaded.
          base: bytes that the process held before.
        """

    @staticmethod
    def make_search(
        config: Any,
        run: RunFolder,
        data: Any = None,
        checkpoint_minutes: float = 10.0,
    ) -> Search:
        """Puts space, evaluator, strategy and reward together.

        Args:
          config: the settings.
          run: where everything is written; an earlier part of the same
            search in it is continued.
          data: as loaded; loaded as the configuration says if None.
          checkpoint_minutes: saves at least this often.

        Raises:
          InputError: settings that do not fit the data or the run folder.
        """


class ImageSettings(Protocol):
    """What a configuration of a search with images has."""

    @property
    def child(self) -> Any:
        """What networks are made of."""

    @property
    def weights(self) -> SharedWeightsConfig:
        """How weights are trained and measured."""

    @property
    def data(self) -> DataConfig:
        """The images."""

    @property
    def search(self) -> SearchConfig:
        """Length, and lists."""


class CellSettings(SharedSettings, ImageSettings, Protocol):
    """What a configuration of a search of cells has."""


class CellParts(NamedTuple):
    """What makes a method over shared weights.

    Attributes:
      strategy: is asked and told; samples of it are scored after an epoch.
      reward: makes rewards of the scores.
      steps: of asking and telling in an epoch.
      batch: rows of each of them.
      learned: proposes what the weights learn, from a count and a seed;
        compiled; None: samples of the strategy.
      before: phases before all others of an epoch.
    """

    strategy: Sampling
    reward: Reward
    steps: int
    batch: int
    learned: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None
    before: Sequence[Phase] = ()

    @property
    def sample(self) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        """Proposes what the weights learn."""
        return self.learned or self.strategy.sample


def one_shot(
    space: Space,
    training: Phase,
    shared: Evaluator,
    parts: CellParts,
    schedule: SearchConfig,
) -> list[Phase]:
    """An epoch over shared weights: train them, ask and tell, score.

    Args:
      space: of the architectures.
      training: of the weights.
      shared: the weights.
      parts: what the method adds.
      schedule: seed, and samples after an epoch.
    """
    seed, strategy = schedule.seed, parts.strategy

    def seeds(epoch: int | tf.Tensor, step: int | tf.Tensor) -> StepSeeds:
        return StepSeeds(
            fold(seed, Stream.CONTROLLER_ARCHITECTURES, epoch, step),
            fold(seed, Stream.REWARD_BATCH, epoch, step),
        )

    sizes = (parts.steps, parts.batch)
    return [
        *parts.before,
        training,
        AskTell(space, strategy, shared, parts.reward, *sizes, seeds),
        Score(space, strategy.sample, shared, schedule.epoch_samples, seed),
    ]


def load_images(config: ImageSettings) -> ImageData:
    """See `Assembly.load`.

    Raises:
      InputError: no such data, or fewer training images than a batch.
    """
    data = images.load(config.data)
    _check_sizes(config, data)
    return data


def _check_sizes(config: ImageSettings, data: ImageData) -> None:
    """Checks the settings that depend on the data.

    Raises:
      InputError: fewer training images than a batch.
    """
    if len(data.train) < config.weights.batch_size:
        raise InputError(
            f"--batch_size={config.weights.batch_size} is more than the "
            f"{len(data.train)} training images; lower it"
        )


def search_cells(
    config: CellSettings,
    run: RunFolder,
    data: ImageData | None,
    checkpoint_minutes: float,
    make: Callable[[], CellParts],
    method: str,
) -> Search:
    """Makes a search of cells over shared weights.

    Args:
      config: decides the result, together with `make`.
      run: see `Assembly.make_search`; likewise below.
      data: likewise.
      checkpoint_minutes: likewise.
      make: makes what the method adds, after the shared weights: both may
        draw from Keras's one sequence of seeds.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    data = images.load(config.data) if data is None else data
    _check_sizes(config, data)
    runtime.configure(config.search.deterministic)
    keras.utils.set_random_seed(config.search.seed)
    shared = make_weights(
        config.child, config.weights, data, config.data.standardize
    )
    space: Any = config.child.space
    parts = make()
    training = TrainWeights(
        shared, parts.sample, data.train, config.data, config.search.seed
    )
    search = Search(
        run,
        space,
        one_shot(space, training, shared, parts, config.search),
        parts.strategy,
        shared,
        config.search,
        config,
        {"method": method, "data": describe_data(data)},
        checkpoint_minutes,
    )
    layers = describe_layers(shared.supernet)
    write_json(run.path / "layers.json", {"layers": layers})
    return search
