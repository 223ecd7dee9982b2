"""One layer of a network that holds one architecture at a time.

Its graph serves every cell, as that of the supernet does, so that nothing is
traced for a new one; but an edge has its own weights of each operation,
whatever tensor it reads.
"""

import numpy as np
import tensorflow as tf

from nascore.networks.operations.compiled_cell import CompiledCell
from nascore.networks.shared_cell import SharedCell
from nascore.spaces.cells import NODE_INPUTS, CellSpace


class OwnCell(SharedCell):
    """A cell with a slot for each edge.

    Args:
      channels: see `SharedCell`; likewise below.
      space: likewise.
      compiled: likewise.
      slot_init: `kernel`; there are no slots whose number could decide.
    """

    def __init__(
        self,
        channels: int,
        space: CellSpace,
        compiled: CompiledCell,
        slot_init: str = "kernel",
        **kwargs: object,
    ) -> None:
        super().__init__(channels, space, compiled, slot_init, **kwargs)
        self.num_slots = NODE_INPUTS * self.num_nodes
        self.slot_offsets = np.arange(self.num_slots, dtype=np.int32)

    def _slots_of(self, indices: tf.Tensor) -> tf.Tensor:
        return tf.constant(self.slot_offsets)
