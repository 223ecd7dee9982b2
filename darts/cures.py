"""What variants of DARTS change in a mixed edge; TensorFlow."""

import tensorflow as tf

from darts.layout import AlphaLayout


def auxiliary_skip(epoch: int, epochs: int) -> float:
    """The weight of DARTS-'s second skip: from 1 in a line towards 0.

    It is added to each mixed edge and is no part of what is derived (Chu et
    al., 2021, arXiv 2009.01027, section 3.3).

    Args:
      epoch: from 0.
      epochs: of the search.
    """
    return (epochs - epoch) / epochs


def edge_shares(layout: AlphaLayout, edges: tf.Tensor) -> tf.Tensor:
    """PC-DARTS's weights of edges: a softmax over those into each node.

    A node is the sum of its mixed edges times these (Xu et al., 2020, arXiv
    1907.05737, equation 4).

    Args:
      layout: of the alphas.
      edges: the edges' own alphas, `[..., edges]`.

    Returns:
      Likewise; those into a node sum up to 1.
    """
    parts = tf.split(edges, layout.incoming, axis=-1)
    return tf.concat([tf.nn.softmax(part) for part in parts], axis=-1)


def split_channels(x: tf.Tensor, groups: int) -> tuple[tf.Tensor, tf.Tensor]:
    """PC-DARTS's channels that pass through operations, and the others.

    Args:
      x: `[n, height, width, channels]`.
      groups: of the channels, one of so many passes; divides them.
    """
    passing = x.shape[-1] // groups
    return x[..., :passing], x[..., passing:]


def join_channels(
    mixed: tf.Tensor, others: tf.Tensor, groups: int, strides: int
) -> tf.Tensor:
    """The inverse of `split_channels`, shuffled for the next edge.

    Args:
      mixed: what the operations made of the first channels.
      others: the other channels, as they were.
      groups: as there.
      strides: of the operations; 2 takes the maximum of 2x2 pixels of the
        others.
    """
    if strides > 1:
        others = tf.nn.max_pool2d(others, strides, strides, "SAME")
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
