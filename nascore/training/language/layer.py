"""A trained model of language as a layer of Keras, which can be saved."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.recurrent.window import run_window
from nascore.networks.recurrent.wiring import FixedWiring
from nascore.spaces.kinds import from_fields, to_fields
from nascore.spaces.recurrent import RecurrentSpace


@keras.saving.register_keras_serializable("ienas")
class RecurrentLanguage(keras.layers.Layer):
    """Reads tokens and predicts each next one; see `LanguageModel`.

    Import this module before `keras.models.load_model` reads a file of it.

    Args:
      space: of the cell, as `nascore.spaces.kinds.to_fields` has it.
      cell: the architecture's text.
      vocabulary: number of tokens.
      units: width.
    """

    def __init__(
        self,
        space: Mapping[str, Any],
        cell: str,
        vocabulary: int,
        units: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        fields = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in space.items()
        }
        found = from_fields(fields)
        if not isinstance(found, RecurrentSpace):
            raise InputError(f"no space of recurrent cells: {fields}")
        self.space, self.cell = found, cell
        self.vocabulary, self.units = vocabulary, units
        self._wiring = FixedWiring(found, found.parse(cell))
        self.embedding = self.add_weight(
            shape=(vocabulary, units), name="embedding"
        )
        self.first = self.add_weight(shape=(2 * units, 2 * units), name="first")
        self.nodes = self.add_weight(
            shape=(found.num_nodes, units, 2 * units), name="nodes"
        )
        self.bias = self.add_weight(shape=(vocabulary,), name="bias")
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """See `keras.layers.Layer.get_config`."""
        return {
            **super().get_config(),
            "space": to_fields(self.space),
            "cell": self.cell,
            "vocabulary": self.vocabulary,
            "units": self.units,
        }

    def compute_output_spec(self, tokens: Any) -> Any:
        """Logits, `[b, t, vocabulary]`."""
        return keras.KerasTensor((*tokens.shape, self.vocabulary), "float32")

    def call(self, tokens: tf.Tensor) -> tf.Tensor:
        """Logits of what follows each token; the state begins with zero.

        Args:
          tokens: int32 `[b, t]`.

        Returns:
          float32 `[b, t, vocabulary]`.
        """
        tokens = tf.cast(tokens, tf.int32)
        state = tf.zeros([tf.shape(tokens)[0], self.units])
        logits, _ = self.read(tf.transpose(tokens), state)
        return tf.transpose(logits, [1, 0, 2])

    def read(
        self, tokens: tf.Tensor, state: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads on from a state.

        Args:
          tokens: int32 `[t, b]`.
          state: float32 `[b, units]`.

        Returns:
          Logits `[t, b, vocabulary]`, and the state after.
        """
        first, units = tf.convert_to_tensor(self.first), self.units
        embedding = tf.convert_to_tensor(self.embedding)
        embedded = tf.reshape(tf.gather(embedding, tokens), [-1, units])
        shape = tf.concat([tf.shape(tokens), [2 * units]], axis=0)
        products = tf.reshape(embedded @ first[:units], shape)
        state = tf.ensure_shape(state, [None, units])
        hidden, after = run_window(
            self._wiring,
            tf.ensure_shape(products, [None, None, 2 * units]),
            state,
            first[units:],
            tf.unstack(tf.convert_to_tensor(self.nodes)),
            None,
        )
        flat = tf.reshape(hidden, [-1, units])
        logits = tf.matmul(flat, embedding, transpose_b=True)
        logits += tf.convert_to_tensor(self.bias)
        shape = tf.concat([tf.shape(tokens), [self.vocabulary]], axis=0)
        return tf.reshape(logits, shape), after


def generate(
    layer: RecurrentLanguage,
    prompt: np.ndarray,
    length: int,
    temperature: float,
    seed: int,
) -> np.ndarray:
    """Writes on, token by token.

    Args:
      layer: the model.
      prompt: int32 `[n]`, one or more tokens, which are read first.
      length: tokens to write.
      temperature: logits are divided by it; 0 takes the likeliest token.
      seed: of the draws.

    Returns:
      int32 `[length]`.
    """
    state = tf.zeros([1, layer.units])
    logits, state = layer.read(tf.constant(prompt[:, None], tf.int32), state)

    @tf.function(autograph=False)
    def write(logits: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        tokens = tf.TensorArray(tf.int32, length, element_shape=[])

        def body(
            place: tf.Tensor,
            logits: tf.Tensor,
            state: tf.Tensor,
            tokens: tf.TensorArray,
        ) -> tuple[Any, ...]:
            if temperature:
                drawn = tf.random.stateless_categorical(
                    logits / temperature,
                    1,
                    tf.stack([tf.constant(seed), place]),
                    tf.int32,
                )[0, 0]
            else:
                drawn = tf.argmax(logits[0], output_type=tf.int32)
            tokens = tokens.write(place, drawn)
            following, after = layer.read(drawn[None, None], state)
            after.set_shape(state.shape)
            return place + 1, following[-1], after, tokens

        *_, tokens = tf.while_loop(
            lambda place, *_: place < length,
            body,
            (tf.constant(0), logits, state, tokens),
            shape_invariants=(
                tf.TensorShape([]),
                tf.TensorShape([None, layer.vocabulary]),
                state.shape,
                tf.TensorShape(None),
            ),
        )
        return tokens.stack()

    return write(logits[-1], state).numpy()
