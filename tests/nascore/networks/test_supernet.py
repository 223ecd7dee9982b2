import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.config import SupernetConfig
from nascore.networks.layers import BatchStatisticsNorm
from nascore.networks.operations.catalogue import OPERATIONS
from nascore.networks.operations.kernels import batch_norm
from nascore.networks.stack import check_image_size
from nascore.networks.supernet import Supernet, describe_layers

CONFIG = SupernetConfig(filters=4, num_layers=2, num_nodes=3)
IMAGE = (16, 16, 1)


@pytest.fixture(scope="module")
def supernet():
    return Supernet(CONFIG, IMAGE, 10)


def discrete_logits(supernet, images, architecture):
    """The network of one architecture, of discrete Keras layers.

    It shares nothing with the supernet but the values of the weights, and
    it follows the published layout: stem, then cells on the calibrated
    outputs of the two layers before.
    """
    space = supernet.space

    def conv_norm(layer, x):
        kernel = layer.convolution.kernel.value
        x = tf.nn.conv2d(tf.nn.relu(x), kernel, 1, "SAME")
        return batch_norm(x, layer.norm.scale.value, layer.norm.offset.value)

    def reduce(layer, x):
        first, second = (path.kernel.value for path in layer.paths)
        halves = [
            tf.nn.conv2d(x[:, ::2, ::2], first, 1, "SAME"),
            tf.nn.conv2d(x[:, 1::2, 1::2], second, 1, "SAME"),
        ]
        x = tf.concat(halves, -1)
        return batch_norm(x, layer.norm.scale.value, layer.norm.offset.value)

    def run_cell(layer, cell, before, last):
        tensors = [before, last]
        offset = 0
        for number, node in enumerate(cell.nodes):
            terms = []
            for index, op in node.edges:
                discrete = keras.Sequential(
                    OPERATIONS[space.operations[op]].discrete(
                        layer.channels, 1, BatchStatisticsNorm
                    )
                    or [keras.layers.Identity()]
                )
                discrete.build(before.shape)
                start = 0
                for name in space.operations[:op]:
                    start += len(OPERATIONS[name].weight_specs(1))
                count = len(discrete.get_weights())
                discrete.set_weights(
                    [
                        w.value[offset + index]
                        for w in layer.slots[start : start + count]
                    ]
                )
                terms.append(discrete(tensors[index]))
                offset += number + 2
            tensors.append(terms[0] + terms[1])
        ends = cell.loose_ends
        kernels = layer.loose_end_kernels.value
        joined = tf.nn.relu(tf.concat([tensors[i] for i in ends], -1))
        kernel = tf.concat([kernels[i] for i in ends], 2)
        x = tf.nn.conv2d(joined, kernel, 1, "SAME")
        return batch_norm(x, layer.norm.scale.value, layer.norm.offset.value)

    stem = supernet.stem
    x = tf.nn.conv2d(images, stem.convolution.kernel.value, 1, "SAME")
    x = batch_norm(x, stem.norm.scale.value, stem.norm.offset.value)
    before, last = x, x
    for number, name in enumerate(supernet.config.layer_types):
        cell = architecture.cells[("normal", "reduction").index(name)]
        calibration = supernet.calibrations[number]
        if name == "reduction":
            before = last
            last = reduce(supernet.reductions[number], last)
            first = reduce(calibration[0], tf.nn.relu(before))
        else:
            first = before
            if before.shape[-1] != last.shape[-1] or number == 0:
                first = conv_norm(calibration[0], before)
        second = last
        if number == 0 and name == "normal":
            second = conv_norm(calibration[1], last)
        before, last = (
            last,
            run_cell(supernet.cells[number], cell, first, second),
        )
    features = tf.reduce_mean(tf.nn.relu(last), [1, 2])
    return features @ supernet.classifier.kernel.value


