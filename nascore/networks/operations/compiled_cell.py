"""What a layer of the supernet computes, compiled once for all of its kind.

Layers of one width and size are the same computation on other weights. They
share one compiled body, forward and backward, so that the time until the
first step hardly grows with depth.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from nascore.networks.operations.catalogue import find_operations
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import mix, mix_gradient
from nascore.process.runtime import once
from nascore.spaces.cells import NODE_INPUTS, CellSpace


# The next two are no calls: those would wait for all of the tensors. So each
# starts as soon as the one that it takes is there. `tf.switch_case` becomes
# the same when it is run, but traces each of the hundreds of its branches.
def _pick(chosen: Sequence[tf.Tensor], tensors: Sequence[tf.Tensor]) -> Any:
    """Passes on one of several tensors of one shape.

    Args:
      chosen: of each, whether it is the one; at least so many.
      tensors: float `[n, h, w, c]`.
    """
    passed = [
        tf.raw_ops.Switch(data=x, pred=is_chosen).output_true
        for is_chosen, x in zip(chosen, tensors, strict=False)
    ]
    return tf.raw_ops.Merge(inputs=passed).output


def _accumulate(
    actions: Sequence[tf.Tensor], part: tf.Tensor, total: tf.Tensor
) -> Any:
    """Passes on the total, the part, or their sum.

    Args:
      actions: bool scalars, of which one is true: it says which.
      part: float `[n, h, w, c]`.
      total: the same shape.
    """
    keep, begin, add = actions

    def where(data: tf.Tensor, condition: tf.Tensor) -> tf.Tensor:
        return tf.raw_ops.Switch(data=data, pred=condition).output_true

    passed = [
        where(total, keep),
        where(part, begin),
        where(total, add) + where(part, add),
    ]
    return tf.raw_ops.Merge(inputs=passed).output


@once
def _add_loose_end(
    used: tf.Tensor, total: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor
) -> tf.Tensor:
    """Adds a tensor's part of the cell's output, if no node used it."""
    return tf.cond(
        used,
        lambda: tf.identity(total),
        lambda: total + mix(tf.nn.relu(x), kernel),
    )


@once
def _loose_end_gradient(
    used: tf.Tensor, upstream: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor
) -> list[tf.Tensor]:
    """Gradients of the tensor and of the kernel of `_add_loose_end`.

    A tensor that a node used has none; in its place the tensor itself
    stands, which takes no memory, until the first edge's gradient comes.
    """

    def project() -> list[tf.Tensor]:
        mixed, kernel_grad = mix_gradient(tf.nn.relu(x), kernel, upstream)
        return [tf.raw_ops.ReluGrad(gradients=mixed, features=x), kernel_grad]

    return tf.cond(
        used, lambda: [tf.identity(x), tf.zeros_like(kernel)], project
    )


class CellChoices(NamedTuple):
    """A cell as int32 tensors.

    Attributes:
      indices: `[edges]`, the tensor that each edge reads.
      ops: `[edges]`, the operation of each edge.
      used: `[tensors]`, whether any edge reads a tensor.
      actions: `[edges, tensors]`, what each edge's gradient means for the
        sum of each tensor's: nothing (0), its beginning (1), one more part
        (2).
    """

    indices: tf.Tensor
    ops: tf.Tensor
    used: tf.Tensor
    actions: tf.Tensor


def choose(cell: tf.Tensor, space: CellSpace) -> CellChoices:
    """What the integers of a cell, `[nodes, 4]`, choose."""
    edges = tf.reshape(cell, [space.num_nodes * NODE_INPUTS, 2])
    indices, ops = edges[:, 0], edges[:, 1]
    tensors = tf.range(space.num_tensors)
    used = tf.reduce_any(tf.equal(tensors[:, None], indices), axis=1)
    # Gradients arrive from the last edge to the first. Which of them
    # begins the sum for its tensor, and which adds to it?
    later = tf.linalg.band_part(tf.equal(indices[:, None], indices), 0, -1)
    begins = tf.equal(tf.reduce_sum(tf.cast(later, tf.int32), axis=1), 1)
    actions = tf.where(
        tf.equal(indices[:, None], tensors),
        tf.where(begins, 1, 2)[:, None],
        0,
    )
    return CellChoices(indices, ops, tf.cast(used, tf.int32), actions)


class CompiledCell:
    """Any cell of a space, forwards and backwards.

    The gradient is written out because the automatic one of a choice among
    tensors makes zeros for all those not chosen and adds them up. Here each
    edge adds its gradient to the tensor it had read.

    Args:
      space: the search space.
    """

    def __init__(self, space: CellSpace) -> None:
        self.space = space
        self.edge = Edge(find_operations(space.operations))
        self.forward = once(self._forward)
        self.backward = once(self._backward)

    def run(
        self,
        choices: CellChoices,
        input_0: tf.Tensor,
        input_1: tf.Tensor,
        kernels: tf.Tensor,
        chosen: Sequence[tf.Tensor],
    ) -> tf.Tensor:
        """The cell before its last normalization, with its gradient.

        Args:
          choices: the cell.
          input_0: `[n, h, w, c]`, from the layer before the last.
          input_1: the same shape, from the last layer.
          kernels: `[tensors, 1, 1, c, c]`, of the loose ends.
          chosen: weights of the edges' operations, `[edges, ...]` each.

        Returns:
          `[n, h, w, c]`.
        """

        @tf.custom_gradient
        def run(
            input_0: tf.Tensor,
            input_1: tf.Tensor,
            kernels: tf.Tensor,
            *chosen: tf.Tensor,
        ) -> tuple[tf.Tensor, object]:
            inputs = [input_0, input_1, kernels, list(chosen)]
            output, *kept = self.forward(choices, *inputs)
            return output, lambda upstream: self.backward(
                choices, *inputs, kept, upstream
            )

        return run(input_0, input_1, kernels, *chosen)

    def _forward(
        self,
        choices: CellChoices,
        input_0: tf.Tensor,
        input_1: tf.Tensor,
        kernels: tf.Tensor,
        chosen: list[tf.Tensor],
    ) -> list[Any]:
        """The output, the nodes, what each edge read, what each has kept."""
        with tf.device("CPU:0"):
            is_read = tf.equal(
                choices.indices[:, None], tf.range(self.space.num_tensors)
            )
            reads_of = [tf.unstack(row) for row in tf.unstack(is_read)]
            ops, used = tf.unstack(choices.ops), tf.unstack(choices.used)
            is_used = [tf.not_equal(number, 0) for number in used]
        slots = list(zip(*map(tf.unstack, chosen), strict=True))
        tensors = [input_0, input_1]
        reads, kept = [], []
        for node in range(self.space.num_nodes):
            terms = []
            for edge in (NODE_INPUTS * node, NODE_INPUTS * node + 1):
                x = _pick(reads_of[edge], tensors)
                slot = slots[edge] if slots else ()
                term, *own = self.edge.forward(ops[edge], x, *slot)
                terms.append(term)
                reads.append(x)
                kept.append(own)
            tensors.append(tf.add_n(terms))
        # No node comes after the last one to use it.
        kernel = tf.unstack(kernels)
        output = mix(tf.nn.relu(tensors[-1]), kernel[-1])
        for place, x in enumerate(tensors[:-1]):
            output = _add_loose_end(is_used[place], output, x, kernel[place])
        return [output, tensors[2:], reads, kept]

    def _backward(
        self,
        choices: CellChoices,
        input_0: tf.Tensor,
        input_1: tf.Tensor,
        kernels: tf.Tensor,
        chosen: list[tf.Tensor],
        made: list[Any],
        upstream: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Gradients of the inputs, of `kernels` and of each of `chosen`."""
        nodes, reads, kept = made
        with tf.device("CPU:0"):
            ops, used = tf.unstack(choices.ops), tf.unstack(choices.used)
            is_used = [tf.not_equal(number, 0) for number in used]
            actions = tf.equal(choices.actions[..., None], tf.range(3))
            actions = [
                [tf.unstack(each) for each in tf.unstack(row)]
                for row in tf.unstack(actions)
            ]
        ends = zip(
            is_used,
            [input_0, input_1, *nodes],
            tf.unstack(kernels),
            strict=True,
        )
        sums, kernel_grads = map(
            list,
            zip(
                *(
                    _loose_end_gradient(is_used, upstream, x, kernel)
                    for is_used, x, kernel in ends
                ),
                strict=True,
            ),
        )
        slots = list(zip(*map(tf.unstack, chosen), strict=True))
        slot_grads = []
        for edge in reversed(range(len(reads))):
            if edge % NODE_INPUTS == 1:
                node_grad = sums.pop()
            x_grad, *slot_grad = self.edge.gradient(
                ops[edge],
                node_grad,
                reads[edge],
                list(slots[edge]) if slots else [],
                kept[edge],
            )
            slot_grads.append(slot_grad)
            sums = [
                _accumulate(action, x_grad, total)
                for action, total in zip(
                    actions[edge][: len(sums)], sums, strict=True
                )
            ]
        stacked = [
            tf.stack(kind) for kind in zip(*reversed(slot_grads), strict=True)
        ]
        return [*sums, tf.stack(kernel_grads), *stacked]
