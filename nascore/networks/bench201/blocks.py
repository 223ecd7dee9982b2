"""What stands between the cells of NAS-Bench-201's network."""

from typing import NamedTuple

import keras

from nascore.networks.layers import (
    Normalization,
    convolution,
    halving_convolution,
)


class ResidualBlock(NamedTuple):
    """A reduction; its output is the sum of both.

    Attributes:
      branch: relu, 3x3 convolution of stride 2, normalization; then the same
        at stride 1.
      shortcut: the mean of 2x2 pixels, then a 1x1 convolution.
    """

    branch: list[keras.layers.Layer]
    shortcut: list[keras.layers.Layer]


def residual_block(
    channels: int, padding: str, normalization: Normalization
) -> ResidualBlock:
    """The layers of a reduction, not built yet.

    Args:
      channels: of the output.
      padding: see `nascore.networks.operations.base.Options`.
      normalization: makes the normalization layers.
    """
    return ResidualBlock(
        [
            keras.layers.ReLU(),
            *halving_convolution(channels, padding),
            normalization(),
            keras.layers.ReLU(),
            convolution(channels, 3),
            normalization(),
        ],
        [keras.layers.AveragePooling2D(2), convolution(channels)],
    )
