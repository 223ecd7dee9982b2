"""The macro supernet against NumPy, Keras and itself."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from nascore.networks import costs
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.networks.macro.layer import add_skip
from nascore.networks.macro.operations import find_branches
from nascore.networks.macro.supernet import MacroSupernet, describe_layers
from nascore.spaces.macro import MACRO_OPERATIONS
from tests.nascore.networks.operations.test_catalogue import (
    convolve,
    normalize,
    pool,
)

SHAPE = (8, 8, 1)
BRANCHES = find_branches(MACRO_OPERATIONS)
CHANNELS = 2
IMAGES = np.random.default_rng(0).random((6, *SHAPE), np.float32)


def make(**settings):
    keras.utils.set_random_seed(3)
    config = MacroSupernetConfig(
        **{"num_layers": 3, "filters": CHANNELS, **settings}
    )
    return MacroSupernet(config, SHAPE, 3)


@pytest.fixture(scope="module")
def supernet():
    return make()


@pytest.fixture(scope="module")
def step(supernet):
    """Logits, loss and gradients of a row; compiled once."""

    @tf.function(input_signature=[tf.TensorSpec([6], tf.int32)])
    def run(row):
        with tf.GradientTape() as tape:
            logits, _ = supernet(IMAGES, row, training=True)
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(
                    [0, 1, 2, 0, 1, 2], logits
                )
            )
        weights = [v.value for v in supernet.trainable_variables]
        grads = tape.gradient(
            loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return logits, loss, [tf.convert_to_tensor(g) for g in grads]

    return run


def depthwise(x, kernel):
    full = np.zeros((*kernel.shape[:2], CHANNELS, CHANNELS))
    for channel in range(CHANNELS):
        full[:, :, channel, channel] = kernel[:, :, channel, 0]
    return convolve(x, full)


def in_numpy(branch, x, weights):
    """One operation of the search, from what the 1x1 convolution made."""
    x = np.maximum(x, 0)
    if not branch.is_convolution:
        return pool(x, np.max if branch.largest else np.mean)
    *kernels, scale, offset = weights
    if branch.separable:
        x = depthwise(x, kernels[0]) @ kernels[1][0, 0]
    else:
        x = convolve(x, kernels[0])
    return np.maximum(normalize(x, scale, offset), 0)


def draw_weights(branch, rng):
    return [
        rng.normal(size=spec.shape).astype(np.float32)
        for spec in branch.weight_specs(CHANNELS)
    ]


@pytest.mark.parametrize("branch", BRANCHES, ids=lambda b: b.name)
def test_an_operation_is_what_the_paper_says(branch):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3, 5, 5, CHANNELS)).astype(np.float32)
    weights = draw_weights(branch, rng)
    made = branch.forward(tf.constant(x), list(map(tf.constant, weights)))
    wanted = in_numpy(branch, x, weights)
    np.testing.assert_allclose(made.output, wanted, atol=2e-4)
    # The gradient by hand against TensorFlow's.
    upstream = tf.constant(rng.normal(size=x.shape).astype(np.float32))
    sources = [tf.constant(x), *map(tf.constant, weights)]
    own = branch.gradient(sources[0], sources[1:], made, upstream)
    _, automatic = branch._differentiate(sources[0], sources[1:], upstream)
    for ours, theirs in zip(own, automatic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_six_operations_give_six_outputs(step):
    """In the public code of the search they all give that of the last."""
    rows = [[op, op, 0, op, 0, 0] for op in range(6)]
    found = [step(tf.constant(row))[0].numpy() for row in rows]
    for one, other in itertools.combinations(found, 2):
        assert np.abs(one - other).max() > 1e-3
    assert step.experimental_get_tracing_count() == 1


def test_each_bit_and_no_other_operation_counts(step, supernet):
    plain = step(tf.constant([0, 0, 0, 0, 0, 0]))[0].numpy()
    for place in (2, 4, 5):
        row = [0] * 6
        row[place] = 1
        changed = step(tf.constant(row))[0].numpy()
        assert np.abs(changed - plain).max() > 1e-3
    # Only what runs has a gradient; of the 1x1 kernels a row.
    grads = step(tf.constant([0, 4, 1, 3, 0, 1]))[2]
    moved = {
        variable.path.rpartition("layer_")[2]: np.abs(grad).max(
            tuple(range(1, grad.ndim))
        )
        for variable, grad in zip(
            supernet.trainable_variables,
            [g.numpy() for g in grads],
            strict=True,
        )
        if "layer_" in variable.path
    }
    for number, operation in ((1, 0), (2, 4), (3, 3)):
        rows = moved[f"{number}/entry_kernel"]
        assert np.flatnonzero(rows).tolist() == [operation]
        for name in MACRO_OPERATIONS[:4]:
            some = [
                bool(np.any(value))
                for key, value in moved.items()
                if key.startswith(f"{number}/{name}_")
            ]
            assert any(some) == (name == MACRO_OPERATIONS[operation])


def test_gradients_are_the_slopes_of_the_loss(step, supernet):
    row = tf.constant([1, 5, 1, 2, 1, 1])
    _, loss, grads = step(row)
    rng = np.random.default_rng(2)
    sides = [rng.normal(size=g.shape).astype(np.float32) for g in grads]
    wanted = sum(
        (g.numpy() * s).sum() for g, s in zip(grads, sides, strict=True)
    )
    weights = [v.value for v in supernet.trainable_variables]
    before = [w.numpy() for w in weights]
    losses = []
    for size in (1e-3, -1e-3):
        for weight, start, side in zip(weights, before, sides, strict=True):
            weight.assign(start + size * side)
        losses.append(float(step(row)[1]))
    for weight, start in zip(weights, before, strict=True):
        weight.assign(start)
    slope = (losses[0] - losses[1]) / 2e-3
    assert abs(slope - wanted) < 0.05 * abs(wanted) + 0.02
    assert np.isfinite(float(loss))


def test_a_skip_that_is_not_chosen_is_not_there():
    x, y = tf.constant([[1.0, 2.0]]), tf.constant([[10.0, 20.0]])
    for chosen, total, slope in ((True, 33.0, 1.0), (False, 3.0, 0.0)):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            out, again = add_skip(tf.constant(chosen), x, y)
            value = tf.reduce_sum(out) + 5 * tf.reduce_sum(again)
        assert float(tf.reduce_sum(out)) == total
        first, second = tape.gradient(value, [x, y])
        assert first.numpy().tolist() == [[1, 1]]
        assert second.numpy().tolist() == [[slope + 5] * 2]


def test_what_is_counted_is_what_is_built(supernet):
    built = sum(v.shape.num_elements() for v in supernet.trainable_variables)
    assert costs.total(costs.count(supernet.stack)).parameters == built
    layers = describe_layers(supernet)
    assert sum(row["parameters"] for row in layers) == built
    assert [row["name"] for row in layers] == [
        *("stem", "layer_1", "reduction_1", "layer_2", "reduction_2"),
        *("layer_3", "classifier"),
    ]


def test_batch_statistics_leave_nothing_behind(supernet):
    assert supernet.non_trainable_variables == []


def test_moving_statistics_follow_the_batches_of_the_operation_that_ran():
    network = make(statistics="moving", operations="conv_3x3,max_pool_3x3")
    rows = tf.constant([[0, 0, 1, 1, 0, 1], [1, 0, 1, 0, 0, 1]])
    train = tf.function(
        lambda row: network(IMAGES, row, training=True)[0],
        [tf.TensorSpec([6], tf.int32)],
    )
    measure = tf.function(
        lambda row, images: network(images, row)[0],
        [
            tf.TensorSpec([6], tf.int32),
            tf.TensorSpec([None, *SHAPE], tf.float32),
        ],
    )
    first = network.blocks[0][0]
    start = first.moments.numpy()
    plain = measure(rows[0], IMAGES).numpy()
    logits = train(rows[0]).numpy()
    moved = first.moments.numpy()
    # By hand from what the layer reads: a tenth of the way to this batch.
    x = network.stem(IMAGES, training=True).numpy()
    mixed = x @ first.entries[0].numpy()[0, 0, 0]
    seen = np.stack([mixed.mean((0, 1, 2)), mixed.var((0, 1, 2))])
    wanted = start[0, 0] + 0.1 * (seen - start[0, 0])
    np.testing.assert_allclose(moved[0, 0], wanted, atol=1e-5)
    assert (moved[1] == start[1]).all()
    # Measuring moves nothing; one image alone is as good as many.
    for _ in range(200):
        train(rows[0])
    after = measure(rows[0], IMAGES).numpy()
    again = measure(rows[0], IMAGES[:1]).numpy()
    np.testing.assert_allclose(again, after[:1], atol=1e-5)
    # At their end they are those of the batch.
    np.testing.assert_allclose(after, logits, atol=1e-3)
    assert np.abs(plain - logits).max() > 1e-2
