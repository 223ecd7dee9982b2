"""Rewards of NASES; see `nascore.protocols.Reward`."""

from typing import Any

import numpy as np
import tensorflow as tf

from nascore.protocols import Measured, Reward
from nascore.runs.checkpoints import State
from nascore.strategies.rewards import ScoreReward
from nases.config import ACCURACY, CUBE


class CubeReward(tf.Module):
    """The cube of an accuracy, or of what it is over the training's.

    `v ** 3` and `(2 v - t) ** 3`: lines of the public code's train.py, the
    second one as a comment.

    Args:
      with_margin: whether the training accuracy t counts.
    """

    def __init__(self, with_margin: bool = False) -> None:
        super().__init__(name="cube_reward")
        self._with_margin = with_margin

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def restart(self) -> None:
        """There is nothing to forget."""

    def __call__(self, measured: Measured) -> Any:
        """Returns the rewards, float32; NumPy's of NumPy's."""
        score = measured.score
        if isinstance(score, tf.Tensor):
            score = tf.cast(score, tf.float32)
        else:
            score = np.asarray(score, np.float32)
        if self._with_margin:
            trained = measured.notes["train_accuracy"]
            score = 2 * score - np.asarray(trained, np.float32)
        return score**3


def make_reward(form: str) -> Reward:
    """The reward of a form, see `nases.config.EmbeddingConfig`."""
    if form == ACCURACY:
        return ScoreReward()
    return CubeReward(form != CUBE)
