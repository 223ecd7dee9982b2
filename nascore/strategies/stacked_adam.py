"""Adam for the weights of many searches in a stack, one pass over each."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from nascore.runs.checkpoints import State

# Of Adam (Kingma and Ba, 2015).
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class StackedAdam(tf.Module):
    """Adam (Kingma and Ba, 2015, algorithm 1); searches share nothing.

    Args:
      weights: what is trained, `[searches, ...]` each, by name.
      rate: learning rate.
    """

    def __init__(self, weights: Mapping[str, tf.Variable], rate: float) -> None:
        super().__init__(name="stacked_adam")
        self._weights = weights
        self._rate = rate
        self._moments = {
            f"{name}_{moment}": tf.Variable(
                tf.zeros_like(weight), trainable=False, name=moment
            )
            for name, weight in weights.items()
            for moment in ("mean", "square")
        }
        self._updates = tf.Variable(0, trainable=False, name="updates")

    @property
    def state(self) -> State:
        """Means and mean squares of the gradients, and their number."""
        return {**self._moments, "updates": self._updates}

    def restart(self) -> None:
        """Forgets all gradients."""
        for moment in (*self._moments.values(), self._updates):
            moment.assign(tf.zeros_like(moment))

    def descend(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        """Makes a step, unless a gradient is not finite.

        Args:
          gradients: in the order of the weights; those of a lookup may be
            rows of which some repeat.

        Returns:
          Bool `[searches]`, whether the gradient of each is finite; the step
          is made where all are.
        """
        dense = [tf.convert_to_tensor(each) for each in gradients]
        # One sum over all is one pass; which of them is to blame takes more.
        whole = tf.add_n([tf.nn.l2_loss(each) for each in dense])
        finite = tf.cond(
            tf.math.is_finite(whole),
            lambda: tf.ones([dense[0].shape[0]], tf.bool),
            lambda: _finite(dense),
        )
        tf.cond(
            tf.reduce_all(finite),
            lambda: self._step(dense),
            lambda: tf.constant(False),
        )
        return finite

    def _step(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        count = tf.cast(self._updates.assign_add(1), tf.float32)
        for (name, weight), gradient in zip(
            self._weights.items(), gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=self._moments[f"{name}_mean"].handle,
                v=self._moments[f"{name}_square"].handle,
                beta1_power=tf.pow(_BETA_1, count),
                beta2_power=tf.pow(_BETA_2, count),
                lr=self._rate,
                beta1=_BETA_1,
                beta2=_BETA_2,
                epsilon=_EPSILON,
                grad=gradient,
            )
        return tf.constant(True)


def _finite(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Whether the gradient of each search is finite, bool `[searches]`."""
    squares = [
        tf.reduce_sum(tf.square(each), axis=range(1, each.shape.rank))
        for each in gradients
    ]
    return tf.math.is_finite(tf.add_n(squares))
