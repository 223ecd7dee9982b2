"""The rewards of L2NAS (Mills et al., 2021, equations 3 and 7)."""

import tensorflow as tf

from l2nas.config import L2nasConfig
from nascore.protocols import Measured, Reward
from nascore.runs.checkpoints import State
from nascore.strategies.rewards import ScoreReward

_BASE = 100.0


class PowerReward(tf.Module):
    """100 to the power of an accuracy; see `nascore.protocols.Reward`.

    Args:
      reference: an accuracy. If it is not 0, accuracies count relative to it
        and its own reward is 0 (equation 7, where in print the fraction bar
        is under the whole power); else the power is the reward (equation 3).
    """

    def __init__(self, reference: float = 0.0) -> None:
        super().__init__(name="power_reward")
        self._reference = reference

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def restart(self) -> None:
        """There is nothing to forget."""

    def __call__(self, measured: Measured) -> tf.Tensor:
        """Returns the rewards, float32."""
        accuracies = tf.cast(measured.score, tf.float32)
        if not self._reference:
            return tf.pow(_BASE, accuracies)
        return tf.pow(_BASE, accuracies / self._reference) / _BASE - 1


def make_reward(config: L2nasConfig, best: float = 0.0) -> Reward:
    """The reward that settings name.

    Args:
      config: form and reference.
      best: the reference where none is given.
    """
    if config.reward_form == "accuracy":
        return ScoreReward()
    if config.reward_form == "power":
        return PowerReward()
    return PowerReward(config.reference_accuracy or best)
