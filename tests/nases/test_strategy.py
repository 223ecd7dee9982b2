"""Points of the embedding, and what policies learn, against NumPy and SciPy."""

import dataclasses

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from nascore.errors import InputError
from nascore.protocols import Measured
from nascore.seeds import fold_in
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.reals import ORDERED
from nases.code_policy import CodePolicy
from nases.config import (
    BEST,
    CODE,
    CODES,
    FIXED,
    GAUSSIAN,
    LAST,
    LSTM,
    POINTS,
    EmbeddingConfig,
    NasesTableConfig,
)
from nases.rewards import CubeReward, make_reward
from nases.strategy import EmbeddingSearch, needs

SPACE = Bench201Space()
SMALL = EmbeddingConfig(
    encoding=ORDERED, hidden_units=5, hidden_layers=1, controller_lr=0.01
)


def make(seeds=(3,), **changed):
    strategy = EmbeddingSearch(
        SPACE, dataclasses.replace(SMALL, **changed), list(seeds)
    )
    strategy.begin()
    return strategy


def worth(rows):
    rows = np.asarray(rows)
    scores = np.sin(rows * 1.3 + np.arange(rows.shape[1])).sum(1) / 20 + 0.5
    return scores.astype(np.float32)


def seeds_of(step, seeds):
    found = tf.stack([fold_in(tf.constant([s, 0]), step) for s in seeds])
    return found if len(seeds) > 1 else found[0]


def take_step(strategy, number, seeds=(3,), count=1, scores=None):
    """Asks, measures and tells once; what was asked, scores and columns."""
    asked = strategy.ask(count, seeds_of(number, seeds))
    score = worth(asked.rows) if scores is None else np.float32(scores)
    told = dict(strategy.tell(asked, Measured(tf.constant(score)), score))
    assert np.all(told.pop("healthy"))
    columns = {**asked.notes, **told}
    assert set(columns) == set(strategy.columns)
    return asked, score, {n: np.asarray(v) for n, v in columns.items()}


def values_of(strategy):
    return {name: v.numpy() for name, v in strategy.state.items()}


def dense(values, part, x, layers=2):
    """What a network of these weights makes of vectors; float64."""
    for layer in range(layers):
        x = (
            x @ values[f"{part}_kernel_{layer}"]
            + values[f"{part}_bias_{layer}"]
        )
        x = np.tanh(x) if layer < layers - 1 else 1 / (1 + np.exp(-x))
    return x


def of_run(values, run):
    return {
        n: np.asarray(v[run], np.float64) for n, v in values.items() if v.ndim
    }


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


