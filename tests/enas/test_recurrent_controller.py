"""ENAS's policy over recurrent cells, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from enas.config import RecurrentControllerConfig
from enas.recurrent_controller import RecurrentController
from nascore.protocols import Measured
from nascore.seeds import fold
from nascore.spaces.recurrent import RecurrentSpace

SPACE = RecurrentSpace(("tanh", "relu"), 3)
CONFIG = RecurrentControllerConfig(
    lstm_units=5, init_range=0.8, controller_lr=0.05, baseline_decay=0.5
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_softmax(x):
    return x - np.log(np.exp(x).sum())


def score(policy, row):
    """Log-probability and entropy of a row, as `enas_lm` has it; float64."""
    kernel, start, functions, anchor, query, value = (
        weight.numpy().astype(float) for weight in policy.variables_to_train
    )
    memory = output = np.zeros(5)
    anchors, total, entropy, x = [np.zeros(5)], 0.0, 0.0, start[0]

    def advance(x, memory, output):
        gates = np.split(np.concatenate([x, output]) @ kernel, 4)
        admit, forget, show = map(sigmoid, gates[:3])
        memory = admit * np.tanh(gates[3]) + forget * memory
        return memory, show * np.tanh(memory)

    def squash(logits):
        scaled = np.array(logits) / CONFIG.temperature
        return CONFIG.tanh_constant * np.tanh(scaled)

    for node in range(1, 4):
        memory, output = advance(x, memory, output)
        logits = squash(
            [(np.tanh(a @ anchor + output @ query) @ value)[0] for a in anchors]
        )
        far = np.array([node - index for index in range(node)])
        choices = [log_softmax(logits - far**2 / CONFIG.distance_scale)]
        source = row[2 * node - 2]
        total += choices[0][source]
        x = anchors[source] / (0.1 + node - source)
        memory, output = advance(x, memory, output)
        choices.append(log_softmax(squash(functions @ output)))
        total += choices[1][row[2 * node - 1]]
        x = functions[row[2 * node - 1]]
        anchors.append(output)
        entropy -= sum(np.sum(np.exp(c) * c) for c in choices)
    return total, entropy


@pytest.fixture(scope="module")
def policy():
    return RecurrentController(SPACE, CONFIG, 3)


def test_probabilities_are_those_of_the_published_code(policy):
    sample = policy(12, fold(1, 2))
    for row, log_prob, entropy in zip(
        *map(np.asarray, sample[:3]), strict=True
    ):
        assert SPACE.is_legal(row)
        wanted = score(policy, row)
        np.testing.assert_allclose((log_prob, entropy), wanted, rtol=1e-4)
    again = policy(architectures=sample.architectures)
    np.testing.assert_allclose(again.log_prob, sample.log_prob, rtol=1e-5)


def test_all_rows_together_have_probability_one_and_near_inputs_more(policy):
    rows = np.stack(list(SPACE.enumerate()))
    chances = np.exp(policy(architectures=tf.constant(rows)).log_prob)
    assert np.sum(chances) == pytest.approx(1, rel=1e-4)
    flat = RecurrentController(
        SPACE, RecurrentControllerConfig(init_range=0.0), 1
    )
    chances = np.exp(flat(architectures=tf.constant(rows)).log_prob)
    # Of node 3: distances 3, 2 and 1.
    shares = [chances[rows[:, 4] == source].sum() for source in range(3)]
    wanted = np.exp(-np.array([9, 4, 1]) / 6)
    np.testing.assert_allclose(shares, wanted / wanted.sum(), rtol=1e-4)


def test_it_learns_what_is_rewarded():
    policy = RecurrentController(SPACE, CONFIG, 4)
    ask = tf.function(policy.ask, autograph=False)
    tell = tf.function(policy.tell, autograph=False)
    for step in range(40):
        found = ask(tf.constant(10), fold(5, step))
        rewards = tf.reduce_mean(
            tf.cast(found.rows[:, 1::2] == 1, tf.float32), axis=1
        )
        assert tell(found, Measured(rewards), rewards)["healthy"]
    rows = policy.sample(tf.constant(100), fold(6, 0)).numpy()
    assert (rows[:, 1::2] == 1).mean() > 0.9


def test_the_first_function_is_a_choice_where_the_space_has_it():
    space = RecurrentSpace(("tanh", "relu"), 2, "chosen")
    policy = RecurrentController(space, CONFIG, 1)
    rows = np.stack(list(space.enumerate()))
    chances = np.exp(policy(architectures=tf.constant(rows)).log_prob)
    assert np.sum(chances) == pytest.approx(1, rel=1e-4)
