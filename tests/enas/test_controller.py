import keras
import numpy as np
import pytest
import tensorflow as tf

from enas.config import ControllerConfig
from enas.controller import LstmController
from nascore.protocols import Measured
from nascore.spaces.cells import CellSpace

TINY = CellSpace(("sep_conv_3x3", "identity"), 1, ("normal", "reduction"))
SPACE = CellSpace()


def sharp_controller(space, init_range=1.5, **fields):
    """A policy far from uniform, so that mistakes show."""
    keras.utils.set_random_seed(3)
    config = ControllerConfig(
        init_range=init_range, tanh_constant=2.0, conv_bias=0.4, **fields
    )
    return LstmController(space, config)


def every_architecture(space):
    arrays = [row.reshape(space.array_shape) for row in space.enumerate()]
    return tf.constant(np.stack(arrays))


def test_probabilities_sum_to_one_over_the_whole_space():
    controller = sharp_controller(TINY)
    scored = controller(architectures=every_architecture(TINY))
    probabilities = np.exp(scored.log_prob.numpy().astype(np.float64))
    assert len(probabilities) == TINY.size() == 256
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert probabilities.max() > 4 * probabilities.min()


def test_sampling_frequencies_match_the_probabilities():
    controller = sharp_controller(TINY)
    arrays = every_architecture(TINY)
    expected = np.exp(controller(architectures=arrays).log_prob) * 40_000
    sample = controller(40_000, tf.constant([1, 2]))
    place = {tuple(a.ravel()): n for n, a in enumerate(arrays.numpy())}
    counts = np.zeros(len(expected))
    for values in sample.architectures.numpy():
        counts[place[tuple(values.ravel())]] += 1
    chi_square = ((counts - expected) ** 2 / expected).sum()
    # 255 degrees of freedom: mean 255, deviation 23.
    assert chi_square < 255 + 4 * 23


def test_rescoring_equals_sampling():
    controller = sharp_controller(SPACE)
    sample = controller(50, tf.constant([4, 5]))
    scored = controller(architectures=sample.architectures)
    np.testing.assert_array_equal(scored.architectures, sample.architectures)
    np.testing.assert_allclose(scored.log_prob, sample.log_prob, rtol=1e-5)
    np.testing.assert_allclose(scored.entropy, sample.entropy, rtol=1e-5)
    for values in sample.architectures.numpy():
        SPACE.from_array(values)  # Raises if one is out of range.


