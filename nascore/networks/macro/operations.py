"""The operations of ENAS's macro space, which really differ.

In the public code of the search they do not: each branch's function finds the
same local name when it is called, that of the last one, so that every choice
runs a max pool. Before an operation stands a 1x1 convolution with its
normalization: in a search that belongs to the layer, in a discrete network to
the operation.
"""

import abc
from collections.abc import Sequence

import keras
import tensorflow as tf

from nascore.networks.layers import Normalization, convolution, he_normal
from nascore.networks.operations.base import (
    Backward,
    Forward,
    Operation,
    WeightSpec,
    norm_specs,
)
from nascore.networks.operations.kernels import (
    BATCH_NORM_EPSILON,
    convolve_gradient,
    max_pool_3x3,
    mix,
    mix_gradient,
    normalize,
    normalize_gradient,
)
from nascore.networks.operations.separable import (
    filter_depthwise,
    filter_gradient,
)

# What a convolution's normalization makes beside its output: three small
# tensors for the gradient, then mean and variance of the batch.
MOMENTS = slice(3, 5)


def normalize_with(
    x: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    mean: tf.Tensor,
    variance: tf.Tensor,
) -> tf.Tensor:
    """Normalizes `[n, h, w, c]` by a given mean and variance, `[c]`."""
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=BATCH_NORM_EPSILON,
        is_training=False,
    ).y


