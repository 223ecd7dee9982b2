"""The networks of NASES: of simulator, controller and decoder.

Weights are those of many searches, stacked, by name: `R` is the number of
searches, `k` that of vectors in each. Inputs and outputs are from 0 to 1.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from nascore.seeds import fold, fold_in
from nascore.spaces.reals import Reals
from nascore.strategies.stacked_lstm import multiply, run_lstm
from nases.config import DENSE, AutoencoderConfig

Weights = Mapping[str, tf.Tensor]


class Coder(Protocol):
    """A network without its weights."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Of the weights of one search, by name."""

    def __call__(self, weights: Weights, inputs: tf.Tensor) -> tf.Tensor:
        """Makes `[R, k, outputs]` of `[R, k, inputs]`."""


class Dense:
    """Layers with tanh, the last one with a sigmoid.

    Args:
      sizes: of the inputs, of each hidden layer and of the outputs.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        for layer, size in enumerate(sizes[1:]):
            self.shapes[f"kernel_{layer}"] = (sizes[layer], size)
            self.shapes[f"bias_{layer}"] = (1, size)

    def __call__(self, weights: Weights, inputs: tf.Tensor) -> tf.Tensor:
        """See `Coder`."""
        last = len(self.shapes) // 2 - 1
        x = inputs
        for layer in range(last + 1):
            x = (
                multiply(x, weights[f"kernel_{layer}"])
                + weights[f"bias_{layer}"]
            )
            x = tf.tanh(x) if layer < last else tf.sigmoid(x)
        return x


class LstmReader:
    """An LSTM over the numbers of each place; a code of its last state.

    Args:
      reals: what is read.
      units: of the LSTM.
      outputs: of the linear layer, which ends in a sigmoid.
    """

    def __init__(self, reals: Reals, units: int, outputs: int) -> None:
        self._blocks = reals.blocks
        self._units = units
        self.shapes = {
            **_lstm_shapes(reals.blocks.shape[1], units),
            "out": (units, outputs),
            "out_bias": (1, outputs),
        }

    def __call__(self, weights: Weights, inputs: tf.Tensor) -> tf.Tensor:
        """See `Coder`."""
        length, width = self._blocks.shape
        shape = tf.shape(inputs)
        parts = tf.reshape(
            tf.gather(inputs, self._blocks.ravel(), axis=2),
            [shape[0], shape[1] * length, width],
        )
        # Of all places at once: they do not depend on each other.
        gates = multiply(parts, weights["kernel"]) + weights["bias"]
        gates = tf.reshape(gates, [shape[0], shape[1], length, -1])
        every = tf.unstack(gates, length, axis=2)
        state = run_lstm(every, weights["recurrent"])[-1]
        return tf.sigmoid(multiply(state, weights["out"]) + weights["out_bias"])


class LstmWriter:
    """An LSTM that gets a code at each place; its state gives the numbers.

    Args:
      reals: what is written.
      units: of the LSTM.
      inputs: numbers of a code.
    """

    def __init__(self, reals: Reals, units: int, inputs: int) -> None:
        self._units = units
        length, width = reals.blocks.shape
        self._length = length
        # Where each number stands first among those of all blocks.
        self._order = np.unique(reals.blocks, return_index=True)[1]
        self.shapes = {
            **_lstm_shapes(inputs, units),
            "out": (units, width),
            "out_bias": (1, width),
        }

    def __call__(self, weights: Weights, inputs: tf.Tensor) -> tf.Tensor:
        """See `Coder`."""
        # The code is the same at each place, and so is what is made of it.
        gates = multiply(inputs, weights["kernel"]) + weights["bias"]
        every = [gates] * self._length
        states = run_lstm(every, weights["recurrent"])
        shape = tf.shape(inputs)
        flat = tf.reshape(tf.stack(states, axis=2), [shape[0], -1, self._units])
        numbers = multiply(flat, weights["out"]) + weights["out_bias"]
        numbers = tf.reshape(numbers, [shape[0], shape[1], -1])
        return tf.sigmoid(tf.gather(numbers, self._order, axis=2))


def _lstm_shapes(inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    return {
        "kernel": (inputs, 4 * units),
        "recurrent": (units, 4 * units),
        "bias": (1, 4 * units),
    }


def make_networks(
    config: AutoencoderConfig, reals: Reals, embedding: int
) -> tuple[Coder, Coder]:
    """Those of simulator and decoder, of the same sizes (section 4.1)."""
    units = config.hidden_units
    if config.autoencoder == DENSE:
        hidden = [units] * config.hidden_layers
        return (
            Dense([reals.size, *hidden, embedding]),
            Dense([embedding, *hidden, reals.size]),
        )
    return (
        LstmReader(reals, units, embedding),
        LstmWriter(reals, units, embedding),
    )


def start_weights(
    network: Coder, seeds: Sequence[int], stream: int
) -> dict[str, tf.Tensor]:
    """Initial weights, normal with deviation 1 / sqrt(fan-in); biases 0.

    Args:
      network: whose.
      seeds: of the searches.
      stream: of the draws, see `nascore.seeds.fold`.
    """
    found = {}
    for number, (name, shape) in enumerate(network.shapes.items()):
        drawn = [
            tf.random.stateless_normal(
                shape, fold_in(fold(seed, stream), number)
            )
            for seed in seeds
        ]
        scale = 0.0 if "bias" in name else 1 / np.sqrt(shape[0])
        found[name] = tf.cast(scale, tf.float32) * tf.stack(drawn)
    return found
