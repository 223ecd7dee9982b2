"""Operations with strides as PyTorch has them, and without free numbers.

PyTorch pads k // 2 pixels (times the dilation) on all sides, reads the window
that begins at every second pixel of that, takes the border for minus infinity
in a max pool, and leaves it out of the mean in an average pool.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.layers import BatchStatisticsNorm
from nascore.networks.operations.base import Options
from nascore.networks.operations.catalogue import OPERATIONS

CHANNELS = 4
DARTS = Options(affine=False, norm_after_pool=True, padding="torch")
NAMES = [
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect"),
    *("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
    *("nor_conv_1x1", "nor_conv_3x3", "none"),
]


def windows(x, size, stride, dilation, fill):
    """Of each output pixel what it reads: [n, h, w, size^2, c]."""
    reach = dilation * (size // 2)
    edge = (reach, reach)
    padded = np.pad(
        x, [(0, 0), edge, edge, (0, 0)], constant_values=np.float64(fill)
    )
    rows = []
    for top in range(0, x.shape[1], stride):
        row = []
        for left in range(0, x.shape[2], stride):
            steps = np.arange(size) * dilation
            part = padded[:, top + steps][:, :, left + steps]
            row.append(part.reshape(len(x), size * size, -1))
        rows.append(np.stack(row, 1))
    return np.stack(rows, 1)


def normalize(x):
    return (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5)


def reference(name, x, stride, kernels, pools_normalized):
    """DARTS's operation without scales, of the kernels in their order."""
    if name == "none":
        return 0 * x[:, ::stride, ::stride]
    if name == "skip_connect":
        if stride == 1:
            return x
        x = np.maximum(x, 0)
        paths = [x[:, ::2, ::2], x[:, 1::2, 1::2]]
        halves = [y @ k[0, 0] for y, k in zip(paths, kernels, strict=True)]
        return normalize(np.concatenate(halves, -1))
    if "pool" in name:
        if name == "max_pool_3x3":
            pooled = windows(x, 3, stride, 1, -np.inf).max(3)
        else:
            pooled = np.nanmean(windows(x, 3, stride, 1, np.nan), 3)
        return normalize(pooled) if pools_normalized else pooled
    if name.startswith("nor"):
        (kernel,) = kernels
        size = len(kernel)
        read = windows(np.maximum(x, 0), size, stride, 1, 0)
        filtered = np.einsum(
            "nhwkc,kcd->nhwd",
            read,
            kernel.reshape(size * size, *x.shape[-1:], -1),
        )
        return normalize(filtered)
    dilation = 2 if name.startswith("dil") else 1
    for place in range(0, len(kernels), 2):
        depthwise, pointwise = kernels[place : place + 2]
        size = len(depthwise)
        read = windows(np.maximum(x, 0), size, stride, dilation, 0)
        filtered = (read * depthwise.reshape(size * size, -1)).sum(3)
        x, stride = normalize(filtered @ pointwise[0, 0]), 1
    return x


def draw(name, options):
    rng = np.random.default_rng(3)
    operation = OPERATIONS[name].with_options(options)
    x = rng.normal(size=(3, 8, 12, CHANNELS)).astype(np.float32)
    specs = operation.weight_specs(CHANNELS)
    return operation, x, [rng.normal(size=s.shape) for s in specs]


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_shared_form_is_darts_operation(name, strides):
    options = Options(strides, False, True, "torch")
    operation, x, weights = draw(name, options)
    assert all(spec.fan_in for spec in operation.weight_specs(CHANNELS))
    slot = [tf.constant(w, tf.float32) for w in weights]
    ours = operation.apply(tf.constant(x), slot)
    expected = reference(name, x.astype(float), strides, weights, True)
    np.testing.assert_allclose(ours, expected, atol=3e-4)
    result = operation.forward(tf.constant(x), slot)
    assert len(result.maps) == operation.kept_maps
    np.testing.assert_array_equal(result.output, ours)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_the_automatic_ones(name, strides):
    operation, x, weights = draw(name, Options(strides, False, True, "torch"))
    sources = [tf.constant(w, tf.float32) for w in [x, *weights]]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        output = operation.apply(sources[0], sources[1:])
    upstream = tf.random.stateless_normal(output.shape, [1, 2])
    expected = tape.gradient(
        output, sources, upstream, unconnected_gradients="zero"
    )
    kept = operation.forward(sources[0], sources[1:])
    found = operation.gradient(sources[0], sources[1:], kept, upstream)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_discrete_form_has_pytorchs_padding_and_plain_pools(name, strides):
    operation, x, _ = draw(name, DARTS)
    layers = operation.discrete(CHANNELS, strides, BatchStatisticsNorm)
    block = keras.Sequential(layers or [keras.layers.Identity()])
    block.build(x.shape)
    rng = np.random.default_rng(5)
    kernels = []
    for variable in block.trainable_variables:
        if len(variable.shape) == 4:
            kernels.append(rng.normal(size=variable.shape))
            variable.assign(kernels[-1])
    specs = operation.discrete_specs(CHANNELS, strides)
    shapes = [tuple(v.shape) for v in block.trainable_variables]
    assert [spec.shape for spec in specs] == shapes
    expected = reference(name, x.astype(float), strides, kernels, False)
    np.testing.assert_allclose(block(x), expected, atol=3e-4)


def test_padding_moves_the_windows():
    x = tf.random.stateless_normal([1, 8, 8, CHANNELS], [1, 2])
    for name in ("max_pool_3x3", "avg_pool_3x3"):
        same = OPERATIONS[name].with_options(Options(2)).apply(x, [])
        # At stride 2 TensorFlow's windows begin at the pixel itself.
        read = windows(x.numpy(), 3, 1, 1, np.nan)[:, 1::2, 1::2]
        combine = np.nanmax if name.startswith("max") else np.nanmean
        np.testing.assert_allclose(same, combine(read, 3), atol=1e-6)


def test_scales_and_offsets_are_there_if_asked_for():
    x = tf.random.stateless_normal([2, 8, 8, CHANNELS], [1, 2])
    for name in NAMES[:-1]:
        bare, free = (
            OPERATIONS[name].with_options(Options(2, affine, True, "torch"))
            for affine in (False, True)
        )
        specs = free.weight_specs(CHANNELS)
        kernels = [spec for spec in specs if spec.fan_in]
        assert list(bare.weight_specs(CHANNELS)) == kernels
        assert len(specs) > len(kernels)
        weights = [
            tf.random.stateless_normal(spec.shape, [3, place])
            if spec.fan_in
            else tf.fill(spec.shape, spec.start)
            for place, spec in enumerate(specs)
        ]
        own = [w for w, s in zip(weights, specs, strict=True) if s.fan_in]
        np.testing.assert_allclose(
            bare.apply(x, own), free.apply(x, weights), atol=1e-6
        )


def test_options_leave_the_registered_one_as_it_is():
    operation = OPERATIONS["sep_conv_3x3"]
    made = operation.with_options(DARTS)
    assert operation.options == Options() and made.options == DARTS
    assert (
        len(operation.weight_specs(4)) == 8 and len(made.weight_specs(4)) == 4
    )
