"""Ordinary convolutions, as in NAS-Bench-201."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from nascore.networks.layers import Normalization, convolution
from nascore.networks.operations.base import (
    Backward,
    Forward,
    Operation,
    WeightSpec,
    norm_specs,
)
from nascore.networks.operations.kernels import (
    convolve_gradient,
    mix,
    mix_gradient,
    normalize,
    normalize_gradient,
    pick,
)


class PlainConvolution(Operation):
    """Relu, k x k convolution, normalization (Dong and Yang, 2020).

    With its gradient, which keeps what the normalization has read.

    Args:
      kernel_size: height and width of the kernel, odd.
    """

    is_convolution = True

    def __init__(self, kernel_size: int) -> None:
        self.kernel_size = kernel_size

    @property
    def _written_out(self) -> bool:
        return self.options.strides == 1

    @property
    def kept_maps(self) -> int:  # type: ignore[override]
        """See `Operation`."""
        return int(self._written_out)

    @property
    def kept_statistics(self) -> int:  # type: ignore[override]
        """See `Operation`."""
        return 3 * self._written_out

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """The kernel; scale and offset, where there are any."""
        size = self.kernel_size
        kernel = WeightSpec(
            "kernel", (size, size, channels, channels), size**2 * channels
        )
        return (kernel, *(norm_specs(channels) if self.options.affine else ()))

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return self._steps(x, weights)[1].y

    def forward(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> Forward:
        """See `Operation.forward`."""
        if not self._written_out:
            return super().forward(x, weights)
        filtered, normalized = self._steps(x, weights)
        return Forward(
            normalized.y,
            [filtered],
            [
                normalized.reserve_space_1,
                normalized.reserve_space_2,
                normalized.reserve_space_3,
            ],
        )

    def _steps(
        self, x: tf.Tensor, weights: Sequence[tf.Tensor]
    ) -> tuple[tf.Tensor, Any]:
        """After the kernel; and all that the normalization makes of it."""
        filtered = self._convolve(tf.nn.relu(x), weights[0])
        return filtered, normalize(filtered, *self._norm(weights))

    def _norm(self, weights: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
        """Scale and offset; without them they are 1 and 0."""
        channels = weights[0].shape[-1]
        return weights[1:] or (tf.ones(channels), tf.zeros(channels))

    def _convolve(self, x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        strides, mode = self.options.strides, "SAME"
        if self.kernel_size == 1:
            return mix(pick(x, strides), kernel)
        if self._pads(strides):
            edge = [self.kernel_size // 2] * 2
            x, mode = tf.pad(x, [[0, 0], edge, edge, [0, 0]]), "VALID"
        return tf.nn.conv2d(x, kernel, strides, mode)

    def _pads(self, strides: int) -> bool:
        """Whether the padding is a step of its own."""
        wide = strides > 1 and self.kernel_size > 1
        return wide and self.options.padding == "torch"

    def gradients(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        kept: Forward,
        upstream: tf.Tensor,
    ) -> Backward:
        """See `Operation.gradients`."""
        if not self._written_out:
            return super().gradients(x, weights, kept, upstream)
        scale, offset = self._norm(weights)
        back = normalize_gradient(
            kept.maps[0], scale, kept.statistics, upstream
        )
        relu_grad, kernel_grad = self._convolve_back(
            tf.nn.relu(x), weights[0], back.x_backprop
        )
        # The output is linear in scale and offset.
        along = tf.reduce_sum(
            back.scale_backprop * scale + back.offset_backprop * offset
        )
        norm_grads = [back.scale_backprop, back.offset_backprop]
        return Backward(
            tf.raw_ops.ReluGrad(gradients=relu_grad, features=x),
            [kernel_grad, *norm_grads[: len(weights) - 1]],
            along,
        )

    def _convolve_back(
        self, x: tf.Tensor, kernel: tf.Tensor, upstream: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Gradients of both arguments of `_convolve` at stride 1."""
        if self.kernel_size == 1:
            return mix_gradient(x, kernel, upstream)
        return convolve_gradient(x, kernel, upstream)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`."""
        layers: list[keras.layers.Layer] = [keras.layers.ReLU()]
        padding = "same"
        if self.kernel_size == 1 and strides > 1:
            # See `nascore.networks.layers.halving`.
            layers.append(keras.layers.AveragePooling2D(1, strides))
            strides = 1
        elif self._pads(strides):
            layers.append(keras.layers.ZeroPadding2D(self.kernel_size // 2))
            padding = "valid"
        kernel = convolution(channels, self.kernel_size, strides, padding)
        return [*layers, kernel, normalization()]

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """With a scale and an offset in any case."""
        kernel = self.weight_specs(channels)[0]
        return (kernel, *norm_specs(channels))

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """What the kernel has read, once more if padded, and the norm."""
        if self.kernel_size == 1 and strides > 1:
            return 1, 2
        return 1 + self._pads(strides), 1
