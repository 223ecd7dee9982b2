"""The strategy of ENAS: an LSTM policy, trained with REINFORCE.

Pham et al. (2018), sections 2.2 and 2.4, with the constants of the published
code.
"""

import keras
import tensorflow as tf

from enas.config import ControllerConfig
from enas.policy import Choices, ReinforcePolicy, Sample
from nascore import draws
from nascore.networks.operations.catalogue import find_operations
from nascore.seeds import fold_in
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, CellSpace
from nascore.strategies.policy_gradient import (
    MovingBaseline,
    descend_if_finite,
    policy_gradient_loss,
)


class LstmController(ReinforcePolicy):
    """The policy over cells: inputs by attention, and operations.

    Args:
      space: the architectures to choose from.
      config: constants.
    """

    space: CellSpace
    config: ControllerConfig

    def __init__(self, space: CellSpace, config: ControllerConfig) -> None:
        super().__init__(space, config, MovingBaseline(config.baseline_decay))
        units = config.lstm_units

        def uniform() -> keras.initializers.Initializer:
            # One for each weight: it gives the same numbers at every call.
            return keras.initializers.RandomUniform(
                -config.init_range, config.init_range
            )

        self.lstm = keras.layers.LSTMCell(
            units,
            use_bias=False,
            kernel_initializer=uniform(),
            recurrent_initializer=uniform(),
        )
        self.lstm.build((None, units))

        def weight(name: str, *shape: int) -> tf.Variable:
            return tf.Variable(uniform()(shape), name=name)

        count = len(space.operations)
        signs = tf.constant(
            [
                1.0 if operation.is_convolution else -1.0
                for operation in find_operations(space.operations)
            ]
        )
        self.start = weight("start", 1, units)
        self.op_embedding = weight("op_embedding", count, units)
        self.op_kernel = weight("op_kernel", units, count)
        self.op_bias = tf.Variable(
            tf.where(signs > 0, config.conv_bias, 0.0), name="op_bias"
        )
        self.fixed_op_bias = config.normal_op_bias * signs
        self.anchor_kernel = weight("anchor_kernel", units, units)
        self.query_kernel = weight("query_kernel", units, units)
        self.score_kernel = weight("score_kernel", units, 1)
        self.optimizer.build(self.variables_to_train)

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        return [
            *(variable.value for variable in self.lstm.trainable_variables),
            self.start,
            self.op_embedding,
            self.op_kernel,
            self.op_bias,
            self.anchor_kernel,
            self.query_kernel,
            self.score_kernel,
        ]

    def _descend(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """One step on the policy-gradient loss; whether it was made."""
        weights = self.variables_to_train
        architectures = tf.reshape(rows, [-1, *self.space.array_shape])
        with tf.GradientTape() as tape:
            scored = self(architectures=architectures)
            loss = policy_gradient_loss(scored.log_prob, advantages)
        gradients = tape.gradient(loss, weights)
        return descend_if_finite(self.optimizer, loss, gradients, weights)

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
          architectures: int32 `[n, cell types, nodes, 4]` to score instead.
        """
        given = None
        if architectures is not None:
            count = tf.shape(architectures)[0]
            given = tf.reshape(architectures, [count, self.space.length])
        choices = Choices(
            given,
            lambda logits, column: draws.categorical(
                logits, fold_in(seed, column)
            ),
        )
        zeros = tf.zeros([count, self.config.lstm_units])
        state = [zeros, zeros]
        for place in range(len(self.space.cell_types)):
            state = self._choose_cell(choices, place, state)
        sampled = tf.reshape(choices.stack(), [-1, *self.space.array_shape])
        return Sample(
            sampled, choices.log_prob, tf.stop_gradient(choices.entropy)
        )

    def _choose_cell(
        self, choices: Choices, place: int, state: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        """Makes the choices of one cell, continuing from the LSTM's state."""
        units = self.config.lstm_units
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
                query = (hidden @ self.query_kernel)[:, None]
                scores = tf.tanh(tf.stack(keys, axis=1) + query)
                scores = tf.reshape(scores, [-1, units]) @ self.score_kernel
                logits = self._squash(tf.reshape(scores, [-1, len(keys)]))
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
