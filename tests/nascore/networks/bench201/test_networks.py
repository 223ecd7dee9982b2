"""Cell, supernet and discrete network of NAS-Bench-201."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.evaluators.nasbench201.table import multiply_adds, parameters
from nascore.networks import costs
from nascore.networks.bench201.cell import (
    Bench201SharedCell,
    live_operations,
)
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.bench201.supernet import (
    OPTIONS,
    Bench201Supernet,
    describe_layers,
)
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import LOGITS, build_network
from nascore.networks.layers import BatchStatisticsNorm
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.operations.edge import Edge
from nascore.networks.stack import plan
from nascore.spaces.bench201 import EDGES, OPERATIONS, Bench201Space, rows_of

SPACE = Bench201Space()
SMALL = Bench201SupernetConfig(filters=4, num_layers=1)
TABLE = {"layout": "bench201", "filters": 16, "num_layers": 5}
OFF = {"keep_prob": 1.0, "drop_path_keep_prob": 1.0, "aux_weight": 0.0}
SKIP, CONV_1, CONV_3, POOL = range(1, 5)
# All operations; and one whose first node leads nowhere.
ROWS = {
    "all": [CONV_3, CONV_1, POOL, SKIP, 0, CONV_3],
    "convolutions": [CONV_1, CONV_3, CONV_3, CONV_1, CONV_3, CONV_1],
    "dead_end": [CONV_3, POOL, 0, SKIP, 0, CONV_1],
    "cut": [0, 0, CONV_3, CONV_3, CONV_1, POOL],
    "nothing": [CONV_3, CONV_3, 0, 0, 0, 0],
}


@pytest.fixture(scope="module")
def cell():
    made = find_operations(OPERATIONS, OPTIONS)
    layer = Bench201SharedCell(4, made, Edge(made))
    layer.build((None, 6, 6, 4))
    for place, slot in enumerate(layer.slots):
        slot.assign(tf.random.stateless_normal(slot.shape, [7, place]))
    return layer


def plain_cell(layer, x, row):
    """Every operation of every edge, as the benchmark's code composes it."""
    nodes = [x]
    sums = [0.0] * 4
    for place, (start, end) in enumerate(EDGES):
        if start == len(nodes):
            nodes.append(sums[start])
        source, name = nodes[start], OPERATIONS[row[place]]
        if name == "none":
            made = 0.0 * source
        elif name == "skip_connect":
            made = source
        elif name == "avg_pool_3x3":
            made = tf.nn.avg_pool2d(source, 3, 1, "SAME")
        else:
            kernel = layer.slots[name == "nor_conv_3x3"].value[place]
            made = tf.nn.conv2d(tf.nn.relu(source), kernel, 1, "SAME")
            mean, variance = tf.nn.moments(made, [0, 1, 2])
            made = (made - mean) * tf.math.rsqrt(variance + 1e-5)
        sums[end] = sums[end] + made
    return sums[-1]


