import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.operations.base import Operation
from nascore.networks.operations.catalogue import OPERATIONS
from nascore.networks.operations.compiled_cell import CompiledCell
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import batch_norm
from nascore.networks.shared_cell import SharedCell
from nascore.spaces.cells import CellSpace

CHANNELS = 4
SHAPE = (3, 8, 8, CHANNELS)
SPACE = CellSpace()


def make_cell(space=SPACE):
    cell = SharedCell(CHANNELS, space, CompiledCell(space))
    cell.build(None)
    rng = np.random.default_rng(5)
    for weight in cell.weights:
        weight.assign(rng.normal(size=weight.shape))
    return cell


def inputs(seed=0):
    return [
        tf.random.stateless_normal(SHAPE, [seed, place]) for place in (1, 2)
    ]


def slots_of(cell, node, place, index):
    """The weights an edge uses, found by the documented row order."""
    row = 0
    for earlier in range(node):
        row += 2 * (earlier + 2)
    row += place * (node + 2) + index
    found, start = {}, 0
    for name, operation in cell.operations.items():
        count = len(operation.weight_specs(CHANNELS))
        found[name] = [w.value[row] for w in cell.slots[start : start + count]]
        start += count
    return found


def plain_cell(cell, space, x0, x1, nodes):
    """The cell in eager TensorFlow, by its definition."""
    tensors = [x0, x1]
    for number, node in enumerate(nodes):
        terms = []
        for place, (index, op) in enumerate(node.edges):
            name = space.operations[op]
            slot = slots_of(cell, number, place, index)[name]
            terms.append(OPERATIONS[name].apply(tensors[index], slot))
        tensors.append(terms[0] + terms[1])
    used = {index for node in nodes for index, _ in node.edges}
    kernels = cell.loose_end_kernels.value
    loose = [i for i in range(len(tensors)) if i not in used]
    joined = tf.concat([tf.nn.relu(tensors[i]) for i in loose], axis=-1)
    kernel = tf.concat([kernels[i] for i in loose], axis=2)
    output = tf.nn.conv2d(joined, kernel, 1, "SAME")
    return batch_norm(output, cell.norm.scale.value, cell.norm.offset.value)


def value_and_gradients(function, sources):
    with tf.GradientTape() as tape:
        tape.watch(sources)
        output = function()
        total = tf.reduce_sum(output * tf.cos(10 * output))
    gradients = tape.gradient(total, sources, unconnected_gradients="zero")
    return output, [tf.convert_to_tensor(g) for g in gradients]


@pytest.mark.parametrize("seed", range(6))
def test_cell_and_its_gradients_equal_the_plain_composition(seed):
    cell = make_cell()
    architecture = SPACE.draw(np.random.default_rng(seed))
    x0, x1 = inputs(seed)
    sources = [x0, x1, *(weight.value for weight in cell.weights)]
    nodes = architecture.cells[0].nodes
    values = tf.constant(architecture.to_array()[0])

    @tf.function
    def ours():
        return value_and_gradients(lambda: cell(x0, x1, values), sources)

    output, gradients = ours()
    expected, wanted = value_and_gradients(
        lambda: plain_cell(cell, SPACE, x0, x1, nodes), sources
    )
    np.testing.assert_allclose(output, expected, atol=1e-4)
    for gradient, other in zip(gradients, wanted, strict=True):
        scale = np.abs(other).max() + 1e-3
        np.testing.assert_allclose(gradient / scale, other / scale, atol=1e-3)


def test_gradients_only_in_the_slots_of_the_architecture():
    cell = make_cell()
    architecture = SPACE.draw(np.random.default_rng(3))
    x0, x1 = inputs()
    sources = [weight.value for weight in cell.slots]
    _, gradients = value_and_gradients(
        lambda: cell(x0, x1, tf.constant(architecture.to_array()[0])), sources
    )
    row, chosen = 0, {}
    for number, node in enumerate(architecture.cells[0].nodes):
        for index, op in node.edges:
            chosen[row + index] = SPACE.operations[op]
            row += number + 2
    assert row == cell.num_slots
    start = 0
    for name, operation in cell.operations.items():
        rows = {r for r, op in chosen.items() if op == name}
        for _ in operation.weight_specs(CHANNELS):
            flat = np.reshape(gradients[start], (cell.num_slots, -1))
            touched = set(np.flatnonzero(np.abs(flat).max(1)))
            assert touched <= rows
            start += 1
    # Node 4 is always a loose end, so its own edges do get a gradient.
    assert start == len(gradients)


