"""What a child step must do at least: multiply-adds and bytes.

The limits that stand beside the measured times. Multiply-adds are those of
the convolutions and matrix products. Bytes assume that each kernel reads and
writes each of its tensors once, a normalization its input twice, and that a
relu costs nothing.
"""

import dataclasses

from nascore.networks import costs
from nascore.networks.maps import Layer, Link
from nascore.networks.operations.base import Operation
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.stack import Stack
from nascore.spaces.cells import Architecture, Cell

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


# Of a kernel, be it depthwise or a matrix product.
PRODUCT = Moves(2, 4)
NORMALIZATION = Moves(3, 5)
POOL = Moves(2, 3)
SUM = Moves(3, 0)


def _operation_moves(operation: Operation, channels: int) -> Moves:
    """Maps that one edge reads and writes."""
    if operation.is_skip:
        return Moves(0, 0)
    specs = operation.weight_specs(channels)
    kernels = sum(spec.fan_in is not None for spec in specs)
    # The others are scales and offsets.
    norms = (len(specs) - kernels) // 2
    if not kernels:
        return POOL
    return Moves(
        PRODUCT.forward * kernels + NORMALIZATION.forward * norms,
        PRODUCT.backward * kernels + NORMALIZATION.backward * norms,
    )


def _cell_moved(
    stack: Stack, layer: Layer, cell: Cell, training: bool
) -> float:
    """Numbers that a cell reads and writes for one image."""
    operations = find_operations(stack.space.operations)
    maps = sum(
        _operation_moves(operations[op], layer.width).of(training)
        for node in cell.nodes
        for _, op in node.edges
    )
    maps += len(cell.loose_ends) * PRODUCT.of(training)
    maps += len(cell.nodes) * SUM.of(training) + NORMALIZATION.of(training)
    return maps * layer.output.size


def _link_moved(link: Link, training: bool) -> float:
    """Numbers that a 1x1 convolution or a reduction reads and writes."""
    if not link.changes:
        return 0.0
    return (
        PRODUCT.of(training) / 2 * (link.have.size + link.want.size)
        + NORMALIZATION.of(training) * link.want.size
    )


def count_child(
    stack: Stack, architecture: Architecture, batch: int, training: bool
) -> Work:
    """Work of a training step, or of an evaluation, on a batch.

    Without classifier and auxiliary head, which are small.

    Args:
      stack: the plan of the supernet.
      architecture: what is trained or evaluated.
      batch: images.
      training: with gradient and update; else forwards.
    """
    parts = costs.count(stack, architecture)
    products = parts[costs.STEM].multiply_adds
    stem = PRODUCT.of(training) + NORMALIZATION.of(training)
    moved: float = stem * stack.stem.size
    for layer in stack.layers:
        products += parts[layer.name].multiply_adds
        moved += sum(_link_moved(link, training) for link in layer.inputs)
        cell = architecture.cells[layer.cell]
        moved += _cell_moved(stack, layer, cell, training)
    work = Work(products * (TRAINING if training else 1), moved * FLOAT) * batch
    if training:
        # The update reads weight, momentum and gradient, and writes two.
        weights = costs.total(parts).parameters
        work += Work(0.0, 5 * weights * FLOAT)
    return work