def gradients_of_code(values, states, labels, weights):
    """Those of the public code's loss, by finite differences."""
    names = [n for n in values if n.startswith("controller")]

    def loss(own):
        logits = dense(own, "controller", states.astype(np.float64))
        entropy = np.log1p(np.exp(logits)) - labels * logits
        decay = sum((own[n] ** 2).sum() / 2 for n in names)
        return np.mean(entropy * weights[:, None]) + 0.002 * decay

    found = {}
    for name in names:
        gradient = np.zeros(values[name].shape)
        for place in np.ndindex(gradient.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {n: v.copy() for n, v in values.items()}
                moved[name][place] += step
                ends.append(loss(moved))
            gradient[place] = (ends[0] - ends[1]) / 2e-6
        found[name] = gradient
    return found


def test_the_update_of_the_public_code(monkeypatch):
    """States and codes as stored, rewards standardized, the newest too."""
    strategy = make(policy=CODE, controller_lr=1e-3)
    policy = strategy.policy
    assert isinstance(policy, CodePolicy)
    states, codes, rewards = [], [], []

    def note():
        values = values_of(strategy)
        own = of_run(values, 0)
        states.append(own["state"][0])
        codes.append(dense(own, "controller", own["state"])[0])

    seen = []
    descend = policy._descend

    def watched(states, codes, weights):
        seen.append((states, codes, weights))
        return descend(states, codes, weights)

    for number in range(9):
        note()
        before = values_of(strategy)["controller_kernel_0"]
        _, score, columns = take_step(strategy, number)
        rewards.append(float(score[0]))
        assert np.isnan(columns["log_density"][0])
        np.testing.assert_array_equal(
            values_of(strategy)["controller_kernel_0"], before
        )
    # The tenth reward: the first update, on three of the past and the newest.
    note()
    before = values_of(strategy)
    asked = strategy.ask(1, seeds_of(9, (3,)))
    score = worth(asked.rows)
    rewards.append(float(score[0]))
    following, _ = strategy._following(asked.memo)
    own = of_run(before, 0)
    monkeypatch.setattr(policy, "_descend", watched)
    strategy._tell(
        asked.memo, asked.rows, tf.constant(score), tf.constant(score)
    )
    ((used, labels, weights),) = seen
    scaled = (np.array(rewards) - np.mean(rewards)) / np.std(rewards)
    stored = np.array(states)
    for place in range(3):
        gaps = np.abs(stored - used[0, place].numpy()).max(axis=1)
        at = int(gaps.argmin())
        assert gaps[at] < 1e-6
        assert float(weights[0, place]) == pytest.approx(scaled[at], rel=1e-3)
        np.testing.assert_allclose(labels[0, place], codes[at], atol=1e-5)
    np.testing.assert_allclose(used[0, 3], following[0, 0], atol=1e-6)
    assert float(weights[0, 3]) == pytest.approx(scaled[-1], rel=1e-3)
    newest = dense(own, "controller", following[0].numpy().astype(np.float64))
    np.testing.assert_allclose(labels[0, 3], newest[0], atol=1e-5)
    gradients = gradients_of_code(
        own, *(part[0].numpy() for part in (used, labels, weights))
    )
    after = values_of(strategy)
    for name in ("controller_kernel_1", "controller_bias_0"):
        np.testing.assert_allclose(
            after[f"{name}_mean"][0],
            0.1 * gradients[name],
            rtol=1e-2,
            atol=1e-7,
        )
        clear = np.abs(gradients[name]) > 1e-5
        moved = after[name][0] - own[name]
        np.testing.assert_allclose(
            moved[clear], -1e-3 * np.sign(gradients[name])[clear], rtol=5e-2
        )


def test_memory_of_the_code_keeps_the_last_steps():
    strategy = make(policy=CODE, code_updates=1)
    policy = CodePolicy(strategy.autoencoder, strategy.config, 1, steps=4)
    rewards = [0.1, 0.5, 0.2, 0.9, 0.4, 0.3]
    state = strategy._own["state"].read_value()
    for step, reward in enumerate(rewards):
        policy.learn(
            state,
            policy(state),
            tf.constant([[reward]]),
            state,
            tf.constant(step),
            seeds_of(step, (3,))[None],
        )
    # Three with rewards, and the newest without.
    found = policy._standardized(tf.constant(5), tf.constant(3)).numpy()[0]
    last = np.array(rewards[3:])
    scaled = (last - last.mean()) / last.std()
    np.testing.assert_allclose(found[[3, 0, 1]], scaled, rtol=1e-4)


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


def test_rewards():
    score = np.array([0.5, 0.9])
    np.testing.assert_allclose(
        make_reward("cube")(Measured(tf.constant(score))), score**3, rtol=1e-6
    )
    np.testing.assert_array_equal(
        make_reward("accuracy")(Measured(score)), np.float32(score)
    )
    trained = np.array([0.6, 0.9])
    margin = make_reward("margin")
    assert isinstance(margin, CubeReward)
    found = margin(Measured(score, {"train_accuracy": trained}))
    np.testing.assert_allclose(
        found, (score - (trained - score)) ** 3, rtol=1e-6
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"sigma": 0.0}, "--sigma=0 tries nothing"),
        ({"sigma": -1.0}, "--sigma"),
        ({"random_states": 0.7, "best_states": 0.4}, "more than 1 together"),
        ({"cycle": 10}, "leaves nothing"),
        ({"policy": "other"}, "is not one of"),
    ],
)
def test_refused_settings(changed, words):
    with pytest.raises(InputError, match=words) as error:
        EmbeddingConfig(**changed)
    assert "\n" not in str(error.value)


def test_a_table_refuses_what_it_cannot_have():
    with pytest.raises(InputError, match="--embedding=31 is more than the 30"):
        NasesTableConfig(strategy=EmbeddingConfig(embedding=31))
    with pytest.raises(InputError, match="training accuracies"):
        NasesTableConfig(strategy=EmbeddingConfig(reward_form="margin"))


def test_orders_are_read_with_commas_or_spaces():
    names = ["nor_conv_3x3", "none", "avg_pool_3x3", "skip_connect"]
    names.append("nor_conv_1x1")
    middles = np.full((1, 6), 0.5, np.float32)
    for between in (",", " ", ", "):
        order = between.join(names)
        config = EmbeddingConfig(encoding=ORDERED, operation_order=order)
        assert set(config.reals(SPACE).rows(middles)[0]) == {4}


def test_memory_grows_with_the_networks():
    (few,), (many,) = (
        needs(EmbeddingConfig(hidden_units=units), SPACE).values()
        for units in (64, 4096)
    )
    # Two square layers in simulator and decoder, five copies of 4 bytes.
    assert many - few > 2 * 4096**2 * 5 * 4