def reference_log_prob(controller, architecture):
    """NumPy walk through the published sampler for one architecture."""
    config = controller.config
    kernel, recurrent = (np.array(w) for w in controller.lstm.get_weights())
    get = {
        name: getattr(controller, name).numpy()
        for name in (
            "start",
            "op_embedding",
            "op_kernel",
            "op_bias",
            "anchor_kernel",
            "query_kernel",
            "score_kernel",
        )
    }

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def lstm(x, h, c):
        i, f, g, o = np.split(x @ kernel + h @ recurrent, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def choose(logits, action):
        log_p = logits - np.log(np.exp(logits).sum())
        return log_p[0, action], -(np.exp(log_p) * log_p).sum()

    h = c = np.zeros((1, config.lstm_units))
    log_prob = entropy = 0.0
    for place, cell in enumerate(architecture.cells):
        anchors, keys = [], []
        for _ in range(2):
            h, c = lstm(get["start"], h, c)
            anchors.append(np.zeros_like(h))
            keys.append(h @ get["anchor_kernel"])
        for node in cell.nodes:
            x = get["start"]
            for index, _ in node.edges:
                h, c = lstm(x, h, c)
                query = np.tanh(np.concatenate(keys) + h @ get["query_kernel"])
                logits = (query @ get["score_kernel"]).T / config.temperature
                logits = config.tanh_constant * np.tanh(logits)
                part, more = choose(logits, index)
                log_prob, entropy = log_prob + part, entropy + more
                x = anchors[index]
            for _, op in node.edges:
                h, c = lstm(x, h, c)
                logits = h @ get["op_kernel"] + get["op_bias"]
                bound = config.tanh_constant / config.op_tanh_reduce
                logits = bound * np.tanh(logits / config.temperature)
                if place == 0:
                    fixed = config.normal_op_bias
                    logits = logits + [[fixed, fixed, -fixed, -fixed, -fixed]]
                part, more = choose(logits, op)
                log_prob, entropy = log_prob + part, entropy + more
                x = get["op_embedding"][[op]]
            h, c = lstm(x, h, c)
            anchors.append(h)
            keys.append(h @ get["anchor_kernel"])
    return log_prob, entropy


def test_log_probability_equals_a_numpy_walk():
    # With much larger weights rounding grows from step to step.
    controller = sharp_controller(SPACE, init_range=0.5, temperature=2.0)
    rng = np.random.default_rng(0)
    for _ in range(3):
        architecture = SPACE.draw(rng)
        scored = controller(
            architectures=tf.constant(architecture.to_array()[None])
        )
        log_prob, entropy = reference_log_prob(controller, architecture)
        assert float(scored.log_prob[0]) == pytest.approx(log_prob, rel=1e-5)
        assert float(scored.entropy[0]) == pytest.approx(entropy, rel=1e-5)


def test_published_starting_point():
    controller = LstmController(SPACE, ControllerConfig())
    np.testing.assert_array_equal(controller.op_bias, [10, 10, 0, 0, 0])
    for weight in controller.variables_to_train:
        if weight is not controller.op_bias:
            assert np.abs(weight).max() <= 0.1
    sample = controller(4000, tf.constant([0, 1]))
    ops = sample.architectures.numpy()[..., 1::2]
    # exp(1.1 / 2.5 * tanh(10) +- 0.25): convolutions over the others.
    odds = np.exp(1.1 / 2.5)
    for cell, extra in ((0, np.exp(0.5)), (1, 1.0)):
        share = 2 * odds * extra / (2 * odds * extra + 3)
        assert np.mean(ops[:, cell] < 2) == pytest.approx(share, abs=0.01)


def test_sampling_is_a_function_of_the_seed():
    controller = sharp_controller(SPACE)
    first = controller(5, tf.constant([1, 1])).architectures
    again = controller(5, tf.constant([1, 1])).architectures
    other = controller(5, tf.constant([1, 2])).architectures
    np.testing.assert_array_equal(first, again)
    assert np.any(first.numpy() != other.numpy())


def test_every_weight_is_trained():
    controller = sharp_controller(SPACE)
    with tf.GradientTape() as tape:
        sample = controller(3, tf.constant([1, 1]))
        total = tf.reduce_sum(sample.log_prob)
    gradients = tape.gradient(total, controller.variables_to_train)
    assert all(gradient is not None for gradient in gradients)
    expected = {id(v.value) for v in controller.lstm.trainable_variables}
    expected |= {
        id(value)
        for value in vars(controller).values()
        if isinstance(value, tf.Variable)
    }
    assert {id(v) for v in controller.variables_to_train} == expected


def test_no_gradient_flows_through_the_entropy():
    controller = sharp_controller(SPACE)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(controller(3, tf.constant([1, 1])).entropy)
    weights = controller.variables_to_train
    assert all(g is None for g in tape.gradient(total, weights))


def test_what_is_asked_is_what_the_policy_samples():
    controller = sharp_controller(SPACE)
    seed = tf.constant([4, 5])
    proposals, sample = controller.ask(5, seed), controller(5, seed)
    np.testing.assert_array_equal(
        proposals.rows, tf.reshape(sample.architectures, [5, -1])
    )
    np.testing.assert_array_equal(proposals.notes["log_prob"], sample.log_prob)
    np.testing.assert_array_equal(proposals.notes["entropy"], sample.entropy)
    for rows in (
        controller.sample(tf.constant(5), seed),
        controller.finalists(tf.constant(5), seed),
    ):
        np.testing.assert_array_equal(rows, proposals.rows)


def test_asking_changes_nothing():
    controller = sharp_controller(SPACE)
    before = [value.numpy() for value in controller.state.values()]
    controller.ask(5, tf.constant([4, 5]))
    for value, old in zip(controller.state.values(), before, strict=True):
        np.testing.assert_array_equal(value, old)


def test_the_baseline_takes_in_one_reward_after_the_other():
    controller = sharp_controller(SPACE, entropy_weight=0.1)
    proposals = controller.ask(3, tf.constant([1, 2]))
    rewards = tf.constant([0.2, 0.9, 0.4])
    told = controller.tell(proposals, Measured(rewards), rewards)
    assert bool(told["healthy"])
    expected = []
    baseline = 0.0
    bonus = 0.1 * proposals.notes["entropy"].numpy()
    for total in rewards.numpy() + bonus:
        baseline += 0.01 * (total - baseline)
        expected.append(baseline)
    np.testing.assert_allclose(told["baseline"], expected, rtol=1e-5)
    assert float(controller.baseline.value) == pytest.approx(expected[-1])


def test_an_update_without_a_finite_reward_is_not_made():
    controller = sharp_controller(SPACE)
    proposals = controller.ask(2, tf.constant([1, 2]))
    weights = controller.variables_to_train
    before = [weight.numpy() for weight in weights]
    rewards = tf.constant([0.5, np.nan])
    told = controller.tell(proposals, Measured(rewards), rewards)
    assert not bool(told["healthy"])
    for weight, old in zip(weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


@pytest.mark.parametrize(
    ("entropy", "said"),
    [(np.nan, "probabilities are not finite"), (3.0, "loss or its gradient")],
)
def test_an_update_that_was_not_made_is_explained(entropy, said):
    row = {"entropy": entropy, "log_prob": -3.0}
    what, mend = sharp_controller(SPACE).explain(row)
    assert said in what and "--controller_lr" in mend


def test_its_state_is_all_that_it_needs_to_go_on():
    """Another controller with the same state does the same ever after."""
    first, second = sharp_controller(SPACE), sharp_controller(SPACE, 0.3)
    rewards = tf.constant([0.2, 0.9])

    def update(controller, number):
        proposals = controller.ask(2, tf.constant([1, number]))
        return controller.tell(proposals, Measured(rewards), rewards)

    update(first, 0)
    for name, value in second.state.items():
        value.assign(first.state[name])
    assert "baseline" in first.state
    for number in (1, 2):
        ours, theirs = update(first, number), update(second, number)
        np.testing.assert_array_equal(ours["baseline"], theirs["baseline"])
    for name, value in first.state.items():
        np.testing.assert_array_equal(value, second.state[name], name)
