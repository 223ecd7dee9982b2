"""The policy gradient that the controllers share (Williams, 1992)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf


class MovingBaseline(tf.Module):
    """An exponential moving average of the rewards.

    It is updated with each reward before it is used, as in the published
    code of ENAS.

    Args:
      decay: weight of the past.
      runs: searches at once, with an average each; None: one, a scalar.
    """

    def __init__(self, decay: float, runs: int | None = None) -> None:
        super().__init__(name="baseline")
        self.decay = decay
        start = tf.zeros([] if runs is None else [runs])
        self.value = tf.Variable(start, trainable=False, name="baseline")

    def __call__(self, reward: tf.Tensor) -> tf.Tensor:
        """Takes in one reward and returns the new average, a scalar.

        Of several runs it takes in one each, `[runs]`.
        """
        step = (1 - self.decay) * (reward - self.value)
        return self.value.assign_add(step)

    def follow(self, rewards: tf.Tensor) -> tf.Tensor:
        """Takes in one reward after the other; returns all averages, `[n]`.

        Args:
          rewards: `[n]` in the order of evaluation, run by run.
        """
        return in_turn(self, self.value.shape, rewards)


def in_turn(
    step: Callable[[Any], tf.Tensor], runs: Sequence[int], values: Any
) -> tf.Tensor:
    """Calls a function that remembers with one value after the other.

    Args:
      step: of a value of each run, `runs`; returns as many.
      runs: `[]` for one search, `[runs]` for several.
      values: a tensor `[n]`, run by run, or several of them in a tuple.

    Returns:
      Float32 `[n]`, run by run.
    """

    def in_order(each: tf.Tensor) -> tf.Tensor:
        return tf.transpose(tf.reshape(each, [*runs, -1]))

    found = tf.map_fn(
        step,
        tf.nest.map_structure(in_order, values),
        fn_output_signature=tf.TensorSpec(runs, tf.float32),
        parallel_iterations=1,
    )
    return tf.reshape(tf.transpose(found), [-1])


def policy_gradient_loss(
    log_probs: tf.Tensor, advantages: tf.Tensor
) -> tf.Tensor:
    """Mean of `-log p * advantage`; its gradient is REINFORCE's estimate.

    Args:
      log_probs: log-probabilities of the sampled architectures, `[n]`, or of
        each of their steps, `[n, steps]`.
      advantages: likewise, reward or return minus baseline; held constant.

    Returns:
      A scalar, the mean over architectures.
    """
    products = log_probs * tf.stop_gradient(advantages)
    if products.shape.rank == 2:
        products = tf.reduce_sum(products, axis=1)
    return -tf.reduce_mean(products)


def descend_if_finite(
    optimizer: keras.optimizers.Optimizer,
    loss: tf.Tensor,
    gradients: Sequence[tf.Tensor | tf.IndexedSlices],
    weights: Sequence[tf.Variable],
) -> tf.Tensor:
    """Makes an optimizer's step unless loss or gradient is not finite.

    A policy that took in one NaN would sample nonsense ever after.

    Args:
      optimizer: of the weights.
      loss: a scalar.
      gradients: its, one for each weight. Those of a lookup may be rows of
        which some repeat: they are added up first, for Keras's optimizers
        (3.15) take a repeated row's parts one by one, so that Adam squares
        each instead of their sum.
      weights: what is trained.

    Returns:
      Bool scalar, whether the step was made.
    """
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    # A norm that overflows would leave the optimizer's averages infinite.
    finite = tf.math.is_finite(loss + tf.linalg.global_norm(gradients))

    def descend() -> tf.Tensor:
        optimizer.apply(gradients, weights)
        return tf.constant(True)

    return tf.cond(finite, descend, lambda: tf.constant(False))


def descend_where_finite(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    weights: Sequence[tf.Variable],
) -> tf.Tensor:
    """As `descend_if_finite`, of weights that many searches have in a stack.

    A search whose gradient is not finite is left as it is, the others go on.

    Args:
      optimizer: of the weights; it works element by element and knows no
        momentum, so that no gradient is no step.
      gradients: one for each weight, `[runs, ...]`, dense.
      weights: what is trained, likewise.

    Returns:
      Bool `[runs]`, whether the step of each was made.
    """
    squares = [
        tf.reduce_sum(tf.square(gradient), axis=range(1, gradient.shape.rank))
        for gradient in gradients
    ]
    finite = tf.math.is_finite(tf.add_n(squares))
    kept = [
        tf.where(
            tf.reshape(finite, [-1] + [1] * (gradient.shape.rank - 1)),
            gradient,
            0.0,
        )
        for gradient in gradients
    ]
    optimizer.apply(kept, weights)
    return finite


def discounted_returns(
    rewards: tf.Tensor, lengths: tf.Tensor, steps: int, discount: float
) -> tf.Tensor:
    """Returns of the steps of sequences that are rewarded at their end.

    The return of step t is `discount ** (length - 1 - t) * reward`.

    Args:
      rewards: `[n]`, one for each sequence.
      lengths: int32 `[n]`, steps of each sequence.
      steps: most steps.
      discount: from 0 to 1.

    Returns:
      Float32 `[n, steps]`; 0 after the end of a sequence.
    """
    left = lengths[:, None] - 1 - tf.range(steps)
    steps_after = tf.cast(tf.maximum(left, 0), tf.float32)
    weights = tf.pow(tf.constant(discount, tf.float32), steps_after)
    return tf.where(left >= 0, rewards[:, None] * weights, 0.0)


def standardize(rewards: tf.Tensor) -> tf.Tensor:
    """Brings rewards `[n]` to mean 0 and deviation 1; equal ones to 0."""
    centred = rewards - tf.reduce_mean(rewards)
    deviation = tf.math.reduce_std(rewards)
    # Rounding alone must not be blown up to a signal.
    least = 1e-6 * tf.maximum(1.0, tf.reduce_max(tf.abs(rewards)))
    return tf.where(deviation > least, centred / deviation, 0.0)
