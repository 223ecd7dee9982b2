"""Points of the embedding, and what policies learn, against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from nascore.protocols import Measured
from nases.config import (
    BEST,
    CODE,
    CODES,
    FIXED,
    GAUSSIAN,
    LAST,
    LSTM,
    POINTS,
)
from tests.nases.steps import (
    dense,
    make,
    of_run,
    seeds_of,
    take_step,
    values_of,
    worth,
)


@pytest.mark.parametrize("kind", ["dense", LSTM])
def test_a_controller_begins_as_the_simulator(kind):
    strategy = make((3, 4), autoencoder=kind)
    values = values_of(strategy)
    own = [n for n in values if n.startswith("simulator_")]
    assert own
    for name in own:
        other = name.replace("simulator", "controller")
        np.testing.assert_array_equal(values[name], values[other])
    vectors = tf.random.stateless_uniform([2, 4, 6], [1, 2])
    np.testing.assert_array_equal(
        strategy.policy(vectors), strategy.autoencoder.encode(vectors)
    )


def test_log_densities_are_those_of_scipy():
    strategy = make((3, 4), sigma=0.2)
    asked, _, columns = take_step(strategy, 0, (3, 4), count=3)
    values = values_of(make((3, 4)))
    for run in range(2):
        own = of_run(values, run)
        mean = dense(own, "controller", own["state"])[0]
        normal = scipy.stats.multivariate_normal(mean, 0.2**2 * np.eye(2))
        points = asked.memo.points[run].numpy()
        found = columns["log_density"].reshape(2, 3)[run]
        np.testing.assert_allclose(found, normal.logpdf(points), rtol=1e-4)
        rows = asked.rows.numpy().reshape(2, 3, 6)[run]
        vectors = dense(own, "decoder", np.clip(points, 0, 1))
        np.testing.assert_allclose(asked.memo.vectors[run], vectors, atol=1e-5)
        five = np.minimum(np.floor(vectors * 5), 4)
        np.testing.assert_array_equal(rows, five)
        path = points @ own["axes"]
        np.testing.assert_allclose(
            columns["path_1"].reshape(2, 3)[run], path[:, 0], atol=1e-4
        )


def test_points_of_a_policy_are_normal():
    strategy = make(sigma=0.3)
    points = strategy.ask(4000, seeds_of(1, (3,))).memo.points[0].numpy()
    own = of_run(values_of(strategy), 0)
    mean = dense(own, "controller", own["state"])[0]
    for column, centre in zip(points.T, mean, strict=True):
        p = scipy.stats.kstest((column - centre) / 0.3, "norm").pvalue
        assert p > 1e-3


def test_an_update_is_reinforce_with_adam():
    """Gradients of -mean(log p * advantage) by finite differences."""
    strategy = make(baseline_decay=0.8)
    take_step(strategy, 0, count=3)
    before = values_of(strategy)
    own = of_run(before, 0)
    asked, score, columns = take_step(strategy, 1, count=3)
    baselines = []
    total, weight = before["baseline"][:, 0].astype(float)
    for value in score:
        total, weight = 0.8 * total + 0.2 * value, 0.8 * weight + 0.2
        baselines.append(total / weight)
    np.testing.assert_allclose(columns["baseline"], baselines, rtol=1e-5)
    points = asked.memo.points[0].numpy().astype(np.float64)

    def loss(values):
        mean = dense(values, "controller", own["state"])
        density = -(((points - mean) / 0.15) ** 2).sum(1) / 2
        return -np.mean(density * (score - baselines))

    after = values_of(strategy)
    for name in ("controller_kernel_0", "controller_bias_1"):
        gradient = np.zeros(own[name].shape)
        for place in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {n: v.copy() for n, v in own.items()}
                moved[name][place] += step
                ends.append(loss(moved))
            gradient[place] = (ends[0] - ends[1]) / 2e-6
        mean = 0.9 * own[f"{name}_mean"] + 0.1 * gradient
        np.testing.assert_allclose(
            after[f"{name}_mean"][0], mean, rtol=1e-2, atol=1e-5
        )
        square = 0.999 * own[f"{name}_square"] + 0.001 * gradient**2
        step = mean / (1 - 0.9**2) / (np.sqrt(square / (1 - 0.999**2)) + 1e-8)
        np.testing.assert_allclose(
            after[name][0], own[name] - 0.01 * step, atol=2e-4
        )


@pytest.mark.parametrize("policy", [GAUSSIAN, CODE, POINTS, CODES])
def test_the_decoder_is_frozen_and_asking_changes_nothing(policy):
    strategy = make((3, 4), policy=policy)
    start = values_of(strategy)
    first = strategy.ask(1, seeds_of(0, (3, 4)))
    again = strategy.ask(1, seeds_of(0, (3, 4)))
    np.testing.assert_array_equal(first.rows, again.rows)
    for name, value in values_of(strategy).items():
        np.testing.assert_array_equal(value, start[name])
    for number in range(12):
        take_step(strategy, number, (3, 4))
    end = values_of(strategy)
    for name, value in start.items():
        frozen = name.startswith(("simulator", "decoder", "axes"))
        if frozen:
            np.testing.assert_array_equal(value, end[name])
    if policy in (GAUSSIAN, CODE):
        name = "controller_kernel_0"
        assert not np.array_equal(start[name], end[name])
    legal = strategy.ask(50, seeds_of(99, (3, 4))).rows.numpy()
    assert legal.min() >= 0 and legal.max() <= 4


def test_points_are_uniform_and_codes_are_the_simulators():
    points = make(policy=POINTS).ask(3000, seeds_of(0, (3,))).memo.points[0]
    for column in points.numpy().T:
        assert scipy.stats.kstest(column, "uniform").pvalue > 1e-3
    codes = make(policy=CODES)
    points = codes.ask(2000, seeds_of(0, (3,))).memo.points[0].numpy()
    vectors = codes.autoencoder.uniform(2000, 6, 77)
    other = codes.autoencoder.encode(vectors)[0].numpy()
    for place in range(2):
        found = scipy.stats.ks_2samp(points[:, place], other[:, place])
        assert found.pvalue > 1e-3


@pytest.mark.parametrize("state", [LAST, BEST, FIXED])
def test_states_are_what_settings_say(state):
    strategy = make(state=state)
    first = values_of(strategy)["state"]
    best, decoded, rows = -np.inf, None, None
    for number in range(8):
        asked, score, columns = take_step(strategy, number, count=2)
        vectors = asked.memo.vectors[0].numpy()
        if score.max() > best:
            best, decoded = score.max(), vectors[score.argmax()]
            rows = asked.rows[int(score.argmax())].numpy()
        found = values_of(strategy)
        expected = {LAST: vectors[-1], BEST: decoded, FIXED: first[0, 0]}
        np.testing.assert_allclose(
            found["state"][0, 0], expected[state], atol=1e-6
        )
        assert found["best_score"][0] == best
        np.testing.assert_array_equal(found["best_row"][0], rows)
    finalists = strategy.finalists(tf.constant(4), tf.constant([1, 2]))
    assert finalists.shape == (4, 6)
    np.testing.assert_array_equal(finalists[0], rows)


def test_chances_of_other_states():
    seeds = tuple(range(1, 51))
    strategy = make(seeds, random_states=0.3, best_states=0.2)
    take_step(strategy, 0, seeds)
    took = {"random": 0, "best": 0, "last": 0}
    for number in range(1, 21):
        asked, _, columns = take_step(strategy, number, seeds)
        values = values_of(strategy)
        is_random = values["random_state"] > 0
        is_last = np.all(
            np.isclose(values["state"], asked.memo.vectors), axis=(1, 2)
        )
        is_best = (values["state"] == values["best_state"]).all((1, 2))
        assert np.all(is_random | is_last | is_best)
        took["random"] += is_random.sum()
        took["best"] += (is_best & ~is_last).sum()
        took["last"] += is_last.sum()
    assert took["random"] == pytest.approx(300, abs=60)
    # Where the last is the best both are one.
    assert 0 < took["best"] < 260 and took["last"] > 400


@pytest.mark.parametrize("policy", [GAUSSIAN, CODE])
def test_cycles(policy):
    strategy = make(policy=policy, cycle=6, cycle_random=2)
    name, other = "controller_kernel_0", "simulator_kernel_0"
    for number in range(13):
        values = values_of(strategy)
        random = number % 6 < 2
        assert bool(values["random_state"][0]) == random
        same = np.array_equal(values[name], values[other])
        take_step(strategy, number)
        after = values_of(strategy)
        if number % 6 == 0 or (random and policy == GAUSSIAN):
            assert same
        if policy == GAUSSIAN:
            # In random steps nothing is learned, nor as a cycle ends.
            learned = not np.array_equal(after[name], values[name])
            assert learned == (not random)


def test_lost_rows_are_not_told():
    strategy, other = make(), make()
    asked = strategy.ask(3, seeds_of(0, (3,)))
    kept = np.array([0, 2], np.int32)
    score = worth(asked.rows)[kept]
    cut = asked._replace(rows=asked.rows.numpy()[kept], places=kept)
    told = strategy.tell(cut, Measured(score), score)
    assert len(told["baseline"]) == 2
    whole = other.ask(3, seeds_of(0, (3,)))
    memo = whole.memo._replace(
        points=tf.gather(whole.memo.points, kept, axis=1),
        vectors=tf.gather(whole.memo.vectors, kept, axis=1),
    )
    other.tell(
        whole._replace(rows=tf.gather(whole.rows, kept), memo=memo),
        Measured(score),
        score,
    )
    for name, value in values_of(other).items():
        np.testing.assert_array_equal(value, values_of(strategy)[name], name)
