"""The operations of a cell, each in its shared and its discrete form.

An operation is one entry of `OPERATIONS`. Its shared form is what a supernet
needs: the weights of one slot, and a pure function of an input and one
slot's weights, normalized by the statistics of the batch. Its discrete form
is an ordinary Keras layer with weights and moving statistics of its own.
Adding an operation means one more `register`; nothing else names one.
"""

import abc
import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.layers import (
    Normalization,
    halving,
    he_normal,
)
from nascore.networks.operations.separable import (
    Kept,
    Weights,
    separable,
    separable_pair,
    separable_pair_gradient,
)


@dataclasses.dataclass(frozen=True)
class WeightSpec:
    """One weight of one slot.

    Args:
      name: unique inside its operation.
      shape: shape of one slot.
      fan_in: inputs that each output sums over, for a kernel; None for a
        scale or an offset.
      start: what a scale or an offset starts at.
    """

    name: str
    shape: tuple[int, ...]
    fan_in: int | None = None
    start: float = 0.0


class Forward(NamedTuple):
    """What an operation's forward pass leaves for its gradient.

    Attributes:
      output: `[n, h, w, c]`.
      maps: tensors of that shape, `kept_maps` of them.
      statistics: small float32 tensors, `kept_statistics` of them.
    """

    output: tf.Tensor
    maps: Sequence[tf.Tensor] = ()
    statistics: Sequence[tf.Tensor] = ()


class Operation(abc.ABC):
    """Base of the operations: keeps shape at stride 1, has no weights."""

    is_convolution = False
    # Whether it passes its input on; a drop path spares it.
    is_skip = False
    # What the shared form keeps for its gradient, besides its input.
    kept_maps = 0
    kept_statistics = 0
    # Tensors of the input's size that the discrete form keeps.
    discrete_maps = 0

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """Returns the weights of one slot at this width."""
        return ()

    @abc.abstractmethod
    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """The shared form: maps `[n, h, w, c]` to the same shape.

        Args:
          x: the input, any float type.
          weights: one slot, in the order of `weight_specs`.
        """

    def forward(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> Forward:
        """`apply`, with what `gradient` cannot cheaply make again."""
        return Forward(self.apply(x, weights))

    def gradient(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        kept: Forward,
        upstream: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Gradients of the input and of each weight, by running it again.

        Args:
          x: the input.
          weights: one slot.
          kept: what `forward` has kept; its output is not to be used.
          upstream: the gradient of the output.
        """
        sources = [x, *weights]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            output = self.apply(x, weights)
        return tape.gradient(
            output, sources, upstream, unconnected_gradients="zero"
        )

    @abc.abstractmethod
    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """The discrete form: Keras layers for `[n, h, w, channels]`.

        They run one after the other and are Keras's own, so that a saved
        network loads without this package. Their trainable weights are
        those of `weight_specs`, in that order, if there are any.
        """


class SeparableConvolution(Operation):
    """Two times: relu, depthwise k x k, pointwise 1x1, normalization.

    Args:
      kernel_size: height and width of the depthwise kernel.
      dilation: distance between the pixels that the kernel reads.
    """

    is_convolution = True
    repeats = 2
    # In each repeat what depthwise, pointwise and normalization have read.
    discrete_maps = 3 * repeats

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


@tf.custom_gradient
def _max_pool_3x3(x: tf.Tensor) -> tuple[tf.Tensor, object]:
    # Inside a function or a branch, forward and backward live in different
    # graphs, and TensorFlow then takes a max-pool gradient several times
    # slower than the one it takes beside its own forward pass.
    x = tf.identity(x)
    window = {"ksize": [1, 3, 3, 1], "strides": [1, 1, 1, 1]}

    def grad(upstream: tf.Tensor) -> tf.Tensor:
        pooled = tf.raw_ops.MaxPool(input=x, padding="SAME", **window)
        return tf.raw_ops.MaxPoolGrad(
            orig_input=x,
            orig_output=pooled,
            grad=upstream,
            padding="SAME",
            **window,
        )

    return tf.raw_ops.MaxPool(input=x, padding="SAME", **window), grad


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
        return _max_pool_3x3(x)

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
