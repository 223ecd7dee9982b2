"""The policy gradient that the controllers share (Williams, 1992)."""

import tensorflow as tf


class MovingBaseline(tf.Module):
    """An exponential moving average of the rewards.

    It is updated with each reward before it is used, as in the published
    code of ENAS.

    Args:
      decay: weight of the past.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(name="baseline")
        self.decay = decay
        self.value = tf.Variable(0.0, trainable=False, name="baseline")

    def __call__(self, reward: tf.Tensor) -> tf.Tensor:
        """Takes in one reward and returns the new average, a scalar."""
        step = (1 - self.decay) * (reward - self.value)
        return self.value.assign_add(step)


def policy_gradient_loss(
    log_probs: tf.Tensor, advantages: tf.Tensor
) -> tf.Tensor:
    """Mean of `-log p * advantage`; its gradient is REINFORCE's estimate.

    Args:
      log_probs: `[n]`, log-probabilities of the sampled architectures.
      advantages: `[n]`, reward minus baseline; held constant.

    Returns:
      A scalar.
    """
    return -tf.reduce_mean(log_probs * tf.stop_gradient(advantages))
