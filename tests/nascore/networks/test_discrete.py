import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.drawing.networks import list_layers, network_graph
from nascore.errors import InputError
from nascore.networks.auxiliary import enas_head
from nascore.networks.config import NetworkConfig
from nascore.networks.costs import count, total
from nascore.networks.discrete import DropPath, build_network
from nascore.networks.layers import (
    FusedBatchNormalization,
    auxiliary_head,
    halving,
    moving_norm,
)
from nascore.networks.maps import Map
from nascore.networks.stack import plan
from nascore.spaces.cells import CellSpace

ENAS_CELL = (
    "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 "
    "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"
)
SMALL = NetworkConfig(num_nodes=2, filters=4, num_layers=1)
IMAGES = np.random.default_rng(0).normal(size=(3, 8, 8, 2)).astype(np.float32)


def formula(architecture, config, size, classes):
    """Parameters and multiply-adds, counted from the description alone."""
    parameters = macs = 0
    width = config.filters

    def add(kernel, have, make, area):
        nonlocal parameters, macs
        parameters += kernel * have * make + 2 * make
        macs += kernel * have * make * area

    def separable(k, c, area_first, area):
        nonlocal parameters, macs
        for out in (area_first, area):
            parameters += k * k * c + c * c + 2 * c
            macs += out * (k * k * c + c * c)

    stem = 3 * width
    add(9, 3, stem, size * size)
    before, last = (stem, size), (stem, size)
    kernels = {0: 3, 1: 5}
    for kind in config.layer_types:
        reduction = kind == "reduction"
        cell = architecture.cells[int(reduction)]
        width *= 1 + reduction
        channels, have = last
        area = have * have
        if before[1] != have:
            add(1, before[0], width, area)
        elif before[0] != width:
            add(1, before[0], width, area)
        if channels != width:
            add(1, channels, width, area)
        add(1, width, width, area)
        out = have // (1 + reduction)
        for node in cell.nodes:
            for index, op in node.edges:
                if op in kernels:
                    # Strided depthwise and pointwise: both at the output.
                    separable(kernels[op], width, out * out, out * out)
                elif op == 4 and reduction and index < 2:
                    add(1, width, width, out * out)
        for index in cell.loose_ends:
            if reduction and index < 2:
                add(1, width, width, out * out)
        before, last = last, (width * len(cell.loose_ends), out)
    parameters += last[0] * classes
    macs += last[0] * classes
    return parameters, macs


def parameters(network):
    """What Keras has made, moving statistics left out."""
    return sum(np.prod(v.shape) for v in network.trainable_variables)


def test_published_cell_at_its_published_size():
    config = NetworkConfig().for_inference()
    architecture = config.space.parse(ENAS_CELL)
    network = build_network(architecture, (32, 32, 3), 10, config)
    expected = formula(architecture, config, 32, 10)
    assert parameters(network) == expected[0] == 3_894_372
    counted = total(count(plan(config, (32, 32, 3), 10, architecture)))
    assert (counted.parameters, counted.multiply_adds) == expected
    assert config.layer_types.count("reduction") == 2
    assert [config.layer_types[k] for k in (5, 11)] == ["reduction"] * 2


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("layout", ["enas", "ienas"])
def test_any_architecture_has_the_size_of_the_formula(seed, layout):
    config = NetworkConfig(num_nodes=3, filters=4, num_layers=2, layout=layout)
    config = config.for_inference()
    architecture = config.space.draw(np.random.default_rng(seed))
    network = build_network(architecture, (16, 16, 3), 7, config)
    stack = plan(config, (16, 16, 3), 7, architecture)
    counted = total(count(stack))
    counts = counted.parameters, counted.multiply_adds
    assert counts == formula(architecture, config, 16, 7)
    assert parameters(network) == counts[0]
    rows = list_layers(stack)
    assert sum(row.parameters for row in rows) == counts[0]
    assert rows[-2].shape == network.get_layer("last_relu").output.shape[1:]
    boxes, arrows = network_graph(rows)
    assert len(boxes) == len(rows) + 2
    assert {end for _, end in arrows} == set(range(1, len(boxes)))


