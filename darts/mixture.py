"""From alphas to the shares of a mixture, in all variants of DARTS."""

import tensorflow as tf

from darts.config import AlphasConfig
from darts.layout import AlphaLayout

# DARTS-'s second skip is one more operation, which no cell is derived with.
AUXILIARY = "skip_connect"


def mixed_operations(
    layout: AlphaLayout, config: AlphasConfig
) -> tuple[str, ...]:
    """What an edge mixes, in the order of its shares."""
    return layout.operations + (AUXILIARY,) * (config.variant == "minus")


def shares(
    layout: AlphaLayout,
    config: AlphasConfig,
    alphas: list[tf.Tensor],
    fade: tf.Tensor,
) -> tf.Tensor:
    """How much of each operation a mixture has.

    Args:
      layout: of the alphas.
      config: says which variant.
      alphas: as `darts.bilevel.start_alphas` has them.
      fade: the share of DARTS-'s second skip, a float32 scalar.

    Returns:
      Float32 `[cells, edges, operations + 1]`, as `MixedWeights` has it.
    """
    found = tf.nn.softmax(alphas[0])
    passed = tf.ones_like(found[..., :1])
    if config.variant == "pc":
        passed = edge_shares(layout, alphas[1])[..., None]
        found *= passed
    if config.variant == "minus":
        found = tf.concat([found, fade * passed], axis=-1)
    return tf.concat([found, passed], axis=-1)


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
