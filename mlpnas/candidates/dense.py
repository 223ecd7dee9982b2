"""Dense layers whose shape and activation are known only when they run.

Weights are variables of unknown shape, the activation is chosen by an index,
dropout by a rate: one graph serves all networks of as many layers.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mlpnas.candidates.tasks import LayerWeights
from nascore import draws
from nascore.seeds import fold_in
from nascore.spaces.perceptrons import (
    ACTIVATIONS,
    MlpArchitecture,
    layer_shapes,
)

# Keras' defaults of Adam, which the paper keeps.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7

_raw = tf.raw_ops
_FORWARD = {
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "elu": tf.nn.elu,
}
# Derivatives from the output, which is all that has to be kept.
_BACKWARD = {
    "sigmoid": lambda y, dy: _raw.SigmoidGrad(y=y, dy=dy),
    "tanh": lambda y, dy: _raw.TanhGrad(y=y, dy=dy),
    "relu": lambda y, dy: _raw.ReluGrad(gradients=dy, features=y),
    "elu": lambda y, dy: _raw.EluGrad(gradients=dy, outputs=y),
}


def initial_weights(
    architecture: MlpArchitecture, inputs: int, outputs: int, seed: tf.Tensor
) -> list[LayerWeights]:
    """Keras' initial weights: Glorot-uniform kernels, zero biases.

    Args:
      architecture: hidden layers.
      inputs: features of an example.
      outputs: units of the final layer.
      seed: int32 `[2]`.
    """
    weights = []
    shapes = layer_shapes(architecture, inputs, outputs)
    for place, (rows, columns) in enumerate(shapes):
        limit = np.sqrt(6 / (rows + columns))
        share = draws.uniform([rows, columns], fold_in(seed, place))
        kernel = limit * (2 * share - 1)
        weights.append((kernel.numpy(), np.zeros(columns, np.float32)))
    return weights


class DenseState:
    """Kernel and bias of one layer of whatever shape, and Adam's averages."""

    def __init__(self) -> None:
        groups = [
            [
                tf.Variable(tf.zeros([0] * rank), shape=[None] * rank)
                for rank in (2, 1)
            ]
            for _ in range(4)
        ]
        self.weights, self.mean, self.square, self.best = groups

    def reset(self, arrays: LayerWeights) -> None:
        """Starts from these weights."""
        for place, array in enumerate(arrays):
            self.weights[place].assign(array)
            self.best[place].assign(array)
            self.mean[place].assign(tf.zeros(array.shape))
            self.square[place].assign(tf.zeros(array.shape))

    def descend(
        self, gradients: Sequence[tf.Tensor], step: tf.Tensor, rate: float
    ) -> None:
        """Makes Adam's step number `step`, from 1."""
        number = tf.cast(step, tf.float32)
        for place, gradient in enumerate(gradients):
            # One fused operation; in steps it would be a dozen.
            _raw.ResourceApplyAdam(
                var=self.weights[place].handle,
                m=self.mean[place].handle,
                v=self.square[place].handle,
                beta1_power=tf.pow(BETA_1, number),
                beta2_power=tf.pow(BETA_2, number),
                lr=rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )


def keep_best(layers: list[DenseState]) -> tf.Tensor:
    """Notes the weights as the best ones."""
    for layer in layers:
        for best, variable in zip(layer.best, layer.weights, strict=True):
            best.assign(variable)
    return tf.constant(True)


def activate(x: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """Applies activation `index` of `ACTIVATIONS`."""

    @tf.custom_gradient
    def apply(x: tf.Tensor) -> tuple:
        forward = [lambda f=_FORWARD[name]: f(x) for name in ACTIVATIONS]
        y = tf.switch_case(index, forward)

        def gradient(dy: tf.Tensor) -> tf.Tensor:
            backward = [
                lambda f=_BACKWARD[name]: f(y, dy) for name in ACTIVATIONS
            ]
            return tf.switch_case(index, backward)

        return y, gradient

    return apply(x)


def drop_or_not(
    x: tf.Tensor,
    rate: tf.Tensor,
    seed: tf.Tensor,
    step: tf.Tensor,
    place: int,
) -> tf.Tensor:
    """Skips the random numbers where there is no dropout."""
    return tf.cond(
        rate > 0, lambda: drop(x, rate, seed, step, place), lambda: x
    )


def drop(
    x: tf.Tensor, rate: tf.Tensor, seed: tf.Tensor, step: tf.Tensor, place: int
) -> tf.Tensor:
    """Dropout behind hidden layer `place` in training step `step`."""
    return draws.dropout(x, rate, fold_in(fold_in(seed, step), place))