def test_unused_operations_do_not_run():
    ran = []

    class Recorder(Operation):
        def __init__(self, name):
            self.name = name

        def apply(self, x, weights):
            def note():
                ran.append(self.name)
                return np.float32(1)

            return x * tf.numpy_function(note, [], tf.float32)

        def discrete(self, channels, strides, normalization):
            raise AssertionError("not needed")

    edge = Edge([Recorder("a"), Recorder("b")])
    x = tf.ones(SHAPE)
    edge.forward(tf.constant(1), x)
    assert ran == ["b"]


def test_one_trace_for_a_hundred_cells():
    cell = make_cell()
    x0, x1 = inputs()

    @tf.function
    def run(values):
        return tf.reduce_sum(cell(x0, x1, values) ** 3)

    rng = np.random.default_rng(0)
    results = {
        float(run(tf.constant(values)))
        for values in SPACE.sample(rng, 100)[:, :20].reshape(100, 5, 4)
    }
    assert run.experimental_get_tracing_count() == 1
    assert len(results) > 90


def test_layers_of_one_size_share_one_trace():
    compiled = CompiledCell(SPACE)
    cells = [SharedCell(CHANNELS, SPACE, compiled) for _ in range(3)]
    for cell in cells:
        cell.build(None)
    x0, x1 = inputs()
    values = tf.zeros([5, 4], tf.int32)

    @tf.function
    def run():
        with tf.GradientTape() as tape:
            x = x0
            for cell in cells:
                x = cell(x, x1, values)
            y = cells[0](x[:, ::2], x1[:, ::2], values)
        weights = [w.value for cell in cells for w in cell.weights]
        gradients = tape.gradient(y, weights)
        return sum(gradient is not None for gradient in gradients)

    assert run() == 3 * len(cells[0].weights)
    for function in (compiled.forward, compiled.backward):
        assert function.experimental_get_tracing_count() == 2


def test_a_new_operation_needs_only_an_entry(monkeypatch):
    class Double(Operation):
        def apply(self, x, weights):
            return 2 * x

        def discrete(self, channels, strides, normalization):
            raise AssertionError("not needed")

    monkeypatch.setitem(OPERATIONS, "double", Double())
    space = CellSpace(("double", "identity"), 1, ("normal",))
    cell = make_cell(space)
    x0, x1 = inputs()
    ours = cell(x0, x1, tf.constant([[0, 0, 0, 1]]))
    kernels = cell.loose_end_kernels.value
    expected = tf.nn.conv2d(tf.nn.relu(x1), kernels[1], 1, "SAME")
    expected += tf.nn.conv2d(tf.nn.relu(3 * x0), kernels[2], 1, "SAME")
    expected = batch_norm(
        expected, cell.norm.scale.value, cell.norm.offset.value
    )
    np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("slot_init", ["code", "kernel"])
def test_initial_deviations(slot_init):
    cell = SharedCell(32, SPACE, CompiledCell(SPACE), slot_init)
    cell.build(None)
    by_name = {weight.name: weight.numpy() for weight in cell.slots}
    pointwise = by_name["sep_conv_5x5_pointwise_0"]
    depthwise = by_name["sep_conv_5x5_depthwise_1"]
    # The last node has two times six slots at the end, the first node two
    # times two at the beginning.
    for rows, slots in ((slice(-12, None), 6), (slice(0, 4), 2)):
        expected = {"code": (slots, slots), "kernel": (32, 25)}[slot_init]
        for kernel, fan_in in zip(
            (pointwise, depthwise), expected, strict=True
        ):
            deviation = np.std(kernel[rows])
            assert deviation == pytest.approx((2 / fan_in) ** 0.5, rel=0.04)
    fan_in = {"code": 7, "kernel": 32}[slot_init]
    deviation = np.std(cell.loose_end_kernels)
    assert deviation == pytest.approx((2 / fan_in) ** 0.5, rel=0.04)
    assert (by_name["sep_conv_3x3_scale_0"] == 1).all()
    assert (by_name["sep_conv_3x3_offset_0"] == 0).all()
