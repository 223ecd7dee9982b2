"""Rewards that any method can take."""

import tensorflow as tf

from nascore.protocols import Measured
from nascore.runs.checkpoints import State


class ScoreReward(tf.Module):
    """The score as it was measured; see `nascore.protocols.Reward`."""

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def __call__(self, measured: Measured) -> tf.Tensor:
        """Returns the scores."""
        return tf.cast(measured.score, tf.float32)
