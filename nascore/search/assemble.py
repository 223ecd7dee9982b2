"""What puts a method together, and the phases of a one-shot search."""

from collections.abc import Callable
from typing import Any, Protocol

import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights
from nascore.process.memory import Need
from nascore.protocols import Phase, Reward, Strategy
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.score import Score
from nascore.search.search import Search
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space


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


def one_shot(
    space: Space,
    strategy: Strategy,
    sample: Callable[..., Any],
    shared: SharedWeights,
    data: ImageData,
    augmentation: DataConfig,
    reward: Reward,
    steps: int,
    batch: int,
    schedule: SearchConfig,
) -> list[Phase]:
    """An epoch over shared weights: train them, ask and tell, score.

    Args:
      space: of the architectures.
      strategy: is asked and told.
      sample: proposes what the weights learn and what is scored after an
        epoch, from a count and a seed; compiled.
      shared: the weights.
      data: the images.
      augmentation: of the training images.
      reward: makes rewards of the scores.
      steps: of asking and telling in an epoch.
      batch: rows of each of them.
      schedule: seed, and samples after an epoch.
    """
    seed = schedule.seed

    def seeds(epoch: int | tf.Tensor, step: int | tf.Tensor) -> StepSeeds:
        return StepSeeds(
            fold(seed, Stream.CONTROLLER_ARCHITECTURES, epoch, step),
            fold(seed, Stream.REWARD_BATCH, epoch, step),
        )

    return [
        TrainWeights(shared, sample, data.train, augmentation, seed),
        AskTell(space, strategy, shared, reward, steps, batch, seeds),
        Score(space, sample, shared, schedule.epoch_samples, seed),
    ]
