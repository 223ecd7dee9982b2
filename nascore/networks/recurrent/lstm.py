"""An LSTM of Keras in the same frame, to compare cells with."""

import math

import keras
import tensorflow as tf

from nascore.networks.recurrent.config import (
    LanguageModelConfig,
    count_parameters,
)
from nascore.networks.recurrent.model import LanguageModel, Read
from nascore.seeds import fold_in

# What an architecture is called that is an LSTM.
LSTM = "LSTM"


def equal_width(vocabulary: int, units: int, nodes: int) -> int:
    """The width of an LSTM with as many weights as a cell's model.

    Args:
      vocabulary: tokens.
      units: width of the other model.
      nodes: of its cell, after node 0.
    """
    wanted = count_parameters(vocabulary, units, nodes)
    # 8 w^2 + (4 + vocabulary) w + vocabulary
    linear = 4 + vocabulary
    root = math.sqrt(linear**2 + 32 * (wanted - vocabulary))
    return max(1, round((root - linear) / 16))


class LstmLanguageModel(LanguageModel):
    """As `LanguageModel`; its state is output and memory, `[b, 2 n]`.

    `--node_dropout` has nothing to act on: Keras draws the masks of its
    recurrent dropout from a state of its own.

    Args:
      config: sizes and dropout.
      vocabulary: number of tokens.
      seed: int32 `[2]`, of the first weights.
    """

    def __init__(
        self, config: LanguageModelConfig, vocabulary: int, seed: tf.Tensor
    ) -> None:
        super().__init__(config, vocabulary, seed)
        units = config.hidden_units
        number = int(fold_in(seed, 1000)[0])
        self.lstm = keras.layers.LSTM(
            units,
            return_sequences=True,
            return_state=True,
            kernel_initializer=keras.initializers.GlorotUniform(number),
            recurrent_initializer=keras.initializers.Orthogonal(seed=number),
        )
        self.lstm.build((None, None, units))

    @property
    def weights(self) -> list[tf.Variable]:
        """See `LanguageModel.weights`."""
        own = [variable.value for variable in self.lstm.trainable_variables]
        return [self.embedding, *own, self.bias]

    def zero_state(self, batch: int) -> tf.Tensor:
        """See `LanguageModel.zero_state`."""
        return tf.zeros([batch, 2 * self.config.hidden_units])

    def read(
        self,
        tokens: tf.Tensor,
        state: tf.Tensor,
        run: object,
        seed: tf.Tensor | None = None,
    ) -> Read:
        """See `LanguageModel.read`; `run` is not looked at."""
        embedded = tf.transpose(self.embed(tokens, seed), [1, 0, 2])
        before = tf.split(state, 2, axis=1)
        found, output, memory = self.lstm(embedded, initial_state=before)
        raw = tf.transpose(found, [1, 0, 2])
        after = tf.concat([output, memory], axis=1)
        return Read(self.drop_output(raw, seed), raw, after)