def reference(network, architecture, config, images):
    """The network computed from its weights with plain TensorFlow."""

    def weights(name):
        return [w.numpy() for w in network.get_layer(name).weights]

    def norm(x, gamma, beta, mean, variance):
        return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    def convolve(x, name, relu=True):
        kernel, *statistics = weights(name)
        x = tf.nn.relu(x) if relu else x
        return norm(tf.nn.conv2d(x, kernel, 1, "SAME"), *statistics)

    def halve(x, name, relu):
        one, two, *statistics = weights(name)
        x = tf.nn.relu(x) if relu else x
        paths = [
            tf.nn.conv2d(x[:, ::2, ::2], one, 1, "SAME"),
            tf.nn.conv2d(x[:, 1::2, 1::2], two, 1, "SAME"),
        ]
        return norm(tf.concat(paths, -1), *statistics)

    def operate(op, x, stride, name):
        if op in (0, 1):
            values = weights(name)
            # Trained weights first, then moving statistics, for each layer.
            for repeat in range(2):
                part = values[6 * repeat : 6 * repeat + 6]
                steps = (1, stride, stride, 1) if repeat == 0 else (1, 1, 1, 1)
                x = tf.nn.relu(x)
                x = tf.nn.depthwise_conv2d(x, part[0], steps, "SAME")
                x = norm(tf.nn.conv2d(x, part[1], 1, "SAME"), *part[2:])
            return x
        if op == 2:
            return tf.nn.avg_pool2d(x, 3, stride, "SAME")
        if op == 3:
            return tf.nn.max_pool2d(x, 3, stride, "SAME")
        return halve(x, name, False) if stride == 2 else x

    x = convolve(images, "stem", relu=False)
    before, last = x, x
    width = config.filters
    for number, kind in enumerate(config.layer_types):
        stride = 2 if kind == "reduction" else 1
        width *= stride
        cell = architecture.cells[stride - 1]
        name = f"layer_{number}"
        if before.shape[1] != last.shape[1]:
            first = halve(before, f"{name}_input_0", True)
        elif before.shape[-1] != width:
            first = convolve(before, f"{name}_input_0")
        else:
            first = before
        second = last
        if last.shape[-1] != width:
            second = convolve(last, f"{name}_input_1")
        tensors = [first, convolve(second, f"{name}_base")]
        for place, node in enumerate(cell.nodes):
            total = 0
            for side, (index, op) in enumerate(node.edges):
                block = f"{name}_node_{place}_{side}_"
                block += config.space.operations[op]
                steps = stride if index < 2 else 1
                total += operate(op, tensors[index], steps, block)
            tensors.append(total)
        ends = [
            halve(tensors[k], f"{name}_end_{k}", False)
            if stride == 2 and k < 2
            else tensors[k]
            for k in cell.loose_ends
        ]
        before, last = last, tf.concat(ends, -1)
    features = tf.reduce_mean(tf.nn.relu(last), axis=[1, 2])
    return features @ weights("classifier")[0]


@pytest.mark.parametrize("seed", range(2))
def test_network_equals_plain_tensorflow(seed):
    config = NetworkConfig(num_nodes=3, filters=4, num_layers=2)
    config = config.for_inference()
    rng = np.random.default_rng(seed)
    architecture = config.space.draw(rng)
    network = build_network(architecture, (8, 8, 2), 5, config)
    for variable in network.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.3 + 0.2)
    for variable in network.non_trainable_variables:
        if "variance" in variable.path:
            variable.assign(rng.uniform(0.5, 2.0, size=variable.shape))
    np.testing.assert_allclose(
        network(IMAGES)["logits"],
        reference(network, architecture, config, IMAGES),
        rtol=1e-3,
        atol=1e-3,
    )


def test_saved_and_loaded_in_safe_mode(tmp_path):
    architecture = SMALL.space.draw(np.random.default_rng(5))
    network = build_network(architecture, (8, 8, 2), 5, SMALL)
    path = tmp_path / "network.keras"
    network.save(path)
    loaded = keras.models.load_model(path, safe_mode=True)
    for name, logits in network(IMAGES).items():
        np.testing.assert_array_equal(loaded(IMAGES)[name], logits)
    assert parameters(loaded) == parameters(network)


def test_runs_under_fit_with_an_auxiliary_head(capsys):
    keras.utils.set_random_seed(0)
    config = NetworkConfig(num_nodes=2, filters=4, num_layers=1)
    architecture = config.space.draw(np.random.default_rng(5))
    network = build_network(architecture, (8, 8, 2), 3, config)
    assert set(network.output) == {"logits", "auxiliary"}
    labels = np.arange(24) % 3
    images = np.random.default_rng(1).normal(size=(24, 8, 8, 2))
    images[..., 0] += labels[:, None, None]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        loss={"logits": loss, "auxiliary": loss},
        loss_weights={"logits": 1.0, "auxiliary": 0.4},
    )
    history = network.fit(
        images,
        {"logits": labels, "auxiliary": labels},
        epochs=6,
        batch_size=24,
        verbose=0,
    ).history["loss"]
    assert history[-1] < history[0]
    network.summary()
    assert "layer_0_base" in capsys.readouterr().out


@pytest.mark.parametrize(
    "size, pooled",
    [(4, 1), (8, 1), (12, 1), (16, 2), (20, 2), (32, 2), (52, 3), (64, 6)],
)
def test_auxiliary_head_is_as_large_as_the_published_map(size, pooled):
    config = NetworkConfig(num_nodes=1, filters=2, num_layers=1)
    architecture = config.space.parse("0 4 1 4 0 4 1 4")
    network = build_network(architecture, (size, size, 1), 3, config)
    kernels = [tuple(w.shape) for w in network.trainable_variables]
    assert [k for k in kernels if len(k) == 4 and k[-1] == 768] == [
        (pooled, pooled, 128, 768)
    ]
    outputs = network(np.zeros((2, size, size, 1), np.float32))
    assert outputs["auxiliary"].shape == (2, 3)


