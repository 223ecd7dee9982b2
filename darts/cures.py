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
