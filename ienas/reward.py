"""The reward of I-ENAS: how an architecture compares with the last ones.

Gallo et al. (2020), section III, equation 1 and algorithm 1.
"""

from typing import Any

import tensorflow as tf

from ienas.config import RewardConfig
from nascore.protocols import Measured, Reward
from nascore.runs.checkpoints import State
from nascore.strategies.policy_gradient import in_turn

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
      runs: searches at once, with a history each; None: one search.
    """

    def __init__(
        self, reward: Reward, config: RewardConfig, runs: int | None = None
    ) -> None:
        super().__init__(name="relative_reward")
        self.reward = reward
        self.config = config
        self._runs = [] if runs is None else [runs]
        self.history = tf.Variable(
            tf.zeros([*self._runs, config.reward_window]),
            trainable=False,
            name="history",
        )
        self.seen = tf.Variable(0, trainable=False, name="seen")

    @property
    def state(self) -> State:
        """The last accuracies, and what the wrapped reward remembers."""
        wrapped = {f"wrapped_{n}": v for n, v in self.reward.state.items()}
        return {**wrapped, "history": self.history, "seen": self.seen}

    def restart(self) -> None:
        """Forgets all accuracies, and so does the wrapped reward."""
        # Only what searches stacked can be begun again, see `Restarts`.
        wrapped: Any = self.reward
        wrapped.restart()
        self.history.assign(tf.zeros_like(self.history))
        self.seen.assign(0)

    def __call__(self, measured: Measured) -> tf.Tensor:
        """Maps accuracies to rewards, one after the other: it remembers.

        Args:
          measured: in the order of evaluation, run by run.
        """
        accuracies = tf.cast(measured.score, tf.float32)
        return in_turn(
            lambda pair: self._scale(*pair),
            self._runs,
            (self.reward(measured), accuracies),
        )

    def _scale(self, plain: tf.Tensor, accuracy: tf.Tensor) -> tf.Tensor:
        """One reward of one accuracy, and of the wrapped reward of it.

        Of several runs they are `[runs]`.
        """
        window = self.config.reward_window
        if self.config.reward_rule == "code":
            counted = tf.math.count_nonzero(self.history, axis=-1)
        else:
            counted = tf.minimum(self.seen, window)
        known = tf.cast(counted, tf.float32)
        total = tf.reduce_sum(self.history, axis=-1)
        mean = tf.math.divide_no_nan(total, known)
        ratio = tf.math.divide_no_nan(accuracy, mean)
        threshold = self.config.reward_threshold
        if self.config.reward_rule == "paper":
            scaled = tf.where(ratio <= threshold, PENALTY, plain * ratio)
        elif self.config.reward_rule == "code":
            factor = tf.where(ratio < threshold, PENALTY, ratio)
            scaled = plain * factor
        elif self.config.reward_rule == "twice":
            scaled = 2 * plain
        else:
            scaled = plain
        oldest = tf.range(window) == self.seen % window
        self.history.assign(tf.where(oldest, accuracy[..., None], self.history))
        self.seen.assign_add(1)
        return tf.where(mean > 0, scaled, plain)