@pytest.mark.parametrize("side, before", [(3, 1), (4, 2), (8, 0), (16, 2)])
def test_auxiliary_pool_averages_pixels_of_the_map_only(side, before):
    maps = np.random.default_rng(0).normal(size=(1, side, side, 2))
    head = enas_head(Map(side, side, 2))
    pooled = auxiliary_head(head, 3, moving_norm)[1](maps).numpy()
    expected = np.empty_like(pooled)
    for row, column in np.ndindex(pooled.shape[1:3]):
        top, left = (max(0, 3 * i - before) for i in (row, column))
        low, right = (3 * i - before + 5 for i in (row, column))
        expected[:, row, column] = maps[:, top:low, left:right].mean((1, 2))
    np.testing.assert_allclose(pooled, expected, atol=1e-6)


def test_drop_path_drops_whole_examples_and_keeps_the_mean():
    keras.utils.set_random_seed(0)
    layer = DropPath(0.6)
    x = np.ones((4000, 2, 2, 3), np.float32)
    # Halfway the chance to be kept is 0.8.
    y = layer(x, tf.constant(0.5), training=True).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.8)}
    assert (y.std((1, 2, 3)) == 0).all()
    assert y.mean() == pytest.approx(1, abs=0.03)
    assert (y[:, 0, 0, 0] > 0).mean() == pytest.approx(0.8, abs=0.02)
    assert not np.array_equal(y, layer(x, tf.constant(0.5), training=True))
    np.testing.assert_array_equal(layer(x, tf.constant(1.0)), x)


def test_drop_path_grows_with_depth_and_spares_identities():
    config = NetworkConfig(num_nodes=1, filters=4, num_layers=1)
    architecture = config.space.parse("0 0 1 4 0 2 1 4")
    network = build_network(architecture, (8, 8, 2), 3, config)
    layers = [x for x in network.layers if isinstance(x, DropPath)]
    assert [layer.name for layer in layers] == [
        "layer_0_node_0_0_avg_pool_3x3_drop_path",
        "layer_1_node_0_0_avg_pool_3x3_drop_path",
        "layer_2_node_0_0_sep_conv_3x3_drop_path",
    ]
    np.testing.assert_allclose(
        [layer.keep_prob for layer in layers],
        [1 - 0.4 / 3, 1 - 0.8 / 3, 0.6],
    )


def test_fused_normalization_equals_keras():
    x = tf.constant(np.random.default_rng(3).normal(2, 3, (5, 4, 4, 6)))
    x = tf.cast(x, tf.float32)
    results = []
    for layer in (
        moving_norm(),
        FusedBatchNormalization(momentum=0.9, epsilon=1e-5),
    ):
        layer.build(x.shape)
        layer.gamma.assign(np.linspace(0.5, 2, 6))
        layer.beta.assign(np.linspace(-1, 1, 6))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(tf.sin(y))
        sources = [x, layer.gamma.value, layer.beta.value]
        results.append(
            [
                y,
                *tape.gradient(loss, sources),
                layer.moving_mean.value,
                layer.moving_variance.value,
                layer(x, training=False),
            ]
        )
    for keras_value, fused_value in zip(*results, strict=True):
        np.testing.assert_allclose(
            fused_value, keras_value, rtol=1e-4, atol=2e-5
        )


def test_halving_keeps_every_second_pixel_of_both_grids():
    block = halving(1, 2)
    for variable in block.trainable_variables:
        variable.assign(np.ones(variable.shape))
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    y = block(x).numpy()
    np.testing.assert_array_equal(y[0, ..., 0], x[0, ::2, ::2, 0])
    np.testing.assert_array_equal(y[0, ..., 1], x[0, 1::2, 1::2, 0])
    # No convolution may have a stride: see the docstring of `halving`.
    layers = block.layers
    convolutions = [x for x in layers if isinstance(x, keras.layers.Conv2D)]
    assert [x.strides for x in convolutions] == [(1, 1), (1, 1)]


def test_bad_sizes_are_refused():
    architecture = SMALL.space.draw(np.random.default_rng(0))
    with pytest.raises(InputError, match="multiples of 4"):
        build_network(architecture, (10, 10, 1), 3, SMALL)
    other = CellSpace(num_nodes=3).draw(np.random.default_rng(0))
    with pytest.raises(InputError, match="16 integers"):
        build_network(other, (8, 8, 1), 3, SMALL)
    for wrong in ({"filters": 5}, {"num_layers": 0}, {"keep_prob": 0.0}):
        with pytest.raises(InputError, match=f"--{next(iter(wrong))}"):
            NetworkConfig(**wrong)
