"""What a child step must do at least: multiply-adds and bytes.

The limits that stand beside the measured times. Multiply-adds are those of
the convolutions and matrix products. Bytes assume that each kernel reads and
writes each of its tensors once, a normalization its input twice, and that a
relu costs nothing.
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from nascore.networks.layers import ConvNorm, FactorizedReduction
from nascore.networks.operations.base import SeparableConvolution
from nascore.networks.shared_cell import SharedCell
from nascore.networks.supernet import Supernet

FLOAT = 4
# The gradient of a product is two products of the same size.
TRAINING = 3


@dataclasses.dataclass(frozen=True)
class Work:
    """What a computation must do.

    Attributes:
      multiply_adds: of convolutions and matrix products.
      moved: bytes read and written.
    """

    multiply_adds: float = 0.0
    moved: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.multiply_adds + other.multiply_adds, self.moved + other.moved
        )

    def __mul__(self, times: float) -> "Work":
        return Work(self.multiply_adds * times, self.moved * times)


@dataclasses.dataclass(frozen=True)
class Moves:
    """How many maps a part reads and writes.

    Attributes:
      forward: in the forward pass.
      backward: in the gradient.
    """

    forward: int
    backward: int

    def of(self, training: bool) -> int:
        """In a training step or in an evaluation."""
        return self.forward + self.backward * training


# Depthwise 2, pointwise 2, normalization 3; their gradients 4, 4 and 5.
CONVOLUTION = Moves(7, 13)
PRODUCT = Moves(2, 4)
NORMALIZATION = Moves(3, 5)
POOL = Moves(2, 3)
SUM = Moves(3, 0)


def count_cell(
    layer: SharedCell, cell: np.ndarray, pixels: int, training: bool
) -> Work:
    """Work of one layer for one image.

    Args:
      layer: of the supernet.
      cell: int `[nodes, 4]`.
      pixels: height times width of the layer's maps.
      training: whether the gradient is computed, too.
    """
    width = layer.channels
    operations = list(layer.operations.values())
    edges = cell.reshape(-1, 2)
    times = TRAINING if training else 1
    multiply_adds, maps = 0.0, 0.0
    for operation in (operations[op] for op in edges[:, 1]):
        if isinstance(operation, SeparableConvolution):
            each = operation.kernel_size**2 * width + width**2
            multiply_adds += operation.repeats * each * times
            maps += operation.repeats * CONVOLUTION.of(training)
        elif not operation.is_skip:
            maps += POOL.of(training)
    ends = layer.num_tensors - len(set(edges[:, 0]))
    multiply_adds += ends * width**2 * times
    maps += ends * PRODUCT.of(training) + NORMALIZATION.of(training)
    maps += layer.num_nodes * SUM.of(training)
    return Work(multiply_adds * pixels, maps * width * pixels * FLOAT)


def _count_layer(
    layer: tf.Module, have: int, width: int, pixels: int, training: bool
) -> Work:
    """Work of a 1x1 convolution or of a factorized reduction."""
    if not isinstance(layer, ConvNorm | FactorizedReduction):
        return Work()
    times = TRAINING if training else 1
    read = have * (4 if isinstance(layer, FactorizedReduction) else 1)
    half = PRODUCT.of(training) / 2
    maps = half * (read + width) + NORMALIZATION.of(training) * width
    return Work(have * width * pixels * times, maps * pixels * FLOAT)


def count_child(
    supernet: Supernet, architecture: np.ndarray, batch: int, training: bool
) -> Work:
    """Work of a training step, or of an evaluation, on a batch.

    Args:
      supernet: the child network.
      architecture: int `[cell types, nodes, 4]`.
      batch: images.
      training: with gradient and update; else forwards.
    """
    height, width, colours = supernet.image_shape
    pixels = height * width
    stem = supernet.stem.convolution.filters
    times = TRAINING if training else 1
    moves = PRODUCT.of(training) + NORMALIZATION.of(training)
    work = Work(
        9 * colours * stem * pixels * times, moves * stem * pixels * FLOAT
    )
    before = [stem, stem]
    for number, name in enumerate(supernet.config.layer_types):
        layer = supernet.cells[number]
        channels = layer.channels
        calibrations = list(
            zip(supernet.calibrations[number], before, strict=True)
        )
        if name == "reduction":
            pixels //= 4
            calibrations = [(supernet.calibrations[number][0], before[1])]
            calibrations.append((supernet.reductions[number], before[1]))
            before = [channels, channels]
        for calibration, have in calibrations:
            work += _count_layer(calibration, have, channels, pixels, training)
        cell = architecture[supernet.cell_types[name]]
        work += count_cell(layer, cell, pixels, training)
        before = [before[1], channels]
    work *= batch
    if training:
        weights = sum(math.prod(v.shape) for v in supernet.trainable_variables)
        # The update reads weight, momentum and gradient, and writes two.
        work += Work(0.0, 5 * weights * FLOAT)
    return work
