"""Rewards that any method can take."""

from typing import Any

import numpy as np
import tensorflow as tf

from nascore.protocols import Measured
from nascore.runs.checkpoints import State


class ScoreReward(tf.Module):
    """The score as it was measured; see `nascore.protocols.Reward`."""

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def restart(self) -> None:
        """There is nothing to forget."""

    def __call__(self, measured: Measured) -> Any:
        """Returns the scores, float32; NumPy's of NumPy's."""
        if isinstance(measured.score, tf.Tensor):
            return tf.cast(measured.score, tf.float32)
        return np.asarray(measured.score, np.float32)
