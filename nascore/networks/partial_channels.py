"""PC-DARTS's part of the channels (Xu et al., 2020, arXiv 1907.05737)."""

import tensorflow as tf


def split_channels(
    x: tf.Tensor, groups: int, strides: int = 1
) -> tuple[tf.Tensor, tf.Tensor]:
    """Channels that pass through an edge's operations, and the others.

    Args:
      x: `[n, height, width, channels]`.
      groups: of the channels, one of so many passes; divides them.
      strides: of the operations; 2 takes the maximum of 2x2 pixels of the
        others.
    """
    first = x.shape[-1] // groups
    passing, others = tf.split(x, [first, x.shape[-1] - first], axis=-1)
    if strides > 1:
        others = tf.nn.max_pool2d(others, strides, strides, "SAME")
    return passing, others


def join_channels(
    mixed: tf.Tensor, others: tf.Tensor, groups: int
) -> tf.Tensor:
    """The inverse of `split_channels`, shuffled for the next edge.

    It is linear, so that the sum over the edges of a node may be joined.

    Args:
      mixed: what the operations made of the first channels.
      others: the other channels.
      groups: as there.
    """
    return shuffle_channels(tf.concat([mixed, others], axis=-1), groups)


def shuffle_channels(x: tf.Tensor, groups: int) -> tf.Tensor:
    """Deals the channels out: one of each group, then the next of each.

    Args:
      x: `[n, height, width, channels]`.
      groups: of neighbouring channels, divides them.
    """
    channels = x.shape[-1]
    around = tf.shape(x)[:-1]
    grouped = tf.reshape(
        x, tf.concat([around, [groups, channels // groups]], axis=0)
    )
    dealt = tf.linalg.matrix_transpose(grouped)
    return tf.ensure_shape(
        tf.reshape(dealt, tf.concat([around, [channels]], axis=0)), x.shape
    )
