"""What passes an input on, or nothing."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from nascore.networks.layers import Normalization, halving
from nascore.networks.operations.base import Operation, WeightSpec, norm_specs
from nascore.networks.operations.kernels import batch_norm, mix, pick


class Identity(Operation):
    """Returns its input; at stride 2 a factorized reduction.

    Args:
      relu: whether the reduction begins with a relu, as DARTS's does.
    """

    is_skip = True

    def __init__(self, relu: bool = False) -> None:
        self.relu = relu

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """See `Operation.weight_specs`."""
        return _reduction_specs(
            channels, self.options.strides, self.options.affine
        )

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        strides = self.options.strides
        if strides == 1:
            return tf.identity(x)
        if self.relu:
            x = tf.nn.relu(x)
        first, second, *norm = weights
        # The second path is one pixel further down and to the right.
        halves = [
            mix(pick(x, strides), first),
            mix(pick(x[:, 1:, 1:], strides), second),
        ]
        joined = tf.concat(halves, axis=-1)
        still = tf.ones(joined.shape[-1]), tf.zeros(joined.shape[-1])
        return batch_norm(joined, *norm or still)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`."""
        if strides == 1:
            return []
        relu = [keras.layers.ReLU()] * self.relu
        return [*relu, halving(channels, channels), normalization()]

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """At stride 2 both paths, scale and offset."""
        return _reduction_specs(channels, strides, True)

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """At stride 2 what the normalization has read, and its output."""
        return (0, 0) if strides == 1 else (int(self.relu), 2)


def _reduction_specs(
    channels: int, strides: int, affine: bool
) -> tuple[WeightSpec, ...]:
    if strides == 1:
        return ()
    widths = channels // 2, channels - channels // 2
    paths = tuple(
        WeightSpec(f"path_{n}", (1, 1, channels, width), fan_in=channels)
        for n, width in enumerate(widths)
    )
    return (*paths, *norm_specs(channels)) if affine else paths


class Zero(Operation):
    """The "none" operation: zeros, so that the edge is as if absent."""

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return tf.zeros_like(pick(x, self.options.strides))

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """Keeps every `strides`-th pixel, times zero."""
        return [
            keras.layers.AveragePooling2D(1, strides),
            keras.layers.Rescaling(0.0),
        ]