@pytest.mark.parametrize("name", ROWS)
def test_cell_and_gradients_equal_the_plain_composition(cell, name):
    row = ROWS[name]
    x = tf.random.stateless_normal([3, 6, 6, 4], [1, 2])
    upstream = tf.random.stateless_normal([3, 6, 6, 4], [3, 4])
    sources = [x, *(slot.value for slot in cell.slots)]
    found = []
    for run in (
        lambda: cell([x], tf.constant(row))[-1],
        lambda: plain_cell(cell, x, row),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = run()
        grads = tape.gradient(
            output, sources, upstream, unconnected_gradients="zero"
        )
        found.append([output, *map(tf.convert_to_tensor, grads)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)


def test_what_makes_no_difference_does_not_run():
    rows = rows_of(np.random.default_rng(0).integers(0, 15625, 60))
    for row in [*ROWS.values(), *rows.tolist()]:
        # By walking all ways from the input to the output.
        used = set()
        ways = [[0]]
        while ways:
            way = ways.pop()
            if way[-1] == 3:
                used |= set(zip(way, way[1:], strict=False))
            ways += [
                [*way, end]
                for (start, end), op in zip(EDGES, row, strict=True)
                if start == way[-1] and op
            ]
        expected = [
            op if edge in used else 0
            for edge, op in zip(EDGES, row, strict=True)
        ]
        found = [int(op) for op in live_operations(tf.constant(row))]
        assert found == expected


def test_one_trace_for_all_cells(cell):
    traced = []

    @tf.function(
        input_signature=[
            tf.TensorSpec([2, 6, 6, 4]),
            tf.TensorSpec([6], tf.int32),
        ]
    )
    def run(x, row):
        traced.append(1)
        return tf.reduce_sum(cell([x], row)[-1] ** 2)

    x = tf.random.stateless_normal([2, 6, 6, 4], [1, 2])
    values = {float(run(x, tf.constant(row))) for row in ROWS.values()}
    assert len(values) == len(ROWS) and 0.0 in values
    assert len(traced) == 1


@pytest.fixture(scope="module")
def supernet():
    return Bench201Supernet(SMALL, (8, 8, 3), 5)


@pytest.mark.parametrize("name", ["all", "dead_end"])
def test_supernet_equals_the_discrete_network(supernet, name):
    row = ROWS[name]
    settings = NetworkConfig(
        layout="bench201", filters=4, num_layers=1, padding="torch", **OFF
    )
    network = build_network(
        SPACE.decode(np.array(row)), (8, 8, 3), 5, settings, BatchStatisticsNorm
    )
    names = [OPERATIONS[place] for place in row]
    values = {
        "stem": supernet.stem,
        "last_norm": supernet.last_norm,
        "classifier": supernet.classifier,
    }
    shared = {}
    for number, blocks in enumerate(supernet.blocks):
        if len(blocks) == 2:
            values[f"layer_{number}_branch"] = blocks[0]
            values[f"layer_{number}_shortcut"] = blocks[1]
            continue
        for place, (start, end) in enumerate(EDGES):
            if "conv" in names[place]:
                slot = blocks[0].slots[names[place] == "nor_conv_3x3"]
                block = f"layer_{number}_edge_{start}_{end}_{names[place]}"
                shared[block] = slot.value[place]
    for block, layer in values.items():
        network.get_layer(block).set_weights(layer.get_weights())
    for block, kernel in shared.items():
        # Scale and offset stay at 1 and 0.
        network.get_layer(block).trainable_variables[0].assign(kernel)
    images = tf.random.stateless_normal([4, 8, 8, 3], [5, 6])
    ours, auxiliary = supernet(images, tf.constant(row))
    assert auxiliary is None
    theirs = network(images)[LOGITS]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("code", [0, 1835, 15624, 9930])
def test_networks_of_the_table_have_its_parameters(code):
    cell = SPACE.decode(rows_of(np.array(code)))
    config = NetworkConfig(**TABLE, **OFF)
    stack = plan(config, (32, 32, 3), 10, cell)
    counted = costs.total(costs.count(stack))
    assert counted.parameters == parameters()[code]
    # The table counts the classifier's ten biases.
    assert counted.multiply_adds + 10 == multiply_adds()[code]


def test_what_is_counted_is_what_is_built(supernet):
    cell = SPACE.decode(np.array(ROWS["dead_end"]))
    config = NetworkConfig(layout="bench201", filters=4, num_layers=2, **OFF)
    network = build_network(cell, (8, 8, 1), 3, config)
    stack = plan(config, (8, 8, 1), 3, cell)
    trained = sum(np.prod(v.shape) for v in network.trainable_variables)
    assert costs.total(costs.count(stack)).parameters == trained
    parts = costs.count(supernet.stack)
    assert costs.total(parts).parameters == supernet.count_params()
    listed = describe_layers(supernet)
    assert sum(row["parameters"] for row in listed) == supernet.count_params()
    assert [row["name"] for row in listed][-1] == "classifier"
    # A convolution keeps a map that a skip does not; three nodes' sums.
    skips = SPACE.decode(np.full(6, SKIP))
    kept = [
        costs.count(supernet.stack, run)["layer_0"].kept
        for run in (skips, SPACE.decode(np.full(6, CONV_1)), None)
    ]
    assert kept == [3 * 256, 9 * 256, 9 * 256]


def test_half_precision_gives_nearly_the_same(supernet):
    keras.utils.set_random_seed(3)
    half = Bench201Supernet(
        Bench201SupernetConfig(filters=4, num_layers=1, precision="bfloat16"),
        (8, 8, 3),
        5,
    )
    assert {v.dtype for v in half.trainable_variables} == {"float32"}
    for ours, theirs in zip(half.weights, supernet.weights, strict=True):
        ours.assign(theirs)
    images = tf.random.stateless_normal([4, 8, 8, 3], [5, 6])
    row = tf.constant(ROWS["all"])
    np.testing.assert_allclose(
        half(images, row)[0], supernet(images, row)[0], atol=0.1
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: Bench201Supernet(SMALL, (10, 10, 1), 3),
            "cannot be halved by 2 reductions",
        ),
        (
            lambda: NetworkConfig(layout="bench201"),
            "--layout=bench201 has nothing for --drop_path_keep_prob=0.6",
        ),
        (
            lambda: Bench201SupernetConfig(num_layers=0),
            "--num_layers=0 must be a number from 1 to 100",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()
