"""One layer of the supernet: any cell, over shared weights.

Only the chosen operations run, forward and backward, and one compiled graph
serves every cell.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nascore.networks.layers import BatchStatisticsNorm, he_normal
from nascore.networks.operations.base import WeightSpec
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import mix, mix_gradient
from nascore.process.runtime import once
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, CellSpace


# The next two are copied into their callers, and small: as copies they start
# as soon as the tensor that they choose is there, as calls they would wait
# for all of them.
@tf.function(autograph=False)
def _pick(index: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
    """Chooses one of several tensors of one shape without copying."""
    return tf.switch_case(
        index, [lambda tensor=tensor: tf.identity(tensor) for tensor in tensors]
    )


@tf.function(autograph=False)
def _accumulate(
    action: tf.Tensor, part: tf.Tensor, total: tf.Tensor
) -> tf.Tensor:
    """Takes the total, the part or their sum; `action` says which."""
    return tf.switch_case(
        action,
        [
            lambda: tf.identity(total),
            lambda: tf.identity(part),
            lambda: total + part,
        ],
    )


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


class _Choices(NamedTuple):
    """A cell as lists of scalars.

    Attributes:
      indices: the tensor that each edge reads.
      ops: the operation of each edge.
      used: whether any edge reads a tensor, for each tensor.
      actions: what each edge's gradient means for the sum of each tensor's,
        `[tensors]`: nothing (0), its beginning (1), one more part (2).
    """

    indices: list[tf.Tensor]
    ops: list[tf.Tensor]
    used: list[tf.Tensor]
    actions: list[tf.Tensor]


# What an edge read, the weights of its operation, and what that kept.
_Edge = tuple[tf.Tensor, list[tf.Tensor], list[Any]]
# Whether a tensor is used, the tensor, and its kernel of the last 1x1 kernels.
_End = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


class SharedCell(keras.layers.Layer):
    """One layer of the supernet: any cell, over shared weights.

    Every weight of an operation has one slot for each input that its node
    could choose; the cell's integers choose the slots. The weights of all
    edges are rows of one variable for each kind, because hundreds of small
    variables are slow to gather, differentiate and update.

    Args:
      channels: width of the inputs and of the output.
      space: the search space.
      edge: the compiled choice among the operations, an `Edge`.
      slot_init: `code` or `kernel`, see `SupernetConfig`.
    """

    def __init__(
        self,
        channels: int,
        space: CellSpace,
        edge: Edge,
        slot_init: str = "code",
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.slot_init = slot_init
        self.num_nodes = space.num_nodes
        self.num_tensors = space.num_tensors
        self.operations = dict(
            zip(
                space.operations,
                find_operations(space.operations),
                strict=True,
            )
        )
        self.edge = edge
        # Rows of node b: all slots of its first input, then of its second.
        inputs = CELL_INPUTS + np.arange(self.num_nodes).repeat(NODE_INPUTS)
        self.slot_offsets = np.cumsum(inputs, dtype=np.int32) - inputs
        self.num_slots = int(inputs.sum())
        self.norm = BatchStatisticsNorm()

    def build(self, input_shape: object) -> None:
        """Makes the weights: `[slots, ...]` each."""
        self.slots = [
            self.add_weight(
                shape=(self.num_slots, *spec.shape),
                initializer=self._slot_initializer(spec),
                name=f"{name}_{spec.name}",
                # Few of many slots are chosen, and are cast then.
                autocast=False,
            )
            for name, operation in self.operations.items()
            for spec in operation.weight_specs(self.channels)
        ]
        fan_in = {"code": self.num_tensors, "kernel": self.channels}
        self.loose_end_kernels = self.add_weight(
            shape=(self.num_tensors, 1, 1, self.channels, self.channels),
            initializer=he_normal(fan_in[self.slot_init]),
            name="loose_ends",
        )
        self.norm.build((None, None, None, self.channels))

    def _slot_initializer(self, spec: WeightSpec) -> Callable[..., tf.Tensor]:
        """How all slots of one weight start."""
        if spec.fan_in is None:
            return keras.initializers.Constant(spec.start)
        if self.slot_init == "kernel":
            return he_normal(spec.fan_in)
        # The published code keeps a slot as a row of a matrix, so that its
        # He initialization takes the number of slots for the fan-in.
        inputs = np.diff([*self.slot_offsets, self.num_slots])
        per_row = np.repeat(inputs, inputs).astype(np.float32)
        scale = np.reshape(per_row**-0.5, (-1,) + (1,) * len(spec.shape))

        def initialize(shape: tuple[int, ...], dtype: str) -> tf.Tensor:
            return he_normal(1)(shape, dtype) * scale

        return initialize

    def call(
        self, input_0: tf.Tensor, input_1: tf.Tensor, cell: tf.Tensor
    ) -> tf.Tensor:
        """Runs one cell.

        Args:
          input_0: `[n, h, w, channels]`, from the layer before the last.
          input_1: the same shape, from the last layer.
          cell: int32 `[nodes, 4]`.

        Returns:
          `[n, h, w, channels]`.
        """
        # What decides which operation runs is computed where the deciding is
        # done; on a GPU each choice would wait for the device.
        with tf.device("CPU:0"):
            choices, rows = self._choices(cell)
        chosen = [tf.gather(slots.value, rows) for slots in self.slots]
        if self.compute_dtype != self.variable_dtype:
            # The normalizations' scales and offsets stay as they are.
            chosen = [
                tf.cast(slot, self.compute_dtype)
                if slot.shape.rank > 2
                else slot
                for slot in chosen
            ]
        return self.norm(
            self._run(
                choices, input_0, input_1, self.loose_end_kernels.value, chosen
            )
        )

    def _choices(self, cell: tf.Tensor) -> tuple[_Choices, tf.Tensor]:
        """The cell as scalars, and the slots that it chooses, `[edges]`."""
        edges = tf.reshape(cell, [self.num_nodes * NODE_INPUTS, 2])
        indices, ops = edges[:, 0], edges[:, 1]
        used = tf.reduce_any(
            tf.equal(tf.range(self.num_tensors)[:, None], indices), axis=1
        )
        # Gradients arrive from the last edge to the first. Which of them
        # begins the sum for its tensor, and which adds to it?
        later = tf.linalg.band_part(tf.equal(indices[:, None], indices), 0, -1)
        begins = tf.equal(tf.reduce_sum(tf.cast(later, tf.int32), axis=1), 1)
        actions = tf.where(
            tf.equal(indices[:, None], tf.range(self.num_tensors)),
            tf.where(begins, 1, 2)[:, None],
            0,
        )
        choices = _Choices(
            tf.unstack(indices),
            tf.unstack(ops),
            tf.unstack(used),
            tf.unstack(actions),
        )
        return choices, self._slots_of(indices)

    def _slots_of(self, indices: tf.Tensor) -> tf.Tensor:
        """The slot of each edge, by the tensor that it reads, `[edges]`."""
        return self.slot_offsets + indices

    def _run(
        self,
        choices: _Choices,
        input_0: tf.Tensor,
        input_1: tf.Tensor,
        kernels: tf.Tensor,
        chosen: list[tf.Tensor],
    ) -> tf.Tensor:
        """The cell before its last normalization, with its gradient.

        The gradient is written out because the automatic one of a choice
        among tensors makes zeros for all those not chosen and adds them up.
        Here each edge adds its gradient to the tensor it had read.
        """

        @tf.custom_gradient
        def run(
            input_0: tf.Tensor,
            input_1: tf.Tensor,
            kernels: tf.Tensor,
            *chosen: tf.Tensor,
        ) -> tuple[tf.Tensor, object]:
            output, edges, ends = self._forward(
                choices, [input_0, input_1], kernels, chosen
            )
            return output, lambda upstream: self._backward(
                choices, edges, ends, upstream
            )

        return run(input_0, input_1, kernels, *chosen)

    def _forward(
        self,
        choices: _Choices,
        tensors: list[tf.Tensor],
        kernels: tf.Tensor,
        chosen: Sequence[tf.Tensor],
    ) -> tuple[tf.Tensor, list[_Edge], list[_End]]:
        """The output, and what each edge and each loose end was made of."""
        slots = list(zip(*map(tf.unstack, chosen), strict=True))
        edges: list[_Edge] = []
        for node in range(self.num_nodes):
            terms = []
            for edge in (NODE_INPUTS * node, NODE_INPUTS * node + 1):
                x = _pick(choices.indices[edge], *tensors)
                slot = list(slots[edge]) if slots else []
                term, *kept = self.edge.forward(choices.ops[edge], x, *slot)
                terms.append(term)
                edges.append((x, slot, kept))
            tensors.append(tf.add_n(terms))
        ends = list(
            zip(choices.used, tensors, tf.unstack(kernels), strict=True)
        )
        # No node comes after the last one to use it.
        _, last, kernel = ends[-1]
        output = mix(tf.nn.relu(last), kernel)
        for is_used, x, kernel in ends[:-1]:
            output = _add_loose_end(is_used, output, x, kernel)
        return output, edges, ends

    def _backward(
        self,
        choices: _Choices,
        edges: list[_Edge],
        ends: list[_End],
        upstream: tf.Tensor,
    ) -> list[tf.Tensor]:
        """Gradients of the arguments of `run`, in their order."""
        sums, kernel_grads = map(
            list,
            zip(
                *(
                    _loose_end_gradient(end[0], upstream, *end[1:])
                    for end in ends
                ),
                strict=True,
            ),
        )
        slot_grads = []
        for edge, sources in reversed(list(enumerate(edges))):
            if edge % NODE_INPUTS == 1:
                node_grad = sums.pop()
            x_grad, *slot_grad = self.edge.gradient(
                choices.ops[edge], node_grad, *sources
            )
            slot_grads.append(slot_grad)
            sums = [
                _accumulate(action, x_grad, total)
                for action, total in zip(
                    tf.unstack(choices.actions[edge])[: len(sums)],
                    sums,
                    strict=True,
                )
            ]
        stacked = [
            tf.stack(kind) for kind in zip(*reversed(slot_grads), strict=True)
        ]
        return [*sums, tf.stack(kernel_grads), *stacked]
