"""One layer of the supernet: any cell, over shared weights.

Only the chosen operations run, forward and backward, and one compiled graph
serves every cell.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from nascore.cells import CELL_INPUTS, NODE_INPUTS, CellSpace
from nascore.layers import BatchStatisticsNorm, he_normal
from nascore.ops import Operation, WeightSpec, find_operations

Edge = Callable[..., tf.Tensor]


def once(function: Callable[..., tf.Tensor]) -> Edge:
    """Compiles a function that is called, never copied into its callers.

    Without this TensorFlow inlines every branch of every edge of every
    layer, tens of thousands of graph nodes, and spends a minute on them
    before the first step.
    """
    return tf.function(
        function, experimental_attributes={"_noinline": True}, autograph=False
    )


def make_edge(operations: Sequence[Operation]) -> Edge:
    """Makes `edge(op, x, *weights)`, which runs the chosen operation only.

    Args:
      operations: what `op` chooses from.

    Returns:
      A function of an int32 scalar, a `[n, h, w, c]` tensor and one slot of
      each operation's weights, in order. It is compiled once for each shape.
    """
    counts = [len(operation.weight_specs(1)) for operation in operations]

    def edge(op: tf.Tensor, x: tf.Tensor, *weights: tf.Tensor) -> tf.Tensor:
        branches = []
        start = 0
        for operation, count in zip(operations, counts, strict=True):
            slot = weights[start : start + count]
            branches.append(
                lambda operation=operation, slot=slot: operation.apply(x, slot)
            )
            start += count
        return tf.switch_case(op, branches)

    return once(edge)


@once
def _pick(index: tf.Tensor, *tensors: tf.Tensor) -> tf.Tensor:
    """Chooses one of several tensors of one shape without copying."""
    return tf.switch_case(
        index, [lambda tensor=tensor: tf.identity(tensor) for tensor in tensors]
    )


@once
def _add_at(
    index: tf.Tensor, part: tf.Tensor, *sums: tf.Tensor
) -> list[tf.Tensor]:
    """Adds to one of several tensors and passes the others on untouched."""

    def added(place: int) -> list[tf.Tensor]:
        return [
            total + part if number == place else tf.identity(total)
            for number, total in enumerate(sums)
        ]

    return tf.switch_case(
        index, [lambda place=place: added(place) for place in range(len(sums))]
    )


@once
def _project_loose_end(
    used: tf.Tensor, x: tf.Tensor, kernel: tf.Tensor
) -> tf.Tensor:
    """A tensor's part of the cell's output; zero where a node used it."""
    return tf.cond(
        used,
        lambda: tf.zeros_like(x),
        lambda: tf.nn.conv2d(tf.nn.relu(x), kernel, strides=1, padding="SAME"),
    )


class SharedCell(keras.layers.Layer):
    """One layer of the supernet: any cell, over shared weights.

    Every weight of an operation has one slot for each input that its node
    could choose; the cell's integers choose the slots. The weights of all
    edges are rows of one variable for each kind, because hundreds of small
    variables are slow to gather, differentiate and update.

    Args:
      channels: width of the inputs and of the output.
      space: the search space.
      edge: the compiled choice among the operations, from `make_edge`.
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
        edges = tf.reshape(cell, [self.num_nodes * NODE_INPUTS, 2])
        indices, ops = edges[:, 0], edges[:, 1]
        rows = self.slot_offsets + indices
        chosen = [tf.gather(slots.value, rows) for slots in self.slots]
        used = tf.reduce_any(
            tf.equal(tf.range(self.num_tensors)[:, None], indices), axis=1
        )
        output = self._run(
            tf.unstack(indices),
            tf.unstack(ops),
            tf.unstack(used),
            input_0,
            input_1,
            self.loose_end_kernels.value,
            chosen,
        )
        return self.norm(output)

    def _run(
        self,
        indices: list[tf.Tensor],
        ops: list[tf.Tensor],
        used: list[tf.Tensor],
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
            tensors = [input_0, input_1]
            slots = list(zip(*map(tf.unstack, chosen), strict=True))
            edges = []
            for node in range(self.num_nodes):
                terms = []
                for edge in (NODE_INPUTS * node, NODE_INPUTS * node + 1):
                    sources = [_pick(indices[edge], *tensors)]
                    sources += slots[edge] if slots else []
                    with tf.GradientTape() as tape:
                        tape.watch(sources)
                        term = self.edge(ops[edge], *sources)
                    terms.append(term)
                    edges.append((tape, term, sources))
                tensors.append(tf.add_n(terms))
            with tf.GradientTape() as end_tape:
                end_tape.watch([tensors, kernels])
                output = tf.add_n(
                    [
                        _project_loose_end(*ends)
                        for ends in zip(
                            used, tensors, tf.unstack(kernels), strict=True
                        )
                    ]
                )

            def grad(upstream: tf.Tensor) -> list[tf.Tensor]:
                sums, kernel_grad = end_tape.gradient(
                    output, (tensors, kernels), upstream
                )
                slot_grads = []
                for edge, (tape, term, sources) in reversed(
                    list(enumerate(edges))
                ):
                    if edge % NODE_INPUTS == 1:
                        node_grad = sums.pop()
                    x_grad, *slot_grad = tape.gradient(
                        term,
                        sources,
                        node_grad,
                        unconnected_gradients="zero",
                    )
                    slot_grads.append(slot_grad)
                    sums = list(_add_at(indices[edge], x_grad, *sums))
                stacked = [
                    tf.stack(kind)
                    for kind in zip(*reversed(slot_grads), strict=True)
                ]
                return [*sums, kernel_grad, *stacked]

            return output, grad

        return run(input_0, input_1, kernels, *chosen)
