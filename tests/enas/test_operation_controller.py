import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from enas.config import OperationControllerConfig
from enas.operation_controller import OperationController
from nascore.errors import InputError
from nascore.protocols import Measured
from nascore.search.many import StreamSeeds
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.space import Place, table_of_choices
from nascore.strategies.policy_gradient import MovingBaseline
from tests.nascore.search.toy import Words, values_of
from tests.test_controller_updates import Adam

SPACE = Bench201Space()
SEEDS = [3, 1, 7]
# A policy far from uniform, so that mistakes show.
SHARP = OperationControllerConfig(
    lstm_units=8, init_range=0.8, tanh_constant=3.0, conv_bias=0.4
)


def controller(seeds=SEEDS, **fields):
    return OperationController(
        SPACE, dataclasses.replace(SHARP, **fields), seeds
    )


def some_rows(count, seed=0):
    return SPACE.sample(np.random.default_rng(seed), count)


def weights_of(policy, run):
    """Weights of one run, by name."""
    named = {v.name.split(":")[0]: v for v in policy.variables_to_train}
    return {name: value[run].numpy() for name, value in named.items()}


def walk(weights, config, row):
    """NumPy: log-probability of a row and the entropy of its choices."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    h = c = np.zeros((1, config.lstm_units))
    x = weights["start"]
    log_prob = entropy = 0.0
    for op in row:
        gates = x @ weights["kernel"] + h @ weights["recurrent_kernel"]
        i, f, g, o = np.split(gates, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        logits = h @ weights["op_kernel"] + weights["op_bias"]
        bound = config.tanh_constant / config.op_tanh_reduce
        logits = bound * np.tanh(logits / config.temperature)
        fixed = config.normal_op_bias
        logits = (logits + [[-fixed, -fixed, fixed, fixed, -fixed]])[0]
        log_p = logits - np.log(np.exp(logits).sum())
        log_prob += log_p[op]
        entropy -= (np.exp(log_p) * log_p).sum()
        x = weights["op_embedding"][[op]]
    return log_prob, entropy


def test_log_probability_and_entropy_equal_a_numpy_walk():
    policy = controller(temperature=2.0)
    rows = some_rows(6)
    scored = policy(architectures=tf.constant(rows))
    np.testing.assert_array_equal(scored.architectures, rows)
    for place, row in enumerate(rows):
        weights = weights_of(policy, place // 2)
        expected = walk(weights, policy.config, row)
        ours = scored.log_prob[place], scored.entropy[place]
        np.testing.assert_allclose(ours, expected, rtol=1e-5)


def test_probabilities_sum_to_one_over_the_whole_space():
    policy = controller([5])
    every = np.array(list(SPACE.enumerate()))
    scored = policy(architectures=tf.constant(every))
    probabilities = np.exp(scored.log_prob.numpy().astype(np.float64))
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert probabilities.max() > 100 * probabilities.min()


def test_rows_are_legal_and_as_likely_as_the_policy_says():
    policy = controller()
    asked = policy.ask(4000, tf.constant([[1, 2], [3, 4], [5, 6]]))
    rows = asked.rows.numpy()
    assert rows.shape == (12_000, 6)
    assert all(SPACE.is_legal(row) for row in rows)
    scored = policy(architectures=asked.rows)
    for name in ("log_prob", "entropy"):
        np.testing.assert_allclose(
            asked.notes[name], getattr(scored, name), rtol=1e-4
        )
    for run, drawn in enumerate(np.split(rows, 3)):
        weights = weights_of(policy, run)
        first = [
            np.exp(walk(weights, policy.config, [op])[0]) for op in range(5)
        ]
        shares = np.bincount(drawn[:, 0], minlength=5) / 4000
        np.testing.assert_allclose(shares, first, atol=0.03)


def test_the_published_starting_point():
    policy = OperationController(SPACE, OperationControllerConfig(), [1, 2])
    weights = weights_of(policy, 0)
    assert weights["kernel"].shape == (64, 256)
    np.testing.assert_array_equal(weights.pop("op_bias"), [[0, 0, 10, 10, 0]])
    for weight in weights.values():
        assert 0.08 < np.abs(weight).max() <= 0.1
    # exp(1.1 / 2.5 * tanh(10) +- 0.25): convolutions over the others.
    odds = np.exp(1.1 / 2.5 + 0.5)
    rows = policy.ask(3000, tf.constant([[1, 2], [3, 4]])).rows.numpy()
    share = 2 * odds / (2 * odds + 3)
    assert np.isin(rows, (2, 3)).mean() == pytest.approx(share, abs=0.01)


def reference_gradients(weights, config, rows, advantages):
    """Of one run, with Keras's cell: mean of -log p * advantage."""
    cell = keras.layers.LSTMCell(config.lstm_units, use_bias=False)
    cell.build((None, config.lstm_units))
    cell.set_weights([weights["kernel"], weights["recurrent_kernel"]])
    held = {n: tf.Variable(v) for n, v in weights.items()}
    names = ("start", "op_embedding", "op_kernel", "op_bias")
    trained = [v.value for v in cell.trainable_variables]
    trained += [held[name] for name in names]
    bound = config.tanh_constant / config.op_tanh_reduce
    fixed = config.normal_op_bias * tf.constant([-1.0, -1, 1, 1, -1])
    with tf.GradientTape() as tape:
        x = tf.repeat(held["start"], len(rows), axis=0)
        state = [tf.zeros([len(rows), config.lstm_units])] * 2
        loss = 0.0
        for ops in rows.T:
            hidden, state = cell(x, state)
            logits = hidden @ held["op_kernel"] + held["op_bias"]
            logits = bound * tf.tanh(logits / config.temperature) + fixed
            loss += tf.reduce_mean(
                advantages
                * tf.nn.sparse_softmax_cross_entropy_with_logits(ops, logits)
            )
            x = tf.gather(held["op_embedding"], ops)
    found = tape.gradient(loss, trained)
    return [tf.convert_to_tensor(gradient) for gradient in found]


