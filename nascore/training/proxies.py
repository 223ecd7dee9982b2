"""What a network is worth before it is trained, by four numbers.

Each needs one batch and no training ("zero-cost proxies", Abdelfattah et al.,
ICLR 2021, section 3, whose public code these follow where the text is short).
They rank networks and mean nothing by themselves.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import LOGITS, build_network
from nascore.spaces.bench201 import Bench201Cell
from nascore.spaces.cells import Architecture

# Of the eigenvalues' logarithm (Mellor et al., 2020, first version).
_SMALL = 1e-5


class Proxies(NamedTuple):
    """Four numbers of a network with the weights that it starts with.

    Attributes:
      grad_norm: sum over the kernels of the Euclidean norm of the gradient of
        the loss on the batch.
      synflow: sum over all kernels of |w * dR/dw|, with R the sum of the
        logits of an image of ones, of a network without normalizations whose
        weights are taken positive (Tanaka et al., 2020); its logarithm to
        base 10.
      jacob_cov: minus the sum of log(v + k) + 1 / (v + k) over the
        eigenvalues v of the correlations between images of the gradients of
        the summed logits by the pixels, k = 1e-5 (Mellor et al., 2020).
      naswot: logarithm of the absolute determinant of how many of the relus
        agree between each two images (Mellor et al., ICML 2021).
    """

    grad_norm: float
    synflow: float
    jacob_cov: float
    naswot: float


def measure(
    architecture: Architecture | Bench201Cell,
    config: NetworkConfig,
    images: np.ndarray,
    labels: np.ndarray,
    classes: int,
    seed: int = 0,
) -> Proxies:
    """Builds the network of an architecture and measures it.

    Args:
      architecture: of the configuration's space.
      config: sizes; dropout and drop paths do not act.
      images: float `[n, h, w, c]`, as the network takes them.
      labels: int `[n]`.
      classes: number of logits.
      seed: of the initial weights.

    Raises:
      InputError: fewer than two images, or see `build_network`.
    """
    if len(images) < 2:
        raise InputError(
            f"proxies compare images; give at least 2. Received: {len(images)}"
        )
    shape = images.shape[1:]
    keras.utils.set_random_seed(seed)
    network = build_network(architecture, shape, classes, config)
    norm, covariance, codes = _of_batch(network, images, labels)
    flow = synflow(_positive(architecture, config, shape, classes, seed))
    return Proxies(norm, flow, covariance, codes)


def _of_batch(
    network: keras.Model, images: np.ndarray, labels: np.ndarray
) -> tuple[float, float, float]:
    """Gradient norm, `jacob_cov` and `naswot`, of one pass forwards."""
    maps: list[tf.Tensor] = []
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.ReLU):
            layer.call = _recorded(layer.call, maps)
    kernels = _kernels(network)
    pixels = tf.constant(images, tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        logits = network(pixels, training=True)[LOGITS]
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        )
        total = tf.reduce_sum(logits)
    grads = tape.gradient(loss, kernels, unconnected_gradients="zero")
    norm = sum(float(tf.norm(grad)) for grad in grads)
    by_pixel = tape.gradient(total, pixels, unconnected_gradients="zero")
    return (
        norm,
        jacob_cov(by_pixel.numpy().reshape(len(images), -1)),
        naswot([each.numpy().reshape(len(images), -1) > 0 for each in maps]),
    )


def jacob_cov(gradients: np.ndarray) -> float:
    """See `Proxies`; of gradients `[n, pixels]`. -inf if one image has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.corrcoef(gradients.astype(np.float64))
    if not np.isfinite(correlations).all():
        return -np.inf
    # Rounding makes some of those that are zero negative.
    values = np.maximum(np.linalg.eigvalsh(correlations), 0) + _SMALL
    return -float(np.sum(np.log(values) + 1 / values))


def naswot(codes: list[np.ndarray]) -> float:
    """See `Proxies`; of bool arrays `[n, units]`, one for each relu.

    -inf where two images have the same codes.
    """
    agree = sum(
        (on @ on.T + (1 - on) @ (1 - on).T)
        for on in (code.astype(np.float32) for code in codes)
    )
    sign, logarithm = np.linalg.slogdet(np.asarray(agree, np.float64))
    return float(logarithm) if sign else -np.inf


def synflow(network: keras.Model) -> float:
    """See `Proxies`; of a network of positive weights and no normalization.

    -inf where no path leads to a logit.
    """
    kernels = _kernels(network)
    ones = tf.ones([1, *network.input_shape[1:]], tf.float64)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(network(ones, training=False))
    grads = tape.gradient(total, kernels, unconnected_gradients="zero")
    found = sum(
        float(tf.reduce_sum(tf.abs(kernel * grad)))
        for kernel, grad in zip(kernels, grads, strict=True)
    )
    return float(np.log10(found)) if found > 0 else -np.inf


def _positive(
    architecture: Architecture | Bench201Cell,
    config: NetworkConfig,
    shape: tuple[int, int, int],
    classes: int,
    seed: int,
) -> keras.Model:
    """The network that `synflow` takes.

    In float64: of deep networks the sum is larger than a float32.
    """
    policy = keras.config.dtype_policy()
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy("float64")
    try:
        network = build_network(
            architecture, shape, classes, config, keras.layers.Identity
        )
    finally:
        keras.config.set_dtype_policy(policy)
    for variable in network.trainable_variables:
        variable.assign(abs(variable))
    # The last layer brings the logits to float32.
    return keras.Model(network.inputs, network.get_layer(LOGITS).input)


def _kernels(network: keras.Model) -> list[tf.Variable]:
    """Weights that are no scale, offset or bias."""
    return [
        variable.value
        for variable in network.trainable_variables
        if len(variable.shape) > 1
    ]


def _recorded(
    call: Callable[..., tf.Tensor], maps: list[tf.Tensor]
) -> Callable[..., tf.Tensor]:
    """The same call; what it returns joins a list."""

    def run(*args: tf.Tensor) -> tf.Tensor:
        maps.append(call(*args))
        return maps[-1]

    return run
