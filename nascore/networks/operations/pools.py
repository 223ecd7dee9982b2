"""Poolings, 3x3."""

import abc
from collections.abc import Sequence

import keras
import tensorflow as tf

from nascore.networks.layers import Normalization
from nascore.networks.operations.base import Operation, WeightSpec, norm_specs
from nascore.networks.operations.kernels import batch_norm, max_pool_3x3, pick


class Pool(Operation):
    """A pooling, 3x3; pixels beyond the border do not count.

    PyTorch's padding is on all sides, as that of TensorFlow at stride 1: with
    it a stride is that pooling, of which every second pixel is taken.
    """

    @property
    def _normalizes(self) -> bool:
        return self.options.norm_after_pool

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """Scale and offset, where there is a normalization with them."""
        if self._normalizes and self.options.affine:
            return norm_specs(channels)
        return ()

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        strides = self.options.strides
        if self.options.padding == "torch":
            x = pick(self._pool(x, 1), strides)
        else:
            x = self._pool(x, strides)
        if not self._normalizes:
            return x
        channels = x.shape[-1]
        return batch_norm(
            x, *weights or (tf.ones(channels), tf.zeros(channels))
        )

    @abc.abstractmethod
    def _pool(self, x: tf.Tensor, strides: int) -> tf.Tensor:
        """The pooling with TensorFlow's padding."""

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`."""
        if strides > 1 and self.options.padding == "torch":
            every = keras.layers.AveragePooling2D(1, strides)
            return [self._layer(1), every]
        return [self._layer(strides)]

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """None: no normalization follows."""
        return ()

    @abc.abstractmethod
    def _layer(self, strides: int) -> keras.layers.Layer:
        """The pooling as a layer, with TensorFlow's padding."""


class AveragePool(Pool):
    """Average pooling, 3x3."""

    def _pool(self, x: tf.Tensor, strides: int) -> tf.Tensor:
        return tf.nn.avg_pool2d(x, 3, strides, "SAME")

    def _layer(self, strides: int) -> keras.layers.Layer:
        return keras.layers.AveragePooling2D(3, strides, "same")


class MaxPool(Pool):
    """Max pooling, 3x3."""

    def _pool(self, x: tf.Tensor, strides: int) -> tf.Tensor:
        return max_pool_3x3(x, strides)

    def _layer(self, strides: int) -> keras.layers.Layer:
        return keras.layers.MaxPooling2D(3, strides, "same")
