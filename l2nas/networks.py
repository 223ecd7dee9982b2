"""Small networks of many runs at once, without automatic gradients.

A network's weights are one vector for each run: a kernel, then biases, layer
by layer. Its gradients are written out, since a step of L2NAS makes twenty
updates of networks so small that operations cost more than arithmetic.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.seeds import fold

# That of Adam (Kingma and Ba, 2015, algorithm 1).
_EPSILON = 1e-8

# Kernel `[runs, inputs, outputs]`, then biases `[runs, 1, outputs]`, of each
# layer.
Weights = list[tf.Tensor]


class Passed(NamedTuple):
    """What a network made of its inputs.

    Attributes:
      inputs: of each layer, `[runs, n, inputs]`.
      output: of the last, `[runs, n, outputs]`, without an activation.
    """

    inputs: list[tf.Tensor]
    output: tf.Tensor


class Layers:
    """Linear layers with rectifiers between them.

    Args:
      sizes: of the inputs, of each hidden layer and of the outputs.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._shapes = list(itertools.pairwise(sizes))
        self._parts = [
            count
            for size, units in self._shapes
            for count in (size * units, units)
        ]
        self.count = sum(self._parts)

    def start(self, seeds: Sequence[int], stream: int) -> tf.Tensor:
        """Initial weights of runs, `[runs, count]`.

        Uniform in +- 1 / sqrt(inputs of the layer), biases as well.

        Args:
          seeds: of the runs.
          stream: of the draw, see `nascore.seeds.fold`.
        """
        reaches = [1 / np.sqrt(size) for size, _ in self._shapes for _ in "wb"]
        scale = np.repeat(reaches, self._parts).astype(np.float32)
        drawn = [draws.uniform([self.count], fold(s, stream)) for s in seeds]
        return (2 * tf.stack(drawn) - 1) * scale

    def part(self, flat: tf.Tensor) -> Weights:
        """Parts vectors `[runs, count]` into layers."""
        parts = iter(tf.split(flat, self._parts, axis=1))
        return [
            tf.reshape(next(parts), [-1, rows, units])
            for size, units in self._shapes
            for rows in (size, 1)
        ]

    def join(self, weights: Weights) -> tf.Tensor:
        """The inverse of `part`."""
        flat = [
            tf.reshape(values, [-1, count])
            for values, count in zip(weights, self._parts, strict=True)
        ]
        return tf.concat(flat, axis=1)

    def __call__(self, weights: Weights, inputs: tf.Tensor) -> Passed:
        """Passes inputs `[runs, n, inputs]` through all layers."""
        kept = [inputs]
        for kernel, bias in _pairs(weights)[:-1]:
            kept.append(tf.nn.relu(kept[-1] @ kernel + bias))
        kernel, bias = _pairs(weights)[-1]
        return Passed(kept, kept[-1] @ kernel + bias)


def gradients(weights: Weights, passed: Passed, upstream: tf.Tensor) -> Weights:
    """Gradients of the weights, in their order.

    Args:
      weights: of the network.
      passed: what it made.
      upstream: gradient of its output.
    """
    found: Weights = []
    for layer in reversed(range(len(passed.inputs))):
        inputs = passed.inputs[layer]
        found.append(tf.reduce_sum(upstream, axis=1, keepdims=True))
        found.append(tf.matmul(inputs, upstream, transpose_a=True))
        if layer:
            upstream = _back(weights, passed, layer, upstream)
    return found[::-1]


def input_gradient(
    weights: Weights, passed: Passed, upstream: tf.Tensor
) -> tf.Tensor:
    """Gradient of the network's inputs; arguments as above."""
    for layer in reversed(range(1, len(passed.inputs))):
        upstream = _back(weights, passed, layer, upstream)
    return tf.matmul(upstream, weights[0], transpose_b=True)


def _back(
    weights: Weights, passed: Passed, layer: int, upstream: tf.Tensor
) -> tf.Tensor:
    """Gradient of what comes out of a layer, from that of the next one."""
    gradient = tf.matmul(upstream, weights[2 * layer], transpose_b=True)
    return tf.where(passed.inputs[layer] > 0, gradient, 0.0)


def _pairs(weights: Weights) -> list[tuple[tf.Tensor, tf.Tensor]]:
    return list(zip(weights[::2], weights[1::2], strict=True))


class Adam(NamedTuple):
    """Kingma and Ba (2015), algorithm 1.

    Attributes:
      rate: the learning rate.
      beta_1: decay of the mean gradient.
      beta_2: decay of the mean square.
    """

    rate: float
    beta_1: float
    beta_2: float

    def __call__(
        self,
        learned: Sequence[Weights],
        gradient: Weights,
        number: tf.Tensor,
    ) -> list[Weights]:
        """Weights, mean gradients and mean squares after an update.

        Args:
          learned: these three before it.
          gradient: of the weights.
          number: of the update, from 1; float32.
        """
        first = 1 - tf.pow(self.beta_1, number)
        second = 1 - tf.pow(self.beta_2, number)
        updated: list[Weights] = [[], [], []]
        for weight, mean, square, each in zip(*learned, gradient, strict=True):
            mean += (1 - self.beta_1) * (each - mean)
            square += (1 - self.beta_2) * (each * each - square)
            size = tf.sqrt(square / second) + _EPSILON
            weight -= self.rate / first * mean / size
            for values, value in zip(
                updated, (weight, mean, square), strict=True
            ):
                values.append(value)
        return updated