def test_updates_equal_adam_in_numpy_on_an_independent_gradient():
    policy = controller(entropy_weight=0.1)
    rng = np.random.default_rng(0)
    adams = []
    for run in range(3):
        weights = map(tf.constant, weights_of(policy, run).values())
        adams.append(Adam(weights, 0.0, 0.999, 1e-3))
    baselines = np.zeros(3)
    ask = tf.function(policy.ask, autograph=False)
    tell = tf.function(policy.tell, autograph=False)
    for step in range(3):
        seeds = tf.constant([[1, step], [2, step], [3, step]])
        asked = ask(5, seeds)
        rewards = rng.random((3, 5)).astype(np.float32)
        told = tell(
            asked,
            Measured(tf.constant(rewards.ravel())),
            tf.constant(rewards.ravel()),
        )
        assert np.all(told["healthy"])
        totals = rewards + 0.1 * asked.notes["entropy"].numpy().reshape(3, 5)
        rows = asked.rows.numpy().reshape(3, 5, 6)
        expected = np.zeros((3, 5))
        for place, column in enumerate(totals.T):
            baselines += 0.01 * (column - baselines)
            expected[:, place] = baselines
        np.testing.assert_allclose(
            told["baseline"], expected.ravel(), rtol=1e-5
        )
        for run, adam in enumerate(adams):
            names = list(weights_of(policy, run))
            weights = dict(
                zip(names, map(np.float32, adam.weights), strict=True)
            )
            gradients = reference_gradients(
                weights,
                policy.config,
                rows[run],
                np.float32(totals[run] - expected[run]),
            )
            adam.apply(gradients, policy.config.controller_lr)
            for name, value in zip(names, adam.weights, strict=True):
                ours = weights_of(policy, run)[name]
                np.testing.assert_allclose(ours, value, atol=1e-6)


def update(policy, seeds, step):
    """Asks and tells; the reward is the part of convolutions 3x3."""
    asked = policy.ask(3, StreamSeeds(seeds, 0)(0, tf.constant(step)).ask)
    rewards = tf.reduce_mean(tf.cast(asked.rows == 3, tf.float32), axis=1)
    return asked, policy.tell(asked, Measured(rewards), rewards)


