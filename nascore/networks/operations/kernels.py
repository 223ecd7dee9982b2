"""TensorFlow kernels with their gradients, the fastest of equal ones.

What was measured stands in benchmarks/NOTES.md.
"""

import functools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from nascore.process.runtime import once

BATCH_NORM_EPSILON = 1e-5


def normalize(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> Any:
    """`batch_norm` with all that TensorFlow's kernel returns.

    Returns:
      `y` `[n, h, w, c]`, and `reserve_space_1` to `_3` for the gradient.
    """
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=BATCH_NORM_EPSILON,
        is_training=True,
    )


def normalize_gradient(
    x: tf.Tensor,
    scale: tf.Tensor,
    reserves: Sequence[tf.Tensor],
    upstream: tf.Tensor,
) -> Any:
    """The gradient of `normalize`.

    Returns:
      `x_backprop`, `scale_backprop` and `offset_backprop`.
    """
    first, second, third = reserves
    return tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=upstream,
        x=x,
        scale=scale,
        reserve_space_1=first,
        reserve_space_2=second,
        reserve_space_3=third,
        epsilon=BATCH_NORM_EPSILON,
        is_training=True,
    )


def batch_norm(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Normalizes `[n, h, w, c]` by the statistics of this batch alone."""
    return normalize(x, scale, offset).y


def mix(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """A 1x1 convolution as the matrix product that it is, which is faster.

    Args:
      x: `[n, h, w, c]`.
      kernel: `[1, 1, c, d]`.

    Returns:
      `[n, h, w, d]`.
    """
    shape = tf.concat([tf.shape(x)[:3], kernel.shape[3:]], axis=0)
    return tf.reshape(_rows(x) @ _matrix(kernel), shape)


def mix_gradient(
    x: tf.Tensor, kernel: tf.Tensor, upstream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradients of both arguments of `mix`."""
    rows = _rows(upstream)
    x_grad = tf.matmul(rows, _matrix(kernel), transpose_b=True)
    kernel_grad = tf.matmul(_rows(x), rows, transpose_a=True)
    return (
        tf.reshape(x_grad, tf.shape(x)),
        tf.reshape(kernel_grad, kernel.shape),
    )


def convolve_gradient(
    x: tf.Tensor, kernel: tf.Tensor, upstream: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradients of both arguments of a convolution with stride 1 and SAME."""
    window: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=tf.shape(x),
        filter=kernel,
        out_backprop=upstream,
        **window,
    ), tf.raw_ops.Conv2DBackpropFilter(
        input=x,
        filter_sizes=kernel.shape,
        out_backprop=upstream,
        **window,
    )


@once
def _add(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    return left + right


def total(parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """The sum of tensors of one shape, to the same bit each time.

    TensorFlow's kernel for more than two begins with whichever it may
    overwrite, which depends on what else is running; and it joins additions
    that stand side by side into that kernel, unless they are calls.
    """
    return functools.reduce(_add, parts)


def fan_out(x: tf.Tensor, count: int) -> list[tf.Tensor]:
    """A tensor for several readers, whose gradients are added by `total`.

    Args:
      x: of any shape.
      count: of readers.
    """
    if count < 3:
        return [x] * count

    @tf.custom_gradient
    def copy(x: tf.Tensor) -> tuple[list[tf.Tensor], object]:
        copies = [tf.identity(x) for _ in range(count)]
        return copies, lambda *upstream: total(upstream)

    return list(copy(x))


def pick(x: tf.Tensor, strides: int) -> tf.Tensor:
    """Every `strides`-th pixel of `[n, h, w, c]`, the first among them."""
    return x[:, ::strides, ::strides] if strides > 1 else x


def max_pool_3x3(x: tf.Tensor, strides: int = 1) -> tf.Tensor:
    """Max pooling, 3x3, of `[n, h, w, c]`, with TensorFlow's padding."""
    window = {
        "ksize": [1, 3, 3, 1],
        "strides": [1, strides, strides, 1],
        "padding": "SAME",
    }

    @tf.custom_gradient
    def pool(x: tf.Tensor) -> tuple[tf.Tensor, object]:
        # Inside a function or a branch, forward and backward live in
        # different graphs, and TensorFlow then takes a max-pool gradient
        # several times slower than the one it takes beside its own forward
        # pass.
        x = tf.identity(x)

        def grad(upstream: tf.Tensor) -> tf.Tensor:
            return tf.raw_ops.MaxPoolGrad(
                orig_input=x,
                orig_output=tf.raw_ops.MaxPool(input=x, **window),
                grad=upstream,
                **window,
            )

        return tf.raw_ops.MaxPool(input=x, **window), grad

    return pool(x)


def _rows(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, [-1, x.shape[-1]])


def _matrix(kernel: tf.Tensor) -> tf.Tensor:
    return tf.reshape(kernel, kernel.shape[2:])
