"""Puts the parts of a one-shot search together."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights
from nascore.protocols import Phase, Reward, Strategy
from nascore.search.config import SearchConfig
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.score import Score
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space


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
