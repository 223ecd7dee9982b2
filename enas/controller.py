"""The strategy of ENAS: an LSTM policy, trained with REINFORCE.

Pham et al. (2018), sections 2.2 and 2.4, with the constants of the published
code.
"""

import tensorflow as tf

from enas.attention import AttentionPolicy
from enas.config import ControllerConfig
from enas.policy import Choices, Sample, attend
from nascore.networks.operations.catalogue import find_operations
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, CellSpace


class LstmController(AttentionPolicy):
    """The policy over cells: inputs by attention, and operations.

    Args:
      space: the architectures to choose from.
      config: constants.
    """

    space: CellSpace
    config: ControllerConfig

    def __init__(self, space: CellSpace, config: ControllerConfig) -> None:
        signs = tf.constant(
            [
                1.0 if operation.is_convolution else -1.0
                for operation in find_operations(space.operations)
            ]
        )
        super().__init__(
            space, config, tf.where(signs > 0, config.conv_bias, 0.0)
        )
        self.fixed_op_bias = config.normal_op_bias * signs

    def __call__(
        self,
        count: int | tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        architectures: tf.Tensor | None = None,
    ) -> Sample:
        """Samples architectures, or scores the given ones.

        Args:
          count: how many to sample.
          seed: int32 `[2]`, needed for sampling.
          architectures: int32 `[n, cell types, nodes, 4]`, or rows `[n,
            length]`, to score instead.
        """
        given = None
        if architectures is not None:
            count = tf.shape(architectures)[0]
            given = tf.reshape(architectures, [count, self.space.length])
        choices = Choices(given, seed)
        zeros = tf.zeros([count, self.config.lstm_units])
        state = [zeros, zeros]
        for place in range(len(self.space.cell_types)):
            state = self._choose_cell(choices, place, state)
        sample = choices.sample()
        shape = [-1, *self.space.array_shape]
        return sample._replace(
            architectures=tf.reshape(sample.architectures, shape)
        )

    def _choose_cell(
        self, choices: Choices, place: int, state: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        """Makes the choices of one cell, continuing from the LSTM's state."""
        start = tf.repeat(self.start, tf.shape(state[0])[0], axis=0)
        anchors: list[tf.Tensor] = []
        keys: list[tf.Tensor] = []
        for _ in range(CELL_INPUTS):
            hidden, state = self.lstm(start, state)
            anchors.append(tf.zeros_like(hidden))
            keys.append(hidden @ self.anchor_kernel)
        for node in range(self.space.num_nodes):
            column = (place * self.space.num_nodes + node) * 4
            x = start
            for part in range(NODE_INPUTS):
                hidden, state = self.lstm(x, state)
                query = hidden @ self.query_kernel
                logits = self._squash(attend(keys, query, self.score_kernel))
                index = choices.take(logits, column + 2 * part)
                x = choices.entry(tf.stack(anchors, axis=1), index)
            for part in range(NODE_INPUTS):
                hidden, state = self.lstm(x, state)
                logits = self._squash(
                    hidden @ self.op_kernel + self.op_bias,
                    self.config.op_tanh_reduce,
                )
                if place == 0:
                    logits += self.fixed_op_bias
                op = choices.take(logits, column + 2 * part + 1)
                x = tf.gather(self.op_embedding, op)
            hidden, state = self.lstm(x, state)
            anchors.append(hidden)
            keys.append(hidden @ self.anchor_kernel)
        return state
