"""Zero-cost proxies against what they are by definition."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import LOGITS, build_network
from nascore.spaces.bench201 import Bench201Space
from nascore.training import proxies

CONFIG = NetworkConfig(
    layout="bench201",
    num_layers=1,
    filters=4,
    keep_prob=1.0,
    drop_path_keep_prob=1.0,
    aux_weight=0.0,
)
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(6, 8, 8, 1)).astype(np.float32)
LABELS = np.arange(6) % 3
CELL = (
    "|nor_conv_3x3~0|+|none~0|skip_connect~1|+"
    "|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
)


def cell(text=CELL):
    return Bench201Space().parse(text)


def test_covariance_of_the_jacobian_is_its_formula():
    gradients = RNG.normal(size=(5, 40))
    values = np.linalg.eigvals(np.corrcoef(gradients)).real + 1e-5
    expected = -sum(np.log(v) + 1 / v for v in values)
    assert proxies.jacob_cov(gradients) == pytest.approx(expected)
    assert proxies.jacob_cov(0 * gradients) == -np.inf
    # Alike images have a worse one.
    alike = gradients + 3 * gradients[:1]
    assert proxies.jacob_cov(alike) < expected


def test_naswot_counts_agreements_bit_by_bit():
    codes = [RNG.random((4, 7)) > 0.5, RNG.random((4, 5)) > 0.3]
    joined = np.concatenate(codes, 1)
    agree = [[sum(a == b) for b in joined] for a in joined]
    expected = np.log(abs(np.linalg.det(np.array(agree, float))))
    assert proxies.naswot(codes) == pytest.approx(expected)
    assert proxies.naswot([np.ones((3, 4), bool)]) == -np.inf


def test_flow_through_a_chain_is_its_output_once_for_each_kernel():
    layers = [
        keras.layers.Conv2D(3, 3, padding="same", use_bias=False),
        keras.layers.ReLU(),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, use_bias=False),
    ]
    network = keras.Sequential([keras.Input((6, 6, 1)), *layers])
    for variable in network.trainable_variables:
        variable.assign(abs(variable))
    total = float(tf.reduce_sum(network(tf.ones([1, 6, 6, 1]))))
    assert proxies.synflow(network) == pytest.approx(
        np.log10(2 * total), rel=1e-6
    )


def test_the_norm_is_the_slope_of_the_loss_along_the_gradient():
    network = build_network(cell(), (8, 8, 1), 3, CONFIG)
    norm = proxies._of_batch(network, IMAGES, LABELS)[0]

    def loss():
        logits = network(IMAGES, training=True)[LOGITS]
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, logits)
        )

    expected, step = 0.0, 1e-3
    for variable in network.trainable_variables:
        if len(variable.shape) < 2:
            continue
        with tf.GradientTape() as tape:
            value = loss()
        kernel, grad = variable.numpy(), tape.gradient(value, variable.value)
        if grad is None:
            continue
        unit = grad / tf.norm(grad)
        ends = []
        for sign in (1, -1):
            variable.assign(kernel + sign * step * unit)
            ends.append(float(loss()))
        variable.assign(kernel)
        expected += (ends[0] - ends[1]) / (2 * step)
    assert norm == pytest.approx(expected, rel=0.02)


def test_all_four_of_a_network_are_fixed_by_the_seed():
    first, again, other = (
        proxies.measure(cell(), CONFIG, IMAGES, LABELS, 3, seed)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))
    assert np.isfinite(first).all()
    assert keras.config.dtype_policy().name == "float32"


def test_a_cell_without_a_path_has_no_flow_and_no_gradient():
    text = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    found = proxies.measure(cell(text), CONFIG, IMAGES, LABELS, 3)
    assert found.synflow == found.jacob_cov == -np.inf
    assert found.grad_norm == 0


def test_one_image_is_refused():
    with pytest.raises(InputError, match="at least 2"):
        proxies.measure(cell(), CONFIG, IMAGES[:1], LABELS[:1], 3)
