"""The highway cell against NumPy, its gradient against differences."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.recurrent.cell import HighwayCell
from nascore.networks.recurrent.config import slots
from nascore.spaces.recurrent import RecurrentSpace

UNITS, BATCH, STEPS = 3, 2, 3
FUNCTIONS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "identity": lambda x: x,
}


def normalize(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


def highway(before, product, function):
    gate, new = np.split(product, 2, axis=-1)
    return before + FUNCTIONS["sigmoid"](gate) * (function(new) - before)


def reference(space, cell, weights, inputs, mask, sharing, settle=lambda x: x):
    """States of one cell, as the papers have it; float64."""
    first, *nodes = weights
    state, states = inputs["state"], []
    names, count = space.functions, len(space.functions)
    for x in inputs["products"]:
        product = x + (state * mask) @ first[UNITS:]
        made = [settle(highway(state, product, FUNCTIONS[names[cell.first]]))]
        for weight, (source, place) in zip(nodes, cell.nodes, strict=True):
            slot = {"choice": source * count + place, "input": source}
            matrix = weight[slot.get(sharing, 0)]
            product = (made[source] * mask) @ matrix
            function = FUNCTIONS[names[place]]
            made.append(settle(highway(made[source], product, function)))
        state = np.mean([made[node] for node in space.joined(cell)], axis=0)
        states.append(state)
    return np.stack(states)


def make(space, sharing, normalized=False):
    rng = np.random.default_rng(5)

    def weight(shape, name):
        return tf.Variable(rng.normal(size=shape).astype(np.float32))

    cell = HighwayCell(space, UNITS, sharing, normalized, weight)
    inputs = {
        "products": rng.normal(size=(STEPS, BATCH, 2 * UNITS)),
        "state": rng.normal(size=(BATCH, UNITS)),
    }
    mask = rng.integers(0, 2, size=(BATCH, UNITS)) * 1.5
    return cell, inputs, mask, rng.normal(size=(STEPS, BATCH, UNITS))


def tensors(inputs):
    return {name: tf.constant(x, tf.float32) for name, x in inputs.items()}


KINDS = [
    ("choice", RecurrentSpace(num_nodes=3)),
    ("input", RecurrentSpace(num_nodes=4, output="ends")),
    ("node", RecurrentSpace(("tanh", "relu"), 3, "chosen")),
]


@pytest.fixture(scope="module", params=KINDS, ids=[k for k, _ in KINDS])
def traced(request):
    """States and gradients of three cells, by one trace for all of them."""
    sharing, space = request.param
    cell, inputs, mask, upstream = make(space, sharing)
    rows = space.sample(np.random.default_rng(7), 3)
    given = tensors(inputs)
    drop, onto = (tf.constant(x, tf.float32) for x in (mask, upstream))

    @tf.function(autograph=False)
    def run(row):
        with tf.GradientTape() as tape:
            tape.watch(given)
            states, last = cell.chosen(row)(
                given["products"], given["state"], drop
            )
            loss = tf.reduce_sum(states * onto) + tf.reduce_sum(last)
        found = tape.gradient(loss, [*cell.weights, *given.values()])
        return states, [tf.convert_to_tensor(gradient) for gradient in found]

    found = [run(tf.constant(row)) for row in rows]
    assert run.experimental_get_tracing_count() == 1
    return sharing, space, cell, inputs, mask, upstream, rows, found


def test_a_chosen_cell_is_the_papers(traced):
    sharing, space, cell, inputs, mask, _, rows, found = traced
    weights = [weight.numpy().astype(float) for weight in cell.weights]
    for row, (states, _) in zip(rows, found, strict=True):
        wanted = reference(
            space, space.decode(row), weights, inputs, mask, sharing
        )
        np.testing.assert_allclose(states, wanted, rtol=1e-4, atol=1e-5)


def test_the_written_out_gradient_is_that_of_differences(traced):
    sharing, space, cell, inputs, mask, upstream, rows, found = traced
    architecture, (_, gradients) = space.decode(rows[0]), found[0]
    weights = [weight.numpy().astype(float) for weight in cell.weights]
    rng = np.random.default_rng(0)

    def loss():
        states = reference(space, architecture, weights, inputs, mask, sharing)
        return np.sum(states * upstream) + np.sum(states[-1])

    arrays = [*weights, *inputs.values()]
    for array, gradient in zip(arrays, gradients, strict=True):
        flat = array.reshape(-1)
        for place in rng.choice(flat.size, min(25, flat.size), False):
            kept = flat[place]
            flat[place] = kept + 1e-6
            above = loss()
            flat[place] = kept - 1e-6
            slope = (above - loss()) / 2e-6
            flat[place] = kept
            own = np.asarray(gradient).reshape(-1)[place]
            np.testing.assert_allclose(own, slope, rtol=2e-3, atol=2e-4)


def test_a_fixed_cell_is_the_chosen_one(traced):
    _, space, cell, inputs, mask, upstream, rows, found = traced
    given, drop = tensors(inputs), tf.constant(mask, tf.float32)
    with tf.GradientTape() as tape:
        run = cell.fixed(space.decode(rows[1]))
        states, last = run(given["products"], given["state"], drop)
        loss = tf.reduce_sum(states * tf.constant(upstream, tf.float32))
        loss += tf.reduce_sum(last)
    np.testing.assert_allclose(states, found[1][0], rtol=1e-5, atol=1e-6)
    for own, other in zip(
        tape.gradient(loss, cell.weights), found[1][1][:-2], strict=True
    ):
        own = tf.convert_to_tensor(own)
        np.testing.assert_allclose(own, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("normalized", [False, True])
def test_a_mixture_of_one_function_is_the_cell_that_has_it(normalized):
    space = RecurrentSpace(num_nodes=3)
    cell, inputs, mask, _ = make(space, "node", normalized)
    given, drop = tensors(inputs), tf.constant(mask, tf.float32)
    row = space.sample(np.random.default_rng(1), 1)[0]
    architecture = space.decode(row)
    shares = np.zeros((6, 4), np.float32)
    for node, (source, function) in enumerate(architecture.nodes):
        shares[node * (node + 1) // 2 + source, function] = 1
    mixed, _ = cell.mixed(tf.constant(shares))(
        given["products"], given["state"], drop
    )
    weights = [weight.numpy().astype(float) for weight in cell.weights]
    settle = normalize if normalized else lambda x: x
    wanted = reference(
        space, architecture, weights, inputs, mask, "node", settle
    )
    np.testing.assert_allclose(mixed, wanted, rtol=1e-3, atol=1e-4)
    if normalized:
        own, _ = cell.chosen(tf.constant(row))(
            given["products"], given["state"], drop
        )
        np.testing.assert_allclose(own, wanted, rtol=1e-3, atol=1e-4)


def test_a_mixture_is_the_sum_of_its_parts():
    space = RecurrentSpace(num_nodes=2)
    cell, inputs, mask, _ = make(space, "node")
    given, drop = tensors(inputs), tf.constant(mask, tf.float32)
    shares = np.random.default_rng(2).dirichlet(np.ones(5), 3)[:, 1:]
    found, _ = cell.mixed(tf.constant(shares, tf.float32))(
        given["products"], given["state"], drop
    )
    first, *nodes = (w.numpy().astype(float) for w in cell.weights)
    state, edge = inputs["state"], 0
    product = inputs["products"][0] + (state * mask) @ first[UNITS:]
    made = [highway(state, product, np.tanh)]
    for node in (1, 2):
        total = 0
        for source in range(node):
            product = (made[source] * mask) @ nodes[node - 1][0]
            for place, name in enumerate(space.functions):
                one = highway(made[source], product, FUNCTIONS[name])
                total = total + shares[edge, place] * one
            edge += 1
        made.append(total)
    wanted = np.mean(made[1:], axis=0)
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4, atol=1e-5)


def test_matrices_are_counted_by_what_has_its_own():
    space = RecurrentSpace(num_nodes=3)
    assert slots(space, "choice") == [4, 8, 12]
    assert slots(space, "input") == [1, 2, 3]
    assert slots(space, "node") == [1, 1, 1]
