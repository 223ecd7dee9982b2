"""Rewards that any method can take."""

import math
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


class TangentReward(tf.Module):
    """The tangent of an accuracy; see `nascore.protocols.Reward`.

    `tan(f pi / 2)`, as in EAS (Cai et al., 2018) and RENAS (Chen et al.,
    2019, section 3.3): a step counts the more, the better what it starts
    from. At f = 1 that is infinite; f is cut where it is 637.
    """

    most = 0.999

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def restart(self) -> None:
        """There is nothing to forget."""

    def __call__(self, measured: Measured) -> Any:
        """Returns the rewards, float32; NumPy's of NumPy's."""
        if isinstance(measured.score, tf.Tensor):
            score = tf.cast(measured.score, tf.float32)
            return tf.tan(tf.minimum(score, self.most) * (math.pi / 2))
        score = np.asarray(measured.score, np.float32)
        return np.tan(np.minimum(score, np.float32(self.most)) * (np.pi / 2))
