import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.layers import BatchStatisticsNorm, FactorizedReduction
from nascore.networks.operations.catalogue import (
    OPERATIONS,
    find_operations,
    register,
)
from nascore.networks.operations.pools import MaxPool

CHANNELS = 4


def convolve(x, kernel, dilation=1):
    """Same-padded, stride 1, NumPy; kernel `[k, k, in, out]`."""
    n, height, width, _ = x.shape
    size = kernel.shape[0]
    pad = dilation * (size - 1) // 2
    padded = np.pad(x, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    out = np.zeros((n, height, width, kernel.shape[-1]))
    for row in range(size):
        for column in range(size):
            y, z = row * dilation, column * dilation
            window = padded[:, y : y + height, z : z + width]
            out += window @ kernel[row, column]
    return out


def normalize(x, scale, offset):
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return (x - mean) / np.sqrt(variance + 1e-5) * scale + offset


def separable(x, weights, dilation=1):
    for repeat in range(len(weights) // 4):
        depthwise, pointwise, scale, offset = weights[4 * repeat :][:4]
        full = np.zeros((*depthwise.shape[:2], CHANNELS, CHANNELS))
        for channel in range(CHANNELS):
            full[:, :, channel, channel] = depthwise[:, :, channel, 0]
        x = convolve(convolve(np.maximum(x, 0), full, dilation), pointwise)
        x = normalize(x, scale, offset)
    return x


def plain(x, weights):
    kernel, scale, offset = weights
    return normalize(convolve(np.maximum(x, 0), kernel), scale, offset)


def pool(x, combine):
    n, height, width, c = x.shape
    out = np.zeros_like(x)
    for row in range(height):
        for column in range(width):
            window = x[
                :,
                max(0, row - 1) : row + 2,
                max(0, column - 1) : column + 2,
            ]
            out[:, row, column] = combine(window.reshape(n, -1, c), axis=1)
    return out


def random_slot(operation, rng):
    return [
        rng.normal(size=spec.shape).astype(np.float32)
        for spec in operation.weight_specs(CHANNELS)
    ]


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("sep_conv_3x3", separable),
        ("sep_conv_5x5", separable),
        ("sep_conv_7x7", separable),
        ("dil_conv_3x3", lambda x, w: separable(x, w, 2)),
        ("dil_conv_5x5", lambda x, w: separable(x, w, 2)),
        ("avg_pool_3x3", lambda x, w: pool(x, np.mean)),
        ("max_pool_3x3", lambda x, w: pool(x, np.max)),
        ("nor_conv_1x1", plain),
        ("nor_conv_3x3", plain),
        ("dil_sep_conv_3x3", lambda x, w: separable(x, w, 2)),
        ("dil_sep_conv_5x5", lambda x, w: separable(x, w, 2)),
        ("identity", lambda x, w: x),
        ("skip_connect", lambda x, w: x),
        ("none", lambda x, w: 0 * x),
    ],
)
def test_shared_form_equals_numpy(name, reference):
    rng = np.random.default_rng(0)
    operation = OPERATIONS[name]
    x = rng.normal(size=(3, 8, 8, CHANNELS)).astype(np.float32)
    slot = random_slot(operation, rng)
    ours = operation.apply(tf.constant(x), [tf.constant(w) for w in slot])
    np.testing.assert_allclose(ours, reference(x, slot), atol=2e-4)


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_discrete_form_equals_shared_form(name):
    rng = np.random.default_rng(1)
    operation = OPERATIONS[name]
    x = rng.normal(size=(3, 8, 8, CHANNELS)).astype(np.float32)
    slot = random_slot(operation, rng)
    layer = keras.Sequential(
        operation.discrete(CHANNELS, 1, BatchStatisticsNorm)
        or [keras.layers.Identity()]
    )
    layer.build(x.shape)
    layer.set_weights(slot)
    shared = operation.apply(tf.constant(x), [tf.constant(w) for w in slot])
    np.testing.assert_allclose(layer(x), shared, atol=1e-5)


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_discrete_form_halves_the_image_at_stride_two(name):
    layer = keras.Sequential(
        OPERATIONS[name].discrete(CHANNELS, 2, BatchStatisticsNorm)
    )
    x = np.ones((2, 8, 8, CHANNELS), np.float32)
    assert layer(x).shape == (2, 4, 4, CHANNELS)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_an_operation_knows_its_discrete_weights(name, strides):
    operation = OPERATIONS[name]
    layers = operation.discrete(CHANNELS, strides, BatchStatisticsNorm)
    block = keras.Sequential(layers or [keras.layers.Identity()])
    block(np.ones((2, 8, 8, CHANNELS), np.float32))
    specs = operation.discrete_specs(CHANNELS, strides)
    weights = block.trainable_variables
    assert [spec.shape for spec in specs] == [tuple(w.shape) for w in weights]
    assert sum(spec.size for spec in specs) == block.count_params()
    kernels = [spec for spec in specs if len(spec.shape) == 4]
    assert all((spec.fan_in is not None) == (spec in kernels) for spec in specs)
    # Each number of a kernel is used once for each pixel.
    assert operation.multiply_adds(CHANNELS, strides) == sum(
        np.prod(spec.shape) for spec in kernels
    )


def test_max_pool_gradient_equals_tensorflows():
    x = tf.random.stateless_normal([2, 8, 8, CHANNELS], [1, 2])
    weights = tf.random.stateless_normal(x.shape, [3, 4])
    gradients = []
    for pooling in (
        lambda x: MaxPool().apply(x, []),
        lambda x: tf.nn.max_pool2d(x, 3, 1, "SAME"),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(pooling(x) * weights)
        gradients.append(tape.gradient(total, x))
    np.testing.assert_array_equal(*gradients)


def test_factorized_reduction_reads_every_pixel():
    layer = FactorizedReduction(2, False, BatchStatisticsNorm)
    x = tf.random.stateless_normal([2, 6, 6, 3], [1, 2])
    layer.build(x.shape)
    ours = layer(x)
    first, second = (np.array(p.kernel)[0, 0] for p in layer.paths)
    paths = [x.numpy()[:, ::2, ::2] @ first, x.numpy()[:, 1::2, 1::2] @ second]
    expected = normalize(np.concatenate(paths, -1), 1, 0)
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_factorized_reduction_refuses_odd_widths():
    with pytest.raises(ValueError, match="Received: channels=3"):
        FactorizedReduction(3, False, BatchStatisticsNorm)


def test_unknown_operations_and_taken_names():
    with pytest.raises(InputError, match="unknown operation 'conv'"):
        find_operations(["identity", "conv"])
    with pytest.raises(ValueError, match="Received: identity"):
        register("identity", OPERATIONS["identity"])
