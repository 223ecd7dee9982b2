"""What the policies of ENAS's public code for images are made of.

An LSTM of Keras without biases, an embedding of each operation, and two
matrices and a vector that compare the step that chooses an input with the
steps of what there is to choose from.
"""

from typing import Any

import keras
import tensorflow as tf

from enas.policy import ReinforcePolicy
from nascore.strategies.policy_gradient import MovingBaseline


class AttentionPolicy(ReinforcePolicy):
    """The weights of a policy over inputs and operations.

    Args:
      space: the architectures to choose from; it has `operations`.
      config: constants.
      op_bias: first biases of the operations, `[operations]`, which are
        learned; None: they have none.
    """

    def __init__(
        self, space: Any, config: Any, op_bias: tf.Tensor | None = None
    ) -> None:
        super().__init__(space, config, MovingBaseline(config.baseline_decay))
        units, count = config.lstm_units, len(space.operations)

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

        self.start = weight("start", 1, units)
        self.op_embedding = weight("op_embedding", count, units)
        self.op_kernel = weight("op_kernel", units, count)
        self.op_bias = None
        if op_bias is not None:
            self.op_bias = tf.Variable(op_bias, name="op_bias")
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
            *([] if self.op_bias is None else [self.op_bias]),
            self.anchor_kernel,
            self.query_kernel,
            self.score_kernel,
        ]
