"""A step against NumPy and against automatic second derivatives."""

import numpy as np
import pytest
import tensorflow as tf

from darts.bilevel import Bilevel, start_alphas
from darts.config import AlphasConfig, MixedWeightsConfig
from darts.curvature import Curvature, largest_eigenvalue
from darts.layout import AlphaLayout
from nascore.process.runtime import once

RATE = 0.3
TRAINING = MixedWeightsConfig(clip_norm=0.2, weights_decay=0.01)
# Weights of two layers, alphas of two edges with three operations.
SIZES = ((4, 3), (3, 2)), ((2, 3),)


def draw(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def batch(seed):
    return tuple(tf.constant(x / 2) for x in draw(seed, (5, 4), (5, 2)))


def loss(weights, alphas, images_and_targets):
    """A smooth mixture of three operations on each of two layers."""
    x, targets = images_and_targets
    for weight, row in zip(weights, tf.unstack(alphas[0]), strict=True):
        share = tf.nn.softmax(row)
        product = tf.matmul(x, weight)
        x = (
            share[0] * tf.tanh(product)
            + share[1] * tf.sin(product)
            + share[2] * product**2 / 4
        )
    errors = x - targets
    return tf.reduce_mean(errors**2), {"error": tf.reduce_max(abs(errors))}


def make(order="second", the_loss=loss, dtype=tf.float64, **settings):
    weights, alphas = (
        [tf.Variable(value, dtype=dtype) for value in draw(seed, *shapes)]
        for seed, shapes in enumerate(SIZES)
    )
    config = AlphasConfig(order=order, alpha_lr=0.02, **settings)
    return Bilevel(the_loss, weights, alphas, TRAINING, config)


def values(variables):
    return [variable.numpy() for variable in variables]


def exact_gradient(weights, alphas, momenta, ours, theirs, xi):
    """Of the loss of `ours` after one step on `theirs`, for the alphas.

    The step is written as a function of the alphas and differentiated as a
    whole: no difference, nothing restored.
    """
    inputs = [tf.constant(alpha) for alpha in alphas]
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        before = [tf.constant(weight) for weight in weights]
        with tf.GradientTape() as inner:
            inner.watch(before)
            inner_loss = loss(before, inputs, theirs)[0]
        gradients = inner.gradient(inner_loss, before)
        ahead = [
            w - xi * (TRAINING.weights_momentum * m + g + 0.01 * w)
            for w, m, g in zip(before, momenta, gradients, strict=True)
        ]
        outer_loss = loss(ahead, inputs, ours)[0]
    return [g.numpy() for g in outer.gradient(outer_loss, inputs)]


def numeric_gradient(function, points, reach=1e-6):
    """Of a function of arrays, by moving each number."""
    found = []
    for place, point in enumerate(points):
        slopes = np.zeros_like(point)
        for index in np.ndindex(point.shape):
            sides = []
            for sign in (1, -1):
                moved = [value.copy() for value in points]
                moved[place][index] += sign * reach
                sides.append(function(moved))
            slopes[index] = (sides[0] - sides[1]) / (2 * reach)
        found.append(slopes)
    return found


class Reference:
    """DARTS in NumPy: the rules of PyTorch's SGD and Adam."""

    def __init__(self, weights, alphas, order):
        self.weights, self.alphas, self.order = weights, alphas, order
        self.momenta = [np.zeros_like(w) for w in weights]
        self.means = [np.zeros_like(a) for a in alphas]
        self.squares = [np.zeros_like(a) for a in alphas]
        self.steps = 0

    def step(self, theirs, ours, rate):
        xi = rate if self.order == "second" else 0.0
        gradients = exact_gradient(
            self.weights, self.alphas, self.momenta, ours, theirs, xi
        )
        self.steps += 1
        for n, (alpha, gradient) in enumerate(
            zip(self.alphas, gradients, strict=True)
        ):
            gradient = gradient + 1e-3 * alpha
            self.means[n] = 0.5 * self.means[n] + 0.5 * gradient
            self.squares[n] = 0.999 * self.squares[n] + 0.001 * gradient**2
            size = np.sqrt(1 - 0.999**self.steps) / (1 - 0.5**self.steps)
            root = np.sqrt(self.squares[n]) + 1e-8
            self.alphas[n] = alpha - 0.02 * size * self.means[n] / root

        def value(weights):
            return float(loss(weights, self.alphas, theirs)[0])

        gradients = numeric_gradient(value, self.weights)
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        for n, gradient in enumerate(gradients):
            gradient = gradient * min(1, 0.2 / norm) + 0.01 * self.weights[n]
            self.momenta[n] = 0.9 * self.momenta[n] + gradient
            self.weights[n] = self.weights[n] - rate * self.momenta[n]
        return norm


@pytest.mark.parametrize("order", ["first", "second"])
def test_steps_equal_those_in_numpy_with_one_trace(order):
    traces = []

    def counted(*arguments):
        traces.append(order)
        return loss(*arguments)

    bilevel = make(order, counted)
    start = values(bilevel.weights), values(bilevel.alphas)
    expected = Reference(*start, order)
    step = tf.function(bilevel.step, autograph=False)
    for number in range(4):
        rate = RATE / (1 + number)
        batches = batch(number), batch(10 + number)
        row = step(*batches, tf.constant(rate, tf.float64))
        norm = expected.step(*batches, rate)
        assert bool(row["healthy"])
        # Keras has 0.999 in float32; and a difference of gradients is not
        # their derivative.
        error = 1e-6 if order == "first" else 1e-4
        np.testing.assert_allclose(row["gradient_norm"], norm, rtol=error)
        for ours, theirs in (
            (bilevel.alphas, expected.alphas),
            (bilevel.weights, expected.weights),
            (bilevel.momenta, expected.momenta),
        ):
            for own, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(own, other, atol=error)
    # Passes of a step: alphas and weights; in second order three more.
    assert len(traces) == {"first": 2, "second": 5}[order]


def test_notes_are_those_of_both_batches():
    bilevel = make("first")
    halves = batch(1), batch(2)
    expected = [loss(bilevel.weights, bilevel.alphas, one) for one in halves]
    row = bilevel.step(*halves, tf.constant(0.0, tf.float64))
    assert float(row["alpha_loss"]) == float(expected[1][0])
    assert float(row["alpha_error"]) == float(expected[1][1]["error"])
    # The alphas have learned before.
    expected = loss(bilevel.weights, bilevel.alphas, halves[0])
    assert float(row["loss"]) == float(expected[0])
    assert float(row["error"]) == float(expected[1]["error"])


def test_the_second_order_has_the_derivative_of_the_step_in_it():
    bilevel = make()
    bilevel.momenta[0].assign(tf.ones_like(bilevel.momenta[0]))
    xi = tf.constant(RATE, tf.float64)
    _, _, direct, part = bilevel._look_ahead(batch(2), batch(1), xi)
    exact = exact_gradient(
        values(bilevel.weights),
        values(bilevel.alphas),
        values(bilevel.momenta),
        batch(2),
        batch(1),
        RATE,
    )
    assert np.abs(part[0]).max() > 0.01 * np.abs(exact[0]).max()
    np.testing.assert_allclose(
        direct[0] - part[0], exact[0], rtol=0, atol=1e-3 * np.abs(part[0]).max()
    )


def test_looking_nowhere_ahead_is_the_first_order_to_the_bit():
    first, second = make("first"), make("second")
    steps = [
        tf.function(each.learn_alphas, autograph=False)
        for each in (first, second)
    ]
    for number in range(3):
        rows = [
            step(batch(number), batch(9), tf.constant(0.0, tf.float64))
            for step in steps
        ]
        assert float(rows[0]["alpha_loss"]) == float(rows[1]["alpha_loss"])
        assert float(rows[1]["second_order_norm"]) == 0
    for one, other in zip(first.alphas, second.alphas, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_that_is_called_and_never_copied_is_read_anew():
    plain, held = make(), make()

    @once
    def network(x, targets):
        # As a supernet, it holds its weights itself.
        return loss(held.weights, held.alphas, (x, targets))

    held._loss = lambda weights, alphas, pair: network(*pair)
    halves = batch(1), batch(2)
    rows = [
        tf.function(each.step, autograph=False)(
            *halves, tf.constant(RATE, tf.float64)
        )
        for each in (plain, held)
    ]
    assert float(rows[1]["second_order_norm"]) > 1e-3
    for name, value in rows[0].items():
        np.testing.assert_allclose(rows[1][name], value, rtol=1e-9)
    for one, other in zip(plain.weights, held.weights, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
def test_alphas_leave_the_weights_as_they_were_in_a_loop_too(dtype):
    bilevel = make(dtype=dtype)
    before = values(bilevel.weights)
    halves = [
        tuple(tf.cast(part, dtype) for part in batch(seed)) for seed in (1, 2)
    ]

    @tf.function(autograph=False)
    def learn():
        def body(step):
            row = bilevel.learn_alphas(*halves, tf.constant(RATE, dtype))
            with tf.control_dependencies([row["healthy"]]):
                return step + 1

        return tf.while_loop(lambda step: step < 3, body, [tf.constant(0)])

    learn()
    assert int(bilevel.optimizer.iterations) == 3
    for weight, old in zip(bilevel.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def flat_hessian(bilevel, halves):
    """Written down by automatic differentiation, decay included."""
    alpha = tf.constant(bilevel.alphas[0])
    with tf.GradientTape() as outer:
        outer.watch(alpha)
        with tf.GradientTape() as inner:
            inner.watch(alpha)
            found = loss(bilevel.weights, [alpha], halves)[0]
        gradient = inner.gradient(found, alpha)
    size = alpha.shape.num_elements()
    hessian = tf.reshape(outer.jacobian(gradient, alpha), [size, size])
    return hessian.numpy() + 1e-3 * np.eye(size)


def test_curvature_equals_the_exact_product_and_its_largest_eigenvalue():
    bilevel = make()
    before = values(bilevel.alphas)
    hessian = flat_hessian(bilevel, batch(3))
    direction = draw(7, (2, 3))[0]
    found = bilevel.curvature(batch(3), [tf.constant(direction)])
    exact = hessian @ direction.ravel()
    np.testing.assert_allclose(
        np.ravel(found[0]), exact, atol=1e-3 * np.abs(exact).max()
    )
    largest = np.linalg.eigvalsh(hessian).max()
    measured = Curvature(bilevel)(batch(3))
    assert measured == pytest.approx(largest, rel=1e-2)
    np.testing.assert_array_equal(bilevel.alphas[0], before[0])


def test_the_largest_eigenvalue_is_not_the_farthest_from_zero():
    rng = np.random.default_rng(1)
    turned, _ = np.linalg.qr(rng.standard_normal((224, 224)))
    # As of a network: a few large ones, many near zero.
    spectrum = np.concatenate([[-3.0, 0.8, 0.5], rng.normal(0, 0.05, 221)])
    matrix = turned * spectrum @ turned.T
    products = []

    def product(direction):
        products.append(direction)
        return matrix @ direction

    assert largest_eigenvalue(product, 224) == pytest.approx(0.8, rel=2e-3)
    assert len(products) <= 30


@pytest.mark.parametrize("scale", [0.0, 5.0, -2.0])
def test_eigenvalues_of_one_size(scale):
    found = largest_eigenvalue(lambda direction: scale * direction, 6)
    assert found == pytest.approx(scale)


def test_an_eigenvalue_of_what_is_not_finite_is_none():
    assert np.isnan(largest_eigenvalue(lambda v: v * np.inf, 4))


def test_alphas_that_the_weights_do_not_feel_have_no_second_order():
    def flat(weights, alphas, _):
        both = tf.reduce_sum(alphas[0] ** 2)
        return both + 0 * tf.reduce_sum(weights[0]), {}

    bilevel = make(the_loss=flat)
    row = bilevel.learn_alphas(1, 2, tf.constant(RATE, tf.float64))
    assert bool(row["healthy"])
    assert float(row["second_order_norm"]) == 0
    assert np.isfinite(bilevel.alphas[0]).all()


# What is not finite: the loss itself, one gradient, the weights ahead only.
@pytest.mark.parametrize("what", ["loss", "gradient", "ahead"])
@pytest.mark.parametrize("order", ["first", "second"])
def test_what_is_not_finite_changes_nothing(what, order):
    start = tf.constant(draw(0, (4, 3))[0])

    def broken(weights, alphas, number):
        total, notes = loss(weights, alphas, batch(1))
        if what == "loss":
            return total * np.nan, notes
        if what == "gradient":
            # 0 with an infinite slope.
            gone = tf.reduce_sum(weights[0] - weights[0])
            gone += tf.reduce_sum(alphas[0] - alphas[0])
            return total + tf.sqrt(gone), notes
        moved = tf.reduce_max(abs(weights[0] - start)) > 0.02
        return tf.where(moved, tf.constant(np.inf, tf.float64), total), notes

    bilevel = make(order, broken)
    state = {**bilevel.state, **dict(enumerate(bilevel.weights))}
    before = values(state.values())
    rate = tf.constant(RATE, tf.float64)
    row = tf.function(bilevel.step, autograph=False)(1, 2, rate)
    if what == "ahead":
        # At the weights as they are all is well.
        assert bool(row["healthy"]) == (order == "first")
        changed = [bilevel.alphas] if order == "second" else []
    else:
        assert not bool(row["healthy"])
        changed = [state.values()]
    for variables in changed:
        for variable in variables:
            place = [v is variable for v in state.values()].index(True)
            np.testing.assert_array_equal(variable, before[place])


def test_a_loss_beyond_its_limit_is_not_learned_from():
    bilevel = make("first", lambda w, a, b: (loss(w, a, b)[0] + 1e5, {}))
    before = values(bilevel.weights)
    row = bilevel.learn_weights(batch(1), tf.constant(RATE, tf.float64))
    assert not bool(row["healthy"])
    np.testing.assert_array_equal(bilevel.weights[0], before[0])


def test_a_step_continued_from_its_state_is_the_same_to_the_bit():
    rate = tf.constant(RATE, tf.float64)
    one, other = make(), make()
    one.step(batch(1), batch(2), rate)
    for mine, theirs in zip(
        [*other.weights, *other.state.values()],
        [*one.weights, *one.state.values()],
        strict=True,
    ):
        mine.assign(theirs)
    for each in (one, other):
        each.step(batch(3), batch(4), rate)
    for mine, theirs in zip(
        [*other.weights, *other.alphas],
        [*one.weights, *one.alphas],
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_the_first_alphas_are_small_of_the_seed_and_in_pc_of_edges_too():
    layout = AlphaLayout()
    (alphas,) = start_alphas(AlphasConfig(), layout, 1)
    assert alphas.shape == (2, 14, 8)
    assert np.std(alphas) == pytest.approx(1e-3, rel=0.2)
    (again,) = start_alphas(AlphasConfig(), layout, 1)
    (other,) = start_alphas(AlphasConfig(), layout, 2)
    np.testing.assert_array_equal(alphas, again)
    assert (alphas.numpy() != other.numpy()).all()
    (zeros,) = start_alphas(AlphasConfig(alpha_init=0.0), layout, 1)
    assert not zeros.numpy().any()
    _, edges = start_alphas(AlphasConfig(variant="pc"), layout, 1)
    assert edges.shape == (2, 14)
    assert np.std(edges) == pytest.approx(1e-3, rel=0.5)
