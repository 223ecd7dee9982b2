"""The operations that a space may name.

Each is one entry of `OPERATIONS`. Adding one means one more `register`;
nothing else names it.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.layers import Normalization, halving, he_normal
from nascore.networks.operations.base import Forward, Operation, WeightSpec
from nascore.networks.operations.kernels import max_pool_3x3
from nascore.networks.operations.separable import (
    Kept,
    Weights,
    separable,
    separable_pair,
    separable_pair_gradient,
)


class SeparableConvolution(Operation):
    """Two times: relu, depthwise k x k, pointwise 1x1, normalization.

    Args:
      kernel_size: height and width of the depthwise kernel.
      dilation: distance between the pixels that the kernel reads.
    """

    is_convolution = True
    repeats = 2

    def __init__(self, kernel_size: int, dilation: int = 1) -> None:
        self.kernel_size = kernel_size
        self.dilation = dilation
        # The gradient that is written out knows no dilation.
        self.kept_maps = 1 if dilation == 1 else 0
        self.kept_statistics = 3 if dilation == 1 else 0

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """Depthwise, pointwise, scale and offset for each repeat."""
        size = self.kernel_size
        specs = []
        for repeat in range(self.repeats):
            specs += [
                WeightSpec(
                    f"depthwise_{repeat}",
                    (size, size, channels, 1),
                    fan_in=size * size,
                ),
                WeightSpec(
                    f"pointwise_{repeat}",
                    (1, 1, channels, channels),
                    fan_in=channels,
                ),
                WeightSpec(f"scale_{repeat}", (channels,), start=1.0),
                WeightSpec(f"offset_{repeat}", (channels,)),
            ]
        return tuple(specs)

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        for repeat in self._split(weights):
            x = separable(x, repeat, self.dilation).normalized.y
        return x

    def _split(self, weights: Sequence[tf.Tensor]) -> list[Weights]:
        count = len(Weights._fields)
        return [
            Weights(*weights[count * repeat :][:count])
            for repeat in range(self.repeats)
        ]

    def forward(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> Forward:
        """See `Operation.forward`."""
        if not self.kept_maps:
            return super().forward(x, weights)
        output, kept = separable_pair(x, *self._split(weights))
        return Forward(output, [kept.filtered], kept.statistics)

    def gradient(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        kept: Forward,
        upstream: tf.Tensor,
    ) -> list[tf.Tensor]:
        """See `Operation.gradient`."""
        if not self.kept_maps:
            return super().gradient(x, weights, kept, upstream)
        first, second = self._split(weights)
        x_grad, *slot = separable_pair_gradient(
            x,
            first,
            second,
            Kept(kept.maps[0], list(kept.statistics)),
            upstream,
        )
        return [x_grad, *slot[0], *slot[1]]

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """The first repeat takes the stride."""
        layers: list[keras.layers.Layer] = []
        for repeat in range(self.repeats):
            layers += [
                keras.layers.ReLU(),
                keras.layers.SeparableConv2D(
                    channels,
                    self.kernel_size,
                    strides=strides if repeat == 0 else 1,
                    padding="same",
                    dilation_rate=self.dilation,
                    use_bias=False,
                    depthwise_initializer=he_normal(self.kernel_size**2),
                    pointwise_initializer=he_normal(channels),
                ),
                normalization(),
            ]
        return layers

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """In each repeat what depthwise, pointwise and norm have read."""
        # The first relu stands before the stride.
        return 1, 3 * self.repeats - 1


class AveragePool(Operation):
    """Average pooling, 3x3; pixels beyond the border do not count."""

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return tf.nn.avg_pool2d(x, 3, 1, "SAME")

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`."""
        return [keras.layers.AveragePooling2D(3, strides, "same")]


class MaxPool(Operation):
    """Max pooling, 3x3."""

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return max_pool_3x3(x)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`."""
        return [keras.layers.MaxPooling2D(3, strides, "same")]


class Identity(Operation):
    """Returns its input; at stride 2 a factorized reduction."""

    is_skip = True

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return tf.identity(x)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`."""
        if strides == 1:
            return []
        return [halving(channels, channels), normalization()]

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """At stride 2 both paths, scale and offset."""
        if strides == 1:
            return ()
        half = (1, 1, channels, channels // 2)
        return (
            WeightSpec("path_0", half, fan_in=channels),
            WeightSpec("path_1", half, fan_in=channels),
            WeightSpec("scale", (channels,), start=1.0),
            WeightSpec("offset", (channels,)),
        )

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """At stride 2 what the normalization has read, and its output."""
        return (0, 0) if strides == 1 else (0, 2)


class Zero(Operation):
    """The "none" operation: zeros, so that the edge is as if absent."""

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return tf.zeros_like(x)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """Keeps every `strides`-th pixel, times zero."""
        return [
            keras.layers.AveragePooling2D(1, strides),
            keras.layers.Rescaling(0.0),
        ]


OPERATIONS: dict[str, Operation] = {}


def register(name: str, operation: Operation) -> None:
    """Adds an operation under a name that no other has.

    Raises:
      ValueError: the name is taken.
    """
    if name in OPERATIONS:
        raise ValueError(f"an operation of this name exists. Received: {name}")
    OPERATIONS[name] = operation


register("sep_conv_3x3", SeparableConvolution(3))
register("sep_conv_5x5", SeparableConvolution(5))
register("sep_conv_7x7", SeparableConvolution(7))
register("dil_conv_3x3", SeparableConvolution(3, dilation=2))
register("dil_conv_5x5", SeparableConvolution(5, dilation=2))
register("avg_pool_3x3", AveragePool())
register("max_pool_3x3", MaxPool())
register("identity", Identity())
register("none", Zero())


def find_operations(names: Sequence[str]) -> tuple[Operation, ...]:
    """Looks names up.

    Raises:
      InputError: an unknown name; lists the known ones.
    """
    for name in names:
        if name not in OPERATIONS:
            raise InputError(
                f"unknown operation {name!r}; known are: "
                f"{', '.join(OPERATIONS)}"
            )
    return tuple(OPERATIONS[name] for name in names)
