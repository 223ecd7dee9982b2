"""The gradients that are written out against automatic ones."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.operations.catalogue import OPERATIONS
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import mix

CHANNELS = 6


def random_slots(rng):
    return [
        tf.constant(rng.normal(size=spec.shape), tf.float32)
        for operation in OPERATIONS.values()
        for spec in operation.weight_specs(CHANNELS)
    ]


@pytest.fixture(scope="module")
def edge():
    return Edge(list(OPERATIONS.values()))


@pytest.mark.parametrize("name", list(OPERATIONS))
def test_output_and_gradients_equal_those_of_the_plain_operation(edge, name):
    rng = np.random.default_rng(0)
    x, upstream = (
        tf.constant(rng.normal(size=(3, 9, 8, CHANNELS)), tf.float32)
        for _ in range(2)
    )
    weights = random_slots(rng)
    start = 0
    for other, operation in OPERATIONS.items():
        own = slice(start, start + len(operation.weight_specs(CHANNELS)))
        if other == name:
            break
        start = own.stop
    sources = [x, *weights[own]]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        expected = OPERATIONS[name].apply(x, weights[own])
    expected_grads = tape.gradient(
        expected, sources, upstream, unconnected_gradients="zero"
    )
    op = tf.constant(list(OPERATIONS).index(name))
    output, *kept = edge.forward(op, x, *weights)
    np.testing.assert_allclose(output, expected, atol=1e-5)
    x_grad, *grads = edge.gradient(op, upstream, x, weights, kept)
    for ours, theirs in zip([x_grad, *grads[own]], expected_grads, strict=True):
        scale = float(tf.reduce_max(tf.abs(theirs))) + 1e-6
        np.testing.assert_allclose(ours / scale, theirs / scale, atol=2e-5)
    for place, grad in enumerate(grads):
        if not own.start <= place < own.stop:
            assert not np.any(grad)


def test_one_trace_for_all_operations(edge):
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=(2, 4, 4, CHANNELS)), tf.float32)
    weights = random_slots(rng)
    before = [
        function.experimental_get_tracing_count()
        for function in (edge.forward, edge.gradient)
    ]

    @tf.function(autograph=False)
    def run(op):
        _, *kept = edge.forward(op, x, *weights)
        return edge.gradient(op, x, x, weights, kept)[0]

    for number in range(len(OPERATIONS)):
        run(tf.constant(number))
    after = [
        function.experimental_get_tracing_count()
        for function in (edge.forward, edge.gradient)
    ]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]


def test_mix_is_a_1x1_convolution():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 3, 5, 4)).astype(np.float32)
    kernel = rng.normal(size=(1, 1, 4, 7)).astype(np.float32)
    ours = mix(tf.constant(x), tf.constant(kernel))
    np.testing.assert_allclose(ours, x @ kernel[0, 0], atol=1e-5)
