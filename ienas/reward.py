"""The reward of I-ENAS: how an architecture compares with the last ones.

Gallo et al. (2020), section III, equation 1 and algorithm 1.
"""

import tensorflow as tf

from ienas.config import RewardConfig
from nascore.protocols import Measured, Reward
from nascore.runs.checkpoints import State

PENALTY = 0.01


class RelativeReward(tf.Module):
    """Wraps another reward and scales it by the recent accuracies.

    With `s` the accuracy over the mean of the last ones (the current one not
    among them), the wrapped reward is multiplied by `s`, or replaced by a
    penalty where `s` is small. The first architecture, and one that follows
    nothing but accuracies of zero, has nothing to be compared with and keeps
    the wrapped reward. Every accuracy joins the history, as in the text and
    the code; the paper's algorithm 1 prints that step outside of its loop.
    The code's mean leaves accuracies of exactly 0 out, and so does its rule
    here; the paper's equation counts them.

    Args:
      reward: the reward to wrap.
      config: rule, window and threshold.
    """

    def __init__(self, reward: Reward, config: RewardConfig) -> None:
        super().__init__(name="relative_reward")
        self.reward = reward
        self.config = config
        self.history = tf.Variable(
            tf.zeros([config.reward_window]), trainable=False, name="history"
        )
        self.seen = tf.Variable(0, trainable=False, name="seen")

    @property
    def state(self) -> State:
        """The last accuracies, and what the wrapped reward remembers."""
        wrapped = {f"wrapped_{n}": v for n, v in self.reward.state.items()}
        return {**wrapped, "history": self.history, "seen": self.seen}

    def __call__(self, measured: Measured) -> tf.Tensor:
        """Maps accuracies to rewards, one after the other: it remembers."""
        return tf.map_fn(
            lambda pair: self._scale(*pair),
            (self.reward(measured), tf.cast(measured.score, tf.float32)),
            fn_output_signature=tf.TensorSpec([], tf.float32),
            parallel_iterations=1,
        )

    def _scale(self, plain: tf.Tensor, accuracy: tf.Tensor) -> tf.Tensor:
        """One reward of one accuracy, and of the wrapped reward of it."""
        window = self.config.reward_window
        if self.config.reward_rule == "code":
            counted = tf.math.count_nonzero(self.history)
        else:
            counted = tf.minimum(self.seen, window)
        known = tf.cast(counted, tf.float32)
        mean = tf.math.divide_no_nan(tf.reduce_sum(self.history), known)
        ratio = tf.math.divide_no_nan(accuracy, mean)
        threshold = self.config.reward_threshold
        if self.config.reward_rule == "paper":
            scaled = tf.where(ratio <= threshold, PENALTY, plain * ratio)
        elif self.config.reward_rule == "code":
            factor = tf.where(ratio < threshold, PENALTY, ratio)
            scaled = plain * factor
        else:
            scaled = plain
        place = self.seen % window
        self.history.scatter_nd_update([[place]], [accuracy])
        self.seen.assign_add(1)
        return tf.where(mean > 0, scaled, plain)
