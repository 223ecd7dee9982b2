"""Moving averages of the weights, and statistics that belong to them."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from nascore.data.augment import batch_places, to_float
from nascore.networks.discrete import PROGRESS
from nascore.networks.layers import BATCH_NORM_DECAY

Scaling = tuple[np.ndarray, np.ndarray] | tuple[float, float]
# A variable, and what it was.
Kept = tuple[keras.Variable, np.ndarray]

_STATISTICS = ("moving_mean", "moving_variance")
# Training images that the statistics are taken from while training goes on;
# 1,000 to 10,000 are as good as all (Wu and Johnson, 2021, "Rethinking
# 'Batch' in BatchNorm", section 3).
SAMPLE = 8192


class Averages(tf.Module):
    """An exponential moving average of each weight.

    After update t (from 1) an average a moves to the weight w by

      a += (1 - d) (w - a),  d = min(decay, (1 + t) / (40 + t)),

    the rule of `tf.train.ExponentialMovingAverage` with `num_updates`, with
    40 in the place of its 10. Until the decay is reached the average lags
    (t + 1) / 40 updates behind, in a training of any length. With d = decay
    from the start the first weights would stay in it; with Adam's correction
    it would begin as the mean of all weights. Both this and TensorFlow's 10
    lag too much in trainings of a few epochs (`benchmarks.averages`).

    Args:
      weights: what is averaged.
      decay: the greatest d.
      strategy: the devices that hold the weights.
    """

    # As runs record it; one by another rule is not continued.
    RULE = "d = min(decay, (1 + t) / (40 + t))"

    def __init__(
        self,
        weights: Sequence[keras.Variable],
        decay: float,
        strategy: tf.distribute.Strategy,
    ) -> None:
        super().__init__(name="averages")
        self._weights = weights
        self._decay = decay
        self._strategy = strategy
        with strategy.scope():
            self.values = [
                tf.Variable(weight.numpy(), trainable=False)
                for weight in weights
            ]

    def restart(self) -> None:
        """Begins again, from the weights as they are."""
        for average, weight in zip(self.values, self._weights, strict=True):
            average.assign(weight.numpy())

    def update(self, count: tf.Tensor, changed: tf.Tensor) -> None:
        """Takes the weights in; in the graph, outside of the replicas.

        Args:
          count: updates of the weights so far, t.
          changed: whether the last step was one; float16 skips some.
        """
        t = tf.cast(count, tf.float32)
        decay = tf.minimum(self._decay, (1.0 + t) / (40.0 + t))
        rate = tf.where(changed, 1.0 - decay, 0.0)
        for average, weight in zip(self.values, self._weights, strict=True):
            self._strategy.extended.update(
                average,
                lambda a, w: a.assign_add(rate * (w - a)),
                args=(weight.value,),
            )


class Statistics(tf.Module):
    """Takes a network's statistics for normalization anew.

    Those that moved with the training belong to the weights it went through.
    As in stochastic weight averaging (Izmailov et al., 2018, section 3.2;
    `torch.optim.swa_utils.update_bn`) each becomes the mean over batches of
    training images that go through the network in training mode; here images
    as they are and no drop path, as when the network is used.

    Args:
      network: from `nascore.networks.discrete.build_network`.
      images: the training images, uint8 `[n, h, w, c]`.
      order: their places, int32 `[n]`, in the order of the batches.
      scaling: mean and deviation that pixels in [0, 1] are standardized by.
      batch_size: images in a batch.
    """

    def __init__(
        self,
        network: keras.Model,
        images: tf.Tensor,
        order: tf.Tensor,
        scaling: Scaling,
        batch_size: int,
    ) -> None:
        super().__init__(name="statistics")
        self._network = network
        self._images = images
        self._order = order
        self._scaling = scaling
        self._size = batch_size

    @property
    def variables_to_take(self) -> list[keras.Variable]:
        """Means and variances of all normalizations."""
        return [
            variable
            for variable in self._network.non_trainable_variables
            if variable.name in _STATISTICS
        ]

    def take(self, images: int) -> None:
        """Takes them from at least one batch of at most so many images."""
        batches = max(1, min(images, len(self._images)) // self._size)
        means = self._measure(tf.constant(batches))
        for variable, mean in zip(self.variables_to_take, means, strict=True):
            variable.assign(mean)

    @tf.function(autograph=False)
    def _measure(self, batches: tf.Tensor) -> list[tf.Tensor]:
        trained = [v.value for v in self._network.trainable_variables]
        others = self._network.non_trainable_variables
        taken = [v.name in _STATISTICS for v in others]
        no_progress = [v.path.startswith(PROGRESS) for v in others]
        # From 0, so that one batch's statistics can be told from them
        # after they have moved.
        start = [
            tf.zeros_like(v.value) if taken[k] or no_progress[k] else v.value
            for k, v in enumerate(others)
        ]

        def body(step: tf.Tensor, *sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
            places = batch_places(self._order, step, self._size)
            batch = tf.gather(self._images, tf.gather(self._order, places))
            images = to_float(batch, *self._scaling)
            # Nothing of the network is changed, its random seeds neither.
            _, after = self._network.stateless_call(
                trained, start, images, training=True
            )
            moved = [
                v for v, is_one in zip(after, taken, strict=True) if is_one
            ]
            return (
                step + 1,
                *(
                    total + tf.cast(value, tf.float64)
                    for total, value in zip(sums, moved, strict=True)
                ),
            )

        zeros = [tf.zeros(v.shape, tf.float64) for v in self.variables_to_take]
        _, *sums = tf.while_loop(
            lambda step, *sums: step < batches, body, (tf.constant(0), *zeros)
        )
        share = (1.0 - BATCH_NORM_DECAY) * tf.cast(batches, tf.float64)
        return [tf.cast(total / share, tf.float32) for total in sums]