@pytest.mark.parametrize(
    ("layout", "count"),
    [
        ({"num_layers": 2}, 20),
        ({"num_normal_cells": 3, "num_reduction_cells": 1}, 10),
    ],
)
def test_supernet_equals_the_discrete_network(layout, count):
    rng = np.random.default_rng(0)
    config = SupernetConfig(filters=4, num_nodes=3, **layout)
    supernet = Supernet(config, IMAGE, 10)
    images = tf.constant(rng.normal(size=(4, *IMAGE)).astype(np.float32))
    run = tf.function(lambda values: supernet(images, values)[0])
    for _ in range(count):
        architecture = supernet.space.draw(rng)
        ours = run(tf.constant(architecture.to_array()))
        expected = discrete_logits(supernet, images, architecture)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(ours / scale, expected / scale, atol=1e-4)
    assert run.experimental_get_tracing_count() == 1


def test_published_code_layout():
    layout = SupernetConfig(num_layers=6).layer_types
    assert [n for n, t in enumerate(layout) if t == "reduction"] == [1, 3, 6]
    assert len(layout) == 8
    assert SupernetConfig(num_layers=6).aux_layer == 4


def test_paper_layout_has_six_normal_and_three_reduction_cells():
    config = SupernetConfig(num_normal_cells=6, num_reduction_cells=3)
    block = ("normal", "normal", "reduction")
    assert config.layer_types == block * 3
    assert config.aux_layer == 6
    uneven = SupernetConfig(num_normal_cells=3, num_reduction_cells=2)
    assert uneven.layer_types == (
        *("normal", "normal", "reduction"),
        *("normal", "reduction"),
    )
    flat = SupernetConfig(num_normal_cells=3, num_reduction_cells=0)
    assert flat.layer_types == ("normal",) * 3
    assert flat.aux_layer is None


def count_cell(channels, nodes):
    """Weights of a cell, counted by hand from the description."""
    rows = sum(2 * (node + 2) for node in range(nodes))
    slot = sum(
        2 * (size * size * channels + channels**2 + 2 * channels)
        for size in (3, 5)
    )
    return rows * slot + (nodes + 2) * channels**2 + 2 * channels


def test_parameters_by_hand(supernet):
    # Layout R R R N, widths 8 16 32 32, sizes 8 4 2 2.
    assert CONFIG.layer_types == ("reduction",) * 3 + ("normal",)
    total = 9 * 12 + 2 * 12  # Stem: 3x3 from 1 to 12 channels.
    before = 12
    for width in (8, 16, 32):
        total += count_cell(width, 3)
        # The reduction of the layer's input and that of the layer before.
        total += 2 * (before * width + 2 * width)
        before = width
    total += count_cell(32, 3)
    total += 32 * 10
    # Auxiliary head on layer 2, a 2x2 map pooled to 1x1.
    total += 32 * 128 + 2 * 128 + 128 * 768 + 2 * 768 + 768 * 10
    assert supernet.count_params() == total
    rows = describe_layers(supernet)
    assert sum(row["parameters"] for row in rows) == total
    assert rows[-1]["output_shape"] == [10]
    cells = [row for row in rows if row["type"] == "SharedCell"]
    assert [row["output_shape"] for row in cells] == [
        [8, 8, 8],
        [4, 4, 16],
        [2, 2, 32],
        [2, 2, 32],
    ]


def test_auxiliary_head_is_trained_and_only_in_training(supernet):
    images = tf.ones([2, *IMAGE])
    values = tf.zeros(supernet.space.array_shape, tf.int32)
    assert supernet(images, values)[1] is None
    images = tf.random.stateless_normal([4, *IMAGE], [1, 2])
    weights = [w.value for w in supernet.aux_head.trainable_variables]
    with tf.GradientTape() as tape:
        _, aux_logits = supernet(images, values, training=True)
        total = tf.reduce_sum(tf.nn.log_softmax(aux_logits)[:, 0])
    assert aux_logits.shape == (4, 10)
    assert len(weights) == 7
    for gradient in tape.gradient(total, weights):
        assert gradient is not None
    trained = {id(w) for w in supernet.trainable_variables}
    assert all(id(w) in trained for w in supernet.aux_head.trainable_variables)


