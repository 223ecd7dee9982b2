"""One edge of a supernet's cell: the chosen operation and its gradient."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from nascore.networks.operations.base import Forward, Operation
from nascore.process.runtime import once


class Edge:
    """Runs the chosen operation only, forwards and backwards.

    The gradient is written as a function of its own because the automatic
    one of a choice keeps whatever any branch has made, and because what a
    gradient makes again must not exist before the gradient is there. Each
    function is compiled once for each shape.

    Args:
      operations: what is chosen from.

    Attributes:
      forward: `forward(op, x, *weights)`, of an int32 scalar, a
        `[n, h, w, c]` tensor and one slot of each operation's weights, in
        order; returns a list: the output, then what is kept.
      gradient: `gradient(op, upstream, x, weights, kept)`; returns a list:
        the gradient of `x`, then that of each of the weights.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = operations
        counts = [len(operation.weight_specs(1)) for operation in operations]
        ends = np.cumsum(counts)
        self._slots = [
            slice(end - count, end)
            for count, end in zip(counts, ends, strict=True)
        ]
        self._maps = max(o.kept_maps for o in operations)
        self._statistics = max(o.kept_statistics for o in operations)
        self.forward = once(self._forward)
        self.gradient = once(self._gradient)

    def _forward(
        self, op: tf.Tensor, x: tf.Tensor, *weights: tf.Tensor
    ) -> list[tf.Tensor]:
        def run(operation: Operation, slot: slice) -> list[tf.Tensor]:
            result = operation.forward(x, weights[slot])
            # All branches of a choice return as many tensors. The input is
            # there anyway, so as a filler it takes no memory.
            maps = [x] * (self._maps - len(result.maps))
            none = tf.zeros([x.shape[-1]])
            statistics = [none] * (self._statistics - len(result.statistics))
            return [
                result.output,
                *result.maps,
                *map(tf.identity, maps),
                *result.statistics,
                *statistics,
            ]

        return self._choose(op, run)

    def _gradient(
        self,
        op: tf.Tensor,
        upstream: tf.Tensor,
        x: tf.Tensor,
        weights: list[tf.Tensor],
        kept: list[tf.Tensor],
    ) -> list[tf.Tensor]:
        maps, statistics = kept[: self._maps], kept[self._maps :]

        def run(operation: Operation, slot: slice) -> list[tf.Tensor]:
            own = Forward(
                x,
                maps[: operation.kept_maps],
                statistics[: operation.kept_statistics],
            )
            x_grad, *slot_grads = operation.gradient(
                x, weights[slot], own, upstream
            )
            grads = [tf.zeros_like(weight) for weight in weights]
            grads[slot] = slot_grads
            return [x_grad, *grads]

        return self._choose(op, run)

    def _choose(
        self,
        op: tf.Tensor,
        run: Callable[[Operation, slice], list[tf.Tensor]],
    ) -> list[tf.Tensor]:
        return tf.switch_case(
            op,
            [
                lambda operation=operation, slot=slot: run(operation, slot)
                for operation, slot in zip(
                    self._operations, self._slots, strict=True
                )
            ],
        )
