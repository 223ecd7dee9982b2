import numpy as np
import pytest
import tensorflow as tf

from tests.nascore.evaluators.small import (
    CHILD,
    draw_rows,
    make_weights,
    train,
)


def test_updates_are_nesterov_momentum_with_decay_of_every_weight():
    training = make_weights(momentum=0.8, weight_decay=0.01)
    weights = training.shared.weights
    rows = draw_rows(2)
    before = [w.numpy() for w in weights]
    train(training, rows, 0, 1, 0.1)
    # v = momentum v + g;  w -= rate (g + momentum v)
    velocity = [v.numpy() for v in training.momenta]
    for weight, old, speed in zip(weights, before, velocity, strict=True):
        np.testing.assert_allclose(
            weight, old - 0.1 * (speed + 0.8 * speed), atol=1e-5
        )
    # A slot that no architecture chose has the decay's gradient alone.
    slots = training.shared.supernet.cells[0].slots[0].value
    place = next(n for n, w in enumerate(weights) if w is slots)
    change = np.abs(velocity[place] - 2 * 0.01 * before[place])
    unchosen = change.reshape(len(change), -1).max(1) < 1e-6
    assert unchosen.sum() >= len(change) - 4
    middle = [w.numpy() for w in weights]
    train(training, rows, 1, 2, 0.1)
    second = training.momenta[place].numpy()
    gradient = second - 0.8 * velocity[place]
    np.testing.assert_allclose(
        weights[place],
        middle[place] - 0.1 * (gradient + 0.8 * second),
        atol=1e-5,
    )


def test_training_a_fixed_architecture_learns_the_digits():
    training = make_weights()
    space = CHILD.space
    row = space.encode(space.parse("0 0 1 0 1 1 2 2 0 0 1 0 1 1 2 2"))
    steps = training.steps_per_epoch
    rows = tf.constant(np.repeat(row[None], steps, axis=0))
    for epoch in range(16):
        columns = train(training, rows, 0, steps, 0.05, epoch)
    assert columns["accuracy"].numpy().mean() > 0.8
    found = training.shared.validate(row[None])
    assert found["validation_accuracy"] > 0.8


def test_splitting_an_epoch_into_stretches_changes_nothing():
    rows = draw_rows(6)
    whole = make_weights()
    columns = train(whole, rows, 0, 6)
    weights = [w.numpy() for w in whole.shared.weights]
    parts = make_weights()
    pieces = [train(parts, rows, *span) for span in ((0, 1), (1, 4), (4, 6))]
    assert set(columns) == {"loss", "accuracy", "gradient_norm", "healthy"}
    for name, values in columns.items():
        others = np.concatenate([piece[name] for piece in pieces])
        np.testing.assert_array_equal(values, others, name)
    for one, other in zip(weights, parts.shared.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_retracing_over_a_hundred_architectures():
    training = make_weights()
    rows = draw_rows(100)
    train(training, rows, 0, 2)
    traces = training.train.experimental_get_tracing_count()
    train(training, rows, 2, 40)
    train(training, rows, 40, 100, 0.01, 3)
    assert training.train.experimental_get_tracing_count() == traces


def test_an_epoch_samples_its_architectures_once_whatever_its_stretches():
    asked = []
    training = make_weights()

    def sample(count, seed):
        asked.append((int(count), seed.numpy().tolist()))
        return draw_rows(count, seed)

    training._sample = sample
    steps = training.steps_per_epoch
    first = training.run(0, 0, 1)
    rest = training.run(0, 1, 3)
    other = training.run(1, 0, 1)
    # A resumed epoch samples again, the same.
    training._sampled = None
    again = training.run(0, 1, 3)
    assert [count for count, _ in asked] == 3 * [steps]
    assert asked[0] == asked[2] != asked[1]
    assert len(first["row"]) == len(other["row"]) == 1
    np.testing.assert_array_equal(rest["row"], again["row"])


@pytest.mark.parametrize("where", ["stem", "classifier"])
def test_weights_that_are_not_finite_are_marked(where):
    training = make_weights()
    supernet = training.shared.supernet
    rows = draw_rows(5)
    assert train(training, rows, 0, 1)["healthy"][0]
    kernel = {
        "stem": supernet.stem.convolution.kernel,
        "classifier": supernet.classifier.kernel,
    }[where]
    kernel.assign(kernel * np.nan)
    columns = train(training, rows, 1, 5)
    # The loss behind a NaN in the stem depends on the processor: some relu
    # kernels map NaN to 0.
    assert not np.isfinite(columns["gradient_norm"][0])
    assert not columns["healthy"].numpy().any()


def test_a_loss_beyond_the_limit_is_marked():
    training = make_weights(loss_limit=0.1)
    columns = train(training, draw_rows(5), 0, 5)
    assert columns["loss"][0] > 0.1
    assert np.isfinite(columns["gradient_norm"][0])
    assert not columns["healthy"].numpy().any()


def test_clipping_bounds_the_gradient():
    free, clipped = (
        make_weights(weight_decay=0.0),
        make_weights(weight_decay=0.0, clip_norm=0.1),
    )
    for training in (free, clipped):
        columns = train(training, draw_rows(1), 0, 1)
    norm = float(columns["gradient_norm"][0])
    assert norm > 0.1
    for one, other in zip(free.momenta, clipped.momenta, strict=True):
        np.testing.assert_allclose(
            one.numpy() * 0.1 / norm, other, atol=1e-6, rtol=1e-3
        )