@pytest.mark.parametrize("size, pooled", [(8, 1), (16, 2), (32, 2), (64, 6)])
def test_auxiliary_head_is_as_large_as_the_published_map(size, pooled):
    config = SupernetConfig(
        filters=2, num_layers=5, num_nodes=1, operations="identity"
    )
    head = Supernet(config, (size, size, 1), 10).aux_head
    maps = tf.zeros([1, size // 4, size // 4, 8])
    assert head.layers[1](maps).shape[1:3] == (pooled, pooled)
    assert head.layers[5].kernel.shape == (pooled, pooled, 128, 768)
    assert head(maps).shape == (1, 10)


def test_dropout_is_a_function_of_its_seed(supernet):
    images = tf.random.stateless_normal([4, *IMAGE], [1, 2])
    values = tf.zeros(supernet.space.array_shape, tf.int32)

    def logits(*seed):
        given = tf.constant(seed) if seed else None
        return supernet(images, values, seed=given)[0].numpy()

    np.testing.assert_array_equal(logits(1, 2), logits(1, 2))
    assert np.abs(logits(1, 2) - logits(1, 3)).max() > 0
    np.testing.assert_array_equal(logits(), logits())


def test_a_single_cell_type_serves_all_layers():
    class OneCell(SupernetConfig):
        @property
        def space(self):
            from nascore.spaces.cells import CellSpace

            return CellSpace(("identity", "none"), 2, ("normal",))

    supernet = Supernet(OneCell(filters=4, num_layers=2), IMAGE, 3)
    values = tf.zeros(supernet.space.array_shape, tf.int32)
    assert supernet(tf.ones([2, *IMAGE]), values)[0].shape == (2, 3)


def test_image_size_must_survive_the_reductions():
    with pytest.raises(InputError) as error:
        check_image_size(SupernetConfig().layer_types, (28, 28, 1))
    assert "multiples of 8: set --image_size=32" in str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"filters": 7}, "--filters=7 must be even"),
        ({"filters": -2}, "--filters=-2 must be a number from 2"),
        ({"keep_prob": float("nan")}, "--keep_prob=nan must be"),
        ({"num_nodes": 0}, "--num_nodes=0 must be"),
        ({"operations": "identity,identity"}, "names must be distinct"),
        ({"operations": ""}, "at least one"),
    ],
)
def test_impossible_settings_are_refused(fields, message):
    with pytest.raises(InputError) as error:
        SupernetConfig(**fields)
    assert message in str(error.value)


def test_bfloat16_computes_nearly_the_same_and_keeps_float32_weights():
    outputs, grads = [], []
    for precision in ("float32", "bfloat16"):
        keras.utils.set_random_seed(1)
        config = dataclasses.replace(CONFIG, precision=precision)
        supernet = Supernet(config, IMAGE, 10)
        weights = [v.value for v in supernet.trainable_variables]
        assert {weight.dtype for weight in weights} == {tf.float32}
        row = config.space.sample(np.random.default_rng(3), 1)[0]
        values = row.reshape(config.space.array_shape)
        x = tf.random.stateless_normal([32, *IMAGE], [1, 2])
        with tf.GradientTape() as tape:
            logits, _ = supernet(x, tf.constant(values), training=True)
            total = tf.reduce_sum(logits**2)
        assert logits.dtype == tf.float32
        outputs.append(logits.numpy())
        grads.append(tape.gradient(total, supernet.classifier.kernel.value))
    assert keras.config.dtype_policy().name == "float32"
    scale = np.abs(outputs[0]).max()
    np.testing.assert_allclose(outputs[1], outputs[0], atol=0.1 * scale)
    assert np.abs(outputs[1] - outputs[0]).max() > 0
    assert grads[1].dtype == tf.float32
