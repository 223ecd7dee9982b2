"""One cell of a supernet: any of NAS-Bench-201, over shared weights.

Only the chosen operations run, forward and backward, and one compiled graph
serves every cell.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from nascore.networks.mixed_cell import start_kernel
from nascore.networks.operations.base import Operation
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import total
from nascore.spaces.bench201 import EDGES, NODES, OPERATIONS

_NONE = OPERATIONS.index("none")


def live_operations(row: tf.Tensor) -> list[tf.Tensor]:
    """The operations of a cell, `none` where one makes no difference.

    That is on edges that nothing comes to, and on those from which nothing
    leads to the output. What such an edge would bring is zero: normalizations
    have no offset, so that they make nothing of nothing.

    Args:
      row: int32 `[6]`.

    Returns:
      Int32 scalars, one for each edge.
    """
    operations = tf.unstack(row)
    is_there = [tf.not_equal(operation, _NONE) for operation in operations]
    no = tf.constant(False)
    reached = [tf.constant(True), *[no] * (NODES - 1)]
    for (start, end), there in zip(EDGES, is_there, strict=True):
        reached[end] |= reached[start] & there
    leads = [*[no] * (NODES - 1), tf.constant(True)]
    for (start, end), there in reversed(
        list(zip(EDGES, is_there, strict=True))
    ):
        leads[start] |= leads[end] & there
    return [
        tf.where(reached[start] & leads[end], operation, _NONE)
        for (start, end), operation in zip(EDGES, operations, strict=True)
    ]


class Bench201SharedCell(keras.layers.Layer):
    """One cell of the supernet: any of NAS-Bench-201.

    An edge has weights of its own for each operation that has some; those of
    all edges are one variable for each kind.

    Args:
      channels: width of the input and of the output.
      operations: that are chosen from, in the order of the space.
      edge: the compiled choice among them.
      kernel_init: `torch` or `he`, see `Bench201SupernetConfig`.
    """

    def __init__(
        self,
        channels: int,
        operations: Sequence[Operation],
        edge: Edge,
        kernel_init: str = "torch",
        **kwargs: object,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.channels = channels
        self.operations = dict(zip(OPERATIONS, operations, strict=True))
        self.edge = edge
        self.kernel_init = kernel_init

    def build(self, input_shape: object) -> None:
        """Makes the weights, `[edges, ...]` each."""
        self.slots = [
            self.add_weight(
                shape=(len(EDGES), *spec.shape),
                initializer=(
                    keras.initializers.Constant(spec.start)
                    if spec.fan_in is None
                    else start_kernel(spec.fan_in, self.kernel_init)
                ),
                name=f"{name}_{spec.name}",
                # Cast where they are taken.
                autocast=False,
            )
            for name, operation in self.operations.items()
            for spec in operation.weight_specs(self.channels)
        ]

    def call(
        self, inputs: Sequence[tf.Tensor], row: tf.Tensor
    ) -> list[tf.Tensor]:
        """Runs one cell.

        Args:
          inputs: the only one, `[n, h, w, channels]`.
          row: int32 `[6]`.

        Returns:
          The output alone, `[n, h, w, channels]`.
        """
        (x,) = inputs
        # What decides which operation runs is computed where the deciding is
        # done; on a GPU each choice would wait for the device.
        with tf.device("CPU:0"):
            operations = live_operations(row)
        slots = [
            # The normalizations' scales and offsets stay as they are.
            tf.cast(slot.value, x.dtype) if len(slot.shape) > 2 else slot.value
            for slot in self.slots
        ]
        return [self._run(operations, x, slots)]

    def _run(
        self, operations: list[tf.Tensor], x: tf.Tensor, slots: list[tf.Tensor]
    ) -> tf.Tensor:
        """The cell with its gradient, which adds up in one order."""

        @tf.custom_gradient
        def run(x: tf.Tensor, *slots: tf.Tensor) -> tuple[tf.Tensor, object]:
            weights = list(zip(*map(tf.unstack, slots), strict=True))
            tensors, kept = self._forward(operations, x, weights)
            return tensors[-1], lambda upstream: self._backward(
                operations, tensors, weights, kept, upstream
            )

        return run(x, *slots)

    def _forward(
        self,
        operations: list[tf.Tensor],
        x: tf.Tensor,
        weights: list[tuple[tf.Tensor, ...]],
    ) -> tuple[list[tf.Tensor], list[list[Any]]]:
        """The nodes, and what each edge has kept."""
        tensors, kept = [x], []
        parts: list[list[tf.Tensor]] = [[] for _ in range(NODES)]
        for place, (start, end) in enumerate(EDGES):
            if start == len(tensors):
                tensors.append(total(parts[start]))
            part, *own = self.edge.forward(
                operations[place], tensors[start], *weights[place]
            )
            parts[end].append(part)
            kept.append(own)
        return [*tensors, total(parts[-1])], kept

    def _backward(
        self,
        operations: list[tf.Tensor],
        tensors: list[tf.Tensor],
        weights: list[tuple[tf.Tensor, ...]],
        kept: list[list[Any]],
        upstream: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Gradients of the input and of each slot."""
        sums: list[list[tf.Tensor]] = [[] for _ in range(NODES - 1)]
        sums.append([upstream])
        slot_grads = []
        for place, (start, end) in reversed(list(enumerate(EDGES))):
            # The edges that leave a node come after those that lead into it.
            sums[end] = [total(sums[end])]
            x_grad, *slot_grad = self.edge.gradient(
                operations[place],
                sums[end][0],
                tensors[start],
                list(weights[place]),
                kept[place],
            )
            sums[start].append(x_grad)
            slot_grads.append(slot_grad)
        stacked = [
            tf.stack(kind) for kind in zip(*reversed(slot_grads), strict=True)
        ]
        return [total(sums[0]), *stacked]
