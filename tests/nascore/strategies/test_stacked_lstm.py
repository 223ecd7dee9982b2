"""An LSTM and its gradient, against NumPy and against the tape's own."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.strategies.stacked_lstm import multiply, run_lstm


def by_hand(given, recurrent):
    """The same, one operation after the other, which the tape can follow."""
    cell = hidden = tf.zeros_like(given[0][..., : given[0].shape[-1] // 4])
    states = []
    for x in given:
        into, forget, new, out = tf.split(x + hidden @ recurrent, 4, axis=-1)
        cell = tf.sigmoid(forget) * cell + tf.sigmoid(into) * tf.tanh(new)
        hidden = tf.sigmoid(out) * tf.tanh(cell)
        states.append(hidden)
    return states


@pytest.mark.parametrize(
    ("stack", "steps"), [((1,), 1), ((1,), 4), ((3,), 4), ((2, 2), 3)]
)
def test_states_and_gradients(stack, steps):
    rng = np.random.default_rng(0)

    def draw(*shape):
        return tf.constant(rng.normal(size=(*stack, *shape)), tf.float32)

    given, recurrent = [draw(5, 12) for _ in range(steps)], draw(3, 12)
    weights = [draw(5, 3) for _ in range(steps)]
    found = []
    for run in (run_lstm, by_hand):
        with tf.GradientTape() as tape:
            tape.watch([recurrent, *given])
            states = run(given, recurrent)
            loss = tf.add_n(
                [
                    tf.reduce_sum(w * tf.square(s))
                    for w, s in zip(weights, states, strict=True)
                ]
            )
        gradients = tape.gradient(loss, [recurrent, *given])
        found.append([*states, *gradients])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stack", [1, 3])
def test_products(stack):
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(size=(stack, 2, 4)), rng.normal(size=(stack, 4, 3))
    found = multiply(tf.constant(x), tf.constant(kernel))
    np.testing.assert_allclose(found, x @ kernel)
