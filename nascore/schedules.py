"""Learning-rate schedules that Keras lacks."""

import keras
import tensorflow as tf

# More doublings than a training has epochs.
_RESTARTS = 20


class CosineRestarts:
    """Cosines with restarts; each period is twice as long as the one before.

    Loshchilov and Hutter (2017), over epochs. In the public code of ENAS the
    step that notices a restart divides its place by the new period before it
    goes back to 0: half a cosine, so that this one training step has the
    mean of the greatest and the least rate.

    Args:
      greatest: learning rate after a restart.
      least: learning rate before one.
      period: epochs of the first cosine.
      half: whether the first step of a restart has the mean of both, as in
        the public code.
    """

    def __init__(
        self, greatest: float, least: float, period: int, half: bool = False
    ) -> None:
        self._cosine = keras.optimizers.schedules.CosineDecayRestarts(
            greatest, period, t_mul=2.0, alpha=least / greatest
        )
        self._mean = (greatest + least) / 2
        self._restarts = tf.constant(
            [period * (2**n - 1) for n in range(1, _RESTARTS + 1)] * half,
            tf.float32,
        )

    def __call__(
        self, place: tf.Tensor | float, step: tf.Tensor | int
    ) -> tf.Tensor:
        """The learning rate, a float32 scalar.

        Args:
          place: in epochs, from 0; a fraction where the rate moves inside
            of an epoch.
          step: training steps done in this epoch.
        """
        place = tf.cast(place, tf.float32)
        restarts = tf.reduce_any(tf.equal(place, self._restarts))
        return tf.where(
            restarts & tf.equal(tf.cast(step, tf.int32), 0),
            self._mean,
            self._cosine(place),
        )
