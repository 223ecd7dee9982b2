"""What MLPNAS rewards its policy with (overview paper, section 5.1)."""

import tensorflow as tf

from mlpnas.config import PolicyConfig
from nascore.protocols import Measured
from nascore.runs.checkpoints import State
from nascore.strategies.policy_gradient import standardize


class BaselineReward(tf.Module):
    """Scores less a constant, or standardized within an epoch.

    Args:
      config: the constant, and whether to standardize.
    """

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__(name="baseline_reward")
        self.config = config

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def __call__(self, measured: Measured) -> tf.Tensor:
        """Maps the scores of an epoch to rewards, float32 `[n]`."""
        scores = tf.cast(tf.convert_to_tensor(measured.score), tf.float32)
        rewards = scores - self.config.baseline
        return (
            standardize(rewards) if self.config.normalize_rewards else rewards
        )