def test_stacked_runs_equal_single_ones_step_by_step_from_equal_states():
    seeds = SEEDS[:2]
    stacked = controller(seeds)
    singles = [controller([seed]) for seed in seeds]
    for run, single in enumerate(singles):
        for name, value in single.state.items():
            whole = stacked.state[name].numpy()
            if whole.ndim:
                np.testing.assert_array_equal(value, whole[run : run + 1])
    for step in range(2):
        for run, single in enumerate(singles):
            for name, value in single.state.items():
                whole = stacked.state[name].numpy()
                value.assign(whole[run : run + 1] if whole.ndim else whole)
        asked, told = update(stacked, seeds, step)
        for run, single in enumerate(singles):
            mine = slice(3 * run, 3 * run + 3)
            asked_one, told_one = update(single, [seeds[run]], step)
            np.testing.assert_array_equal(asked_one.rows, asked.rows[mine])
            for ours, theirs in (
                (asked.notes["log_prob"], asked_one.notes["log_prob"]),
                (asked.notes["entropy"], asked_one.notes["entropy"]),
                (told["baseline"], told_one["baseline"]),
            ):
                np.testing.assert_allclose(ours[mine], theirs, rtol=1e-5)
            assert told_one["healthy"].shape == ()
            for name, value in single.state.items():
                whole = stacked.state[name].numpy()
                part = whole[run : run + 1] if whole.ndim else whole
                np.testing.assert_allclose(value, part, atol=1e-6)


def test_begun_again_it_is_as_newly_made():
    policy, others = controller(), [9, 3, 4]
    update(policy, SEEDS, 0)
    policy.restart(others)
    fresh = controller(others)
    for step in range(2):
        theirs = values_of(fresh.state)
        for name, value in values_of(policy.state).items():
            np.testing.assert_array_equal(value, theirs[name], name)
        update(policy, others, step)
        update(fresh, others, step)


def test_a_run_without_a_finite_gradient_stays_and_the_others_go_on():
    policy, healthy = controller(), controller()
    asked = policy.ask(2, tf.constant([[1, 2], [3, 4], [5, 6]]))
    before = [v.numpy() for v in policy.variables_to_train]
    rewards = tf.constant([0.5, 0.2, 0.1, np.nan, 0.9, 0.3])
    told = policy.tell(asked, Measured(rewards), rewards)
    np.testing.assert_array_equal(
        told["healthy"], [True, True, False, False, True, True]
    )
    well = tf.where(tf.math.is_finite(rewards), rewards, 0.0)
    assert np.all(healthy.tell(asked, Measured(well), well)["healthy"])
    for old, ours, theirs in zip(
        before,
        policy.variables_to_train,
        healthy.variables_to_train,
        strict=True,
    ):
        np.testing.assert_array_equal(ours[1], old[1])
        np.testing.assert_array_equal(ours[::2], theirs[::2])
        assert np.any(theirs.numpy()[1] != old[1])


def test_a_baseline_of_several_runs_equals_one_each():
    rewards = np.random.default_rng(0).random((3, 7)).astype(np.float32)
    found = MovingBaseline(0.9, 3).follow(tf.constant(rewards.ravel()))
    for ours, own in zip(np.split(found.numpy(), 3), rewards, strict=True):
        one = MovingBaseline(0.9)
        np.testing.assert_array_equal(ours, one.follow(tf.constant(own)))
        # Published: the average moves before it is used.
        assert float(ours[0]) == pytest.approx(0.1 * own[0])


@dataclasses.dataclass(frozen=True)
class Uneven(Words):
    """Operations, of which the second place has fewer."""

    kind = "uneven"
    operations = ("conv", "skip", "none")

    @property
    def places(self):
        return (Place(0, 1, "operation"), Place(0, 2, "operation"))

    @property
    def allowed(self):
        return table_of_choices(np.array([3, 2]))


@pytest.mark.parametrize("space", [CellSpace(), Words(), Uneven()])
def test_other_spaces_are_refused_in_one_line(space):
    with pytest.raises(InputError, match=r"such as bench201.*Rec") as error:
        OperationController(space, SHARP, [1])
    assert "\n" not in str(error.value) and space.kind in str(error.value)
