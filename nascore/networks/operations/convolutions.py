"""Separable convolutions, once or twice, dilated or not."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from nascore.networks.layers import Normalization, he_normal
from nascore.networks.operations.base import (
    Backward,
    Forward,
    Operation,
    WeightSpec,
    norm_specs,
)
from nascore.networks.operations.separable import (
    Kept,
    Weights,
    folds,
    separable,
    separable_pair,
    separable_pair_gradient,
)


class SeparableConvolution(Operation):
    """Relu, depthwise k x k, pointwise 1x1, normalization; once or more.

    Args:
      kernel_size: height and width of the depthwise kernel.
      dilation: distance between the pixels that the kernel reads.
      repeats: how often all four come; strides are of the first.
    """

    is_convolution = True

    def __init__(
        self, kernel_size: int, dilation: int = 1, repeats: int = 2
    ) -> None:
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.repeats = repeats

    @property
    def _written_out(self) -> bool:
        """Whether there is a gradient by hand, which keeps less."""
        plain = self.dilation == 1 and self.options.strides == 1
        return plain and self.repeats == 2

    @property
    def kept_maps(self) -> int:  # type: ignore[override]
        """See `Operation`."""
        return int(self._written_out)

    @property
    def kept_statistics(self) -> int:  # type: ignore[override]
        """See `Operation`."""
        return 3 * self._written_out

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """Depthwise, pointwise, scale and offset for each repeat."""
        return self._specs(channels, self.options.affine)

    def _specs(self, channels: int, affine: bool) -> tuple[WeightSpec, ...]:
        size = self.kernel_size
        specs: list[WeightSpec] = []
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
            ]
            if affine:
                specs += norm_specs(channels, f"_{repeat}")
        return tuple(specs)

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        strides = self.options.strides
        for repeat in self._split(weights):
            steps = separable(
                x, repeat, self.dilation, strides, self.options.padding
            )
            x, strides = steps.normalized.y, 1
        return x

    def _split(self, weights: Sequence[tf.Tensor]) -> list[Weights]:
        """The weights of each repeat; without a scale it is 1."""
        count = len(weights) // self.repeats
        channels = weights[0].shape[2]
        still = [] if self.options.affine else [1.0, 0.0]
        constants = [tf.fill([channels], number) for number in still]
        return [
            Weights(*weights[count * repeat :][:count], *constants)
            for repeat in range(self.repeats)
        ]

    def forward(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> Forward:
        """See `Operation.forward`."""
        if not self._written_out:
            return super().forward(x, weights)
        output, kept = separable_pair(x, *self._split(weights))
        return Forward(output, [kept.filtered], kept.statistics)

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
        first, second = self._split(weights)
        x_grad, *slot = separable_pair_gradient(
            x,
            first,
            second,
            Kept(kept.maps[0], list(kept.statistics)),
            upstream,
        )
        # The output is linear in the last scale and offset, and nothing else
        # is added to it: no map has to be made again.
        last = slot[1]
        along = tf.reduce_sum(
            last.scale * second.scale + last.offset * second.offset
        )
        own = len(weights) // self.repeats
        return Backward(x_grad, [*slot[0][:own], *slot[1][:own]], along)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """The first repeat takes the stride."""
        layers: list[keras.layers.Layer] = []
        for repeat in range(self.repeats):
            layers.append(keras.layers.ReLU())
            layers += self._convolution(channels, 1 if repeat else strides)
            layers.append(normalization())
        return layers

    def _convolution(
        self, channels: int, strides: int
    ) -> list[keras.layers.Layer]:
        """The two kernels, and what a stride needs in front of them."""
        before: list[keras.layers.Layer] = []
        dilation, padding = self.dilation, "same"
        if folds(dilation, strides):
            before.append(keras.layers.AveragePooling2D(1, strides))
            dilation, strides = dilation // strides, 1
        elif self._pads(strides):
            edge = dilation * (self.kernel_size // 2)
            before.append(keras.layers.ZeroPadding2D(edge))
            padding = "valid"
        kernels = keras.layers.SeparableConv2D(
            channels,
            self.kernel_size,
            strides=strides,
            padding=padding,
            dilation_rate=dilation,
            use_bias=False,
            depthwise_initializer=he_normal(self.kernel_size**2),
            pointwise_initializer=he_normal(channels),
        )
        return [*before, kernels]

    def _pads(self, strides: int) -> bool:
        """Whether the padding is a layer of its own."""
        return strides > 1 and self.options.padding == "torch"

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """With a scale and an offset in any case."""
        return self._specs(channels, True)

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """In each repeat what depthwise, pointwise and norm have read."""
        # The first relu stands before the stride, and so does the padding.
        folded = folds(self.dilation, strides)
        padded = self._pads(strides) and not folded
        return 1 + padded, 3 * self.repeats - 1 + folded
