"""Two separable convolutions in a row, with their gradient.

Automatic differentiation keeps six tensors of the input's size for each pair
of a search, and they fill the memory. Here one is kept; the others are made
again where the gradient needs them, which costs a tenth of its time. The
kernels are those that were found to be fast (benchmarks/NOTES.md).
"""

from typing import Any, NamedTuple

import tensorflow as tf

from nascore.networks.operations.kernels import (
    mix,
    mix_gradient,
    normalize,
    normalize_gradient,
    pick,
)


class Weights(NamedTuple):
    """The weights of one separable convolution.

    Attributes:
      depthwise: `[k, k, c, 1]`.
      pointwise: `[1, 1, c, c]`.
      scale: `[c]`, of the normalization.
      offset: `[c]`, likewise.
    """

    depthwise: tf.Tensor
    pointwise: tf.Tensor
    scale: tf.Tensor
    offset: tf.Tensor


class Steps(NamedTuple):
    """What a separable convolution makes of its input, in order.

    Attributes:
      filtered: after relu and the depthwise kernel.
      mixed: after the pointwise kernel.
      normalized: all outputs of the normalization; `y` is the result.
    """

    filtered: tf.Tensor
    mixed: tf.Tensor
    normalized: Any


class Kept(NamedTuple):
    """What the gradient of a pair needs besides its input and weights.

    Attributes:
      filtered: the first's.
      statistics: of the second's batch, as its normalization saves them.
    """

    filtered: tf.Tensor
    statistics: list[tf.Tensor]


def filter_depthwise(
    x: tf.Tensor,
    depthwise: tf.Tensor,
    dilation: int = 1,
    strides: int = 1,
    padding: str = "same",
) -> tf.Tensor:
    """A depthwise convolution.

    Args:
      x: `[n, h, w, c]`.
      depthwise: kernel, `[k, k, c, 1]`.
      dilation: distance between the pixels that it reads.
      strides: 1 or 2.
      padding: see `Options`.
    """
    mode = "SAME"
    if folds(dilation, strides):
        x, dilation, strides = pick(x, strides), dilation // strides, 1
    elif strides > 1 and padding == "torch":
        edge = [dilation * (depthwise.shape[0] // 2)] * 2
        x, mode = tf.pad(x, [[0, 0], edge, edge, [0, 0]]), "VALID"
    return tf.nn.depthwise_conv2d(
        x, depthwise, [1, strides, strides, 1], mode, dilations=[dilation] * 2
    )


def folds(dilation: int, strides: int) -> bool:
    """Whether a dilated kernel may read every `strides`-th pixel instead.

    Such a kernel looks at no pixel between them, if its padding is as much on
    either side; TensorFlow has no kernel that dilates and strides.
    """
    return strides > 1 and dilation % strides == 0


def separable(
    x: tf.Tensor,
    weights: Weights,
    dilation: int = 1,
    strides: int = 1,
    padding: str = "same",
) -> Steps:
    """Relu, depthwise, pointwise, normalization by the batch's statistics.

    Args:
      x: `[n, h, w, c]`.
      weights: of the kernels and the normalization.
      dilation: distance between the pixels that the depthwise kernel reads.
      strides: of the depthwise kernel.
      padding: see `Options`.
    """
    filtered = filter_depthwise(
        tf.nn.relu(x), weights.depthwise, dilation, strides, padding
    )
    mixed = mix(filtered, weights.pointwise)
    normalized = normalize(mixed, weights.scale, weights.offset)
    return Steps(filtered, mixed, normalized)


def separable_pair(
    x: tf.Tensor, first: Weights, second: Weights
) -> tuple[tf.Tensor, Kept]:
    """Two separable convolutions, and what their gradient needs.

    Args:
      x: `[n, h, w, c]`.
      first: weights of the first.
      second: weights of the second.
    """
    inner = separable(x, first)
    outer = separable(inner.normalized.y, second)
    return outer.normalized.y, Kept(
        inner.filtered, _statistics(outer.normalized)
    )


def separable_pair_gradient(
    x: tf.Tensor,
    first: Weights,
    second: Weights,
    kept: Kept,
    upstream: tf.Tensor,
) -> tuple[tf.Tensor, Weights, Weights]:
    """Gradients of the first three arguments.

    Args:
      x: the input of `separable_pair`.
      first: its weights.
      second: its weights.
      kept: what it kept.
      upstream: the gradient of its output.
    """
    mixed = mix(kept.filtered, first.pointwise)
    normalized = normalize(mixed, first.scale, first.offset)
    between = normalized.y
    filtered = filter_depthwise(tf.nn.relu(between), second.depthwise)
    between_grad, second_grad = _gradient(
        between,
        second,
        Steps(filtered, mix(filtered, second.pointwise), None),
        kept.statistics,
        upstream,
    )
    x_grad, first_grad = _gradient(
        x,
        first,
        Steps(kept.filtered, mixed, None),
        _statistics(normalized),
        between_grad,
    )
    return x_grad, first_grad, second_grad


def _statistics(normalized: Any) -> list[tf.Tensor]:
    return [
        normalized.reserve_space_1,
        normalized.reserve_space_2,
        normalized.reserve_space_3,
    ]


def _gradient(
    x: tf.Tensor,
    weights: Weights,
    steps: Steps,
    statistics: list[tf.Tensor],
    upstream: tf.Tensor,
) -> tuple[tf.Tensor, Weights]:
    back = normalize_gradient(steps.mixed, weights.scale, statistics, upstream)
    filtered_grad, pointwise_grad = mix_gradient(
        steps.filtered, weights.pointwise, back.x_backprop
    )
    relu_grad, depthwise_grad = filter_gradient(
        tf.nn.relu(x), weights.depthwise, filtered_grad
    )
    x_grad = tf.raw_ops.ReluGrad(gradients=relu_grad, features=x)
    return x_grad, Weights(
        depthwise_grad,
        pointwise_grad,
        back.scale_backprop,
        back.offset_backprop,
    )


def filter_gradient(
    x: tf.Tensor, depthwise: tf.Tensor, upstream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradients of both arguments of `filter_depthwise`, plain and at 1."""
    size = depthwise.shape[0]
    # Of TensorFlow's two CPU kernels the one that this padding selects is
    # the faster for all but the smallest filters. Zeros all the same.
    padding: dict[str, Any] = {"padding": "SAME"}
    if size > 3:
        edge = [size // 2] * 4
        padding = {
            "padding": "EXPLICIT",
            "explicit_paddings": [0, 0, *edge, 0, 0],
        }
    depthwise_grad = tf.raw_ops.DepthwiseConv2dNativeBackpropFilter(
        input=x,
        filter_sizes=depthwise.shape,
        out_backprop=upstream,
        strides=[1, 1, 1, 1],
        **padding,
    )
    # At stride 1 this is the convolution with the reversed kernel, and the
    # forward pass has the faster code.
    x_grad = filter_depthwise(upstream, tf.reverse(depthwise, [0, 1]))
    return x_grad, depthwise_grad
