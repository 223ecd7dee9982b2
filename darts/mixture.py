"""From alphas to the shares of a mixture."""

import tensorflow as tf

from darts.config import AlphasConfig
from darts.cures import edge_shares
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