class Branch(Operation):
    """What a layer may do: its shared form maps what the 1x1 has made.

    Attributes:
      name: in a space.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @abc.abstractmethod
    def infer(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        mean: tf.Tensor,
        variance: tf.Tensor,
    ) -> tf.Tensor:
        """`apply` with other statistics than those of the batch, `[c]`."""

    @abc.abstractmethod
    def _end(
        self, channels: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """What a discrete network has after the 1x1 convolution."""

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """See `Operation.discrete`; there are no strides."""
        return [
            keras.layers.ReLU(),
            convolution(channels),
            normalization(),
            *self._end(channels, normalization),
        ]

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """With the 1x1 convolution before it."""
        return (*entry_specs(channels), *self.weight_specs(channels))


def entry_specs(channels: int) -> tuple[WeightSpec, ...]:
    """Weights of the 1x1 convolution before an operation, and of its norm."""
    kernel = WeightSpec("entry_kernel", (1, 1, channels, channels), channels)
    return (kernel, *norm_specs(channels, "_entry"))


class BranchConvolution(Branch):
    """Relu, a k x k convolution, normalization, relu.

    Args:
      name: in a space.
      kernel_size: height and width of the kernel.
      separable: whether it is depthwise and then 1x1, nothing between.
    """

    is_convolution = True

    def __init__(self, name: str, kernel_size: int, separable: bool) -> None:
        super().__init__(name)
        self.kernel_size = kernel_size
        self.separable = separable
        self.kept_maps = 2 + separable
        self.kept_statistics = MOMENTS.stop

    @property
    def _written_out(self) -> bool:
        return True

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """Depthwise and 1x1 kernel, or one for both; scale and offset."""
        size = self.kernel_size
        if self.separable:
            kernels = [
                WeightSpec("depthwise", (size, size, channels, 1), size**2),
                WeightSpec("pointwise", (1, 1, channels, channels), channels),
            ]
        else:
            shape = (size, size, channels, channels)
            kernels = [WeightSpec("kernel", shape, size**2 * channels)]
        return (*kernels, *norm_specs(channels))

    def _filter(
        self, x: tf.Tensor, kernels: Sequence[tf.Tensor]
    ) -> list[tf.Tensor]:
        """After each kernel; the last one is normalized."""
        if self.separable:
            filtered = filter_depthwise(x, kernels[0])
            return [filtered, mix(filtered, kernels[1])]
        return [tf.nn.conv2d(x, kernels[0], 1, "SAME")]

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        return self.forward(x, weights).output

    def forward(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> Forward:
        """See `Operation.forward`; keeps its output, too."""
        *kernels, scale, offset = weights
        maps = self._filter(tf.nn.relu(x), kernels)
        normalized = normalize(maps[-1], scale, offset)
        output = tf.nn.relu(normalized.y)
        statistics = [
            normalized.reserve_space_1,
            normalized.reserve_space_2,
            normalized.reserve_space_3,
            normalized.batch_mean,
            normalized.batch_variance,
        ]
        return Forward(output, [*maps, output], statistics)

    def gradients(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        kept: Forward,
        upstream: tf.Tensor,
    ) -> Backward:
        """See `Operation.gradients`."""
        *kernels, scale, _ = weights
        *maps, output = kept.maps
        back = normalize_gradient(
            maps[-1],
            scale,
            kept.statistics[:3],
            tf.raw_ops.ReluGrad(gradients=upstream, features=output),
        )
        x_grad, kernel_grads = self._filter_gradient(
            tf.nn.relu(x), kernels, maps, back.x_backprop
        )
        grads = [*kernel_grads, back.scale_backprop, back.offset_backprop]
        along = tf.reduce_sum(tf.cast(output * upstream, tf.float32))
        x_grad = tf.raw_ops.ReluGrad(gradients=x_grad, features=x)
        return Backward(x_grad, grads, along)

    def _filter_gradient(
        self,
        x: tf.Tensor,
        kernels: Sequence[tf.Tensor],
        maps: Sequence[tf.Tensor],
        upstream: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Gradients of both arguments of `_filter`."""
        if self.separable:
            between, pointwise = mix_gradient(maps[0], kernels[1], upstream)
            x_grad, depthwise = filter_gradient(x, kernels[0], between)
            return x_grad, [depthwise, pointwise]
        x_grad, kernel = convolve_gradient(x, kernels[0], upstream)
        return x_grad, [kernel]

    def infer(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        mean: tf.Tensor,
        variance: tf.Tensor,
    ) -> tf.Tensor:
        """See `Branch.infer`."""
        *kernels, scale, offset = weights
        filtered = self._filter(tf.nn.relu(x), kernels)[-1]
        return tf.nn.relu(
            normalize_with(filtered, scale, offset, mean, variance)
        )

    def _end(
        self, channels: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """Relu, kernel or kernels, normalization."""
        kernels = convolution(channels, self.kernel_size)
        if self.separable:
            kernels = keras.layers.SeparableConv2D(
                channels,
                self.kernel_size,
                padding="same",
                use_bias=False,
                depthwise_initializer=he_normal(self.kernel_size**2),
                pointwise_initializer=he_normal(channels),
            )
        return [keras.layers.ReLU(), kernels, normalization()]

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """What each kernel and each normalization have read."""
        return 1, 3 + self.separable


class BranchPool(Branch):
    """Relu and a 3x3 pool; pixels beyond the border do not count.

    Args:
      name: in a space.
      largest: whether it takes the largest pixel, or else the mean.
    """

    def __init__(self, name: str, largest: bool) -> None:
        super().__init__(name)
        self.largest = largest

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        x = tf.nn.relu(x)
        if self.largest:
            return max_pool_3x3(x)
        return tf.nn.avg_pool2d(x, 3, 1, "SAME")

    def infer(
        self,
        x: tf.Tensor,
        weights: Sequence[tf.Tensor],
        mean: tf.Tensor,
        variance: tf.Tensor,
    ) -> tf.Tensor:
        """See `Branch.infer`; nothing is normalized."""
        return self.apply(x, weights)

    def _end(
        self, channels: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """The pool alone: the relu has gone before the 1x1 convolution."""
        if self.largest:
            return [keras.layers.MaxPooling2D(3, 1, "same")]
        return [keras.layers.AveragePooling2D(3, 1, "same")]

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """What the 1x1 convolution, its normalization and the pool read."""
        return 1, 2


_BRANCHES: tuple[Branch, ...] = (
    BranchConvolution("conv_3x3", 3, False),
    BranchConvolution("sep_conv_3x3", 3, True),
    BranchConvolution("conv_5x5", 5, False),
    BranchConvolution("sep_conv_5x5", 5, True),
    BranchPool("avg_pool_3x3", False),
    BranchPool("max_pool_3x3", True),
)


def find_branches(names: Sequence[str]) -> tuple[Branch, ...]:
    """The operations of a space by their names, which must be known."""
    known = {branch.name: branch for branch in _BRANCHES}
    return tuple(known[name] for name in names)
