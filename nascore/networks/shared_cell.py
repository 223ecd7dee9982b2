"""One layer of the supernet: any cell, over shared weights.

Only the chosen operations run, forward and backward, and one compiled graph
serves every cell.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from nascore.networks.layers import BatchStatisticsNorm, he_normal
from nascore.networks.operations.base import WeightSpec
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.operations.compiled_cell import CompiledCell, choose
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, CellSpace


class SharedCell(keras.layers.Layer):
    """One layer of the supernet: any cell, over shared weights.

    Every weight of an operation has one slot for each input that its node
    could choose; the cell's integers choose the slots. The weights of all
    edges are rows of one variable for each kind, because hundreds of small
    variables are slow to gather, differentiate and update.

    Args:
      channels: width of the inputs and of the output.
      space: the search space.
      compiled: what it computes, shared by all layers.
      slot_init: `code` or `kernel`, see `SupernetConfig`.
    """

    def __init__(
        self,
        channels: int,
        space: CellSpace,
        compiled: CompiledCell,
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
        self.compiled = compiled
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
            choices = choose(cell, self.compiled.space)
            rows = self._slots_of(choices.indices)
        chosen = [tf.gather(slots.value, rows) for slots in self.slots]
        if self.compute_dtype != self.variable_dtype:
            # The normalizations' scales and offsets stay as they are.
            chosen = [
                tf.cast(slot, self.compute_dtype)
                if slot.shape.rank > 2
                else slot
                for slot in chosen
            ]
        kernels = self.loose_end_kernels.value
        return self.norm(
            self.compiled.run(choices, input_0, input_1, kernels, chosen)
        )

    def _slots_of(self, indices: tf.Tensor) -> tf.Tensor:
        """The slot of each edge, by the tensor that it reads, `[edges]`."""
        return self.slot_offsets + indices
