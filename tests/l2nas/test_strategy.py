import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from l2nas.config import L2nasConfig, StateConfig
from l2nas.rewards import PowerReward
from l2nas.strategy import L2nasStrategy, StateStrategy, epsilon, needs
from nascore.protocols import Measured
from nascore.seeds import fold_in
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace

SPACE = Bench201Space()
SMALL = {
    "top_k": 5,
    "hidden_units": 6,
    "hidden_layers": 2,
    "replay_batch": 2,
    "max_updates": 3,
    "epsilon_steps": 10,
    "critic_lr": 1e-2,
    "actor_lr": 1e-2,
}
SEEDS = [3, 4, 5]


@pytest.fixture
def not_compiled(monkeypatch):
    """Compilation is tested in test_actor_critic.py."""
    monkeypatch.setattr(tf.test, "is_built_with_xla", lambda: False)


def worth(rows):
    """Some score of rows."""
    return tf.cast(tf.reduce_sum(rows * rows, axis=1), tf.float32) / 100


def take_step(strategy, seed):
    """Asks, measures and tells once; what was asked and told."""
    proposals = strategy.ask(1, seed)
    score = worth(proposals.rows)
    measured = Measured(score)
    told = strategy.tell(proposals, measured, PowerReward()(measured))
    told = dict(told)
    assert bool(told.pop("healthy"))
    columns = {**proposals.notes, **told}
    assert set(columns) == set(strategy.columns)
    return proposals.rows, columns


def step_seeds(step, seeds=SEEDS):
    return tf.stack([fold_in(tf.constant([seed, 0]), step) for seed in seeds])


def values_of(strategy):
    return {name: v.numpy() for name, v in strategy.state.items()}


@pytest.mark.parametrize(
    "config",
    [
        StateConfig(),
        StateConfig(random_steps=3000, epsilon_start=0.0, epsilon_end=0.0),
        StateConfig(random_steps=7, epsilon_steps=0),
        StateConfig(random_steps=7, epsilon_start=0.3, epsilon_end=0.3),
    ],
)
def test_epsilon_is_a_cosine_after_the_random_steps(config):
    for step in (0, 1, 6, 7, 50, 87, 174, 175, 176, 2999, 3000, 9000):
        after = step - config.random_steps
        if after < 0:
            expected = 1.0
        elif after >= config.epsilon_steps:
            expected = config.epsilon_end
        else:
            cosine = math.cos(math.pi * after / config.epsilon_steps)
            reach = config.epsilon_start - config.epsilon_end
            expected = config.epsilon_end + reach * (1 + cosine) / 2
        found = float(epsilon(config, tf.constant(step)))
        assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("space", [SPACE, CellSpace(("a", "b", "c"), 2)])
@pytest.mark.parametrize("kind", [StateStrategy, L2nasStrategy])
def test_rows_are_legal_and_asking_changes_nothing(kind, space, not_compiled):
    strategy = kind(space, L2nasConfig(**SMALL), SEEDS)
    for step in range(12):
        before = values_of(strategy)
        seed = step_seeds(step)
        first, again = (strategy.ask(1, seed) for _ in range(2))
        np.testing.assert_array_equal(first.rows, again.rows)
        for name, value in values_of(strategy).items():
            np.testing.assert_array_equal(value, before[name])
        rows, _ = take_step(strategy, seed)
        np.testing.assert_array_equal(rows, first.rows)
        assert rows.shape == (len(SEEDS), space.length)
        assert all(space.is_legal(row) for row in rows.numpy())
    best = strategy.finalists(tf.constant(3), tf.constant([1, 2])).numpy()
    assert len(best) == 3 and all(space.is_legal(row) for row in best)
    assert np.all(np.diff(worth(best)) <= 0)


@pytest.mark.parametrize("kind", [StateStrategy, L2nasStrategy])
def test_stacked_runs_are_single_runs(kind, not_compiled):
    """From equal states, step by step."""
    config = L2nasConfig(**SMALL)
    stacked = kind(SPACE, config, SEEDS)
    singles = [kind(SPACE, config, [seed]) for seed in SEEDS]
    for step in range(25):
        seeds = step_seeds(step)
        rows, columns = take_step(stacked, seeds)
        after = values_of(stacked)
        for run, single in enumerate(singles):
            row, own = take_step(single, seeds[run])
            np.testing.assert_array_equal(row[0], rows[run])
            for name, value in own.items():
                np.testing.assert_allclose(
                    value[0], columns[name][run], rtol=1e-4, atol=1e-6
                )
            for name, variable in single.state.items():
                shared = after[name]
                if variable.shape.rank:
                    axis = 1 if name in ("actor", "critic") else 0
                    shared = np.take(shared, [run], axis=axis)
                if variable.dtype == tf.int32:
                    np.testing.assert_array_equal(variable, shared)
                else:
                    np.testing.assert_allclose(
                        variable, shared, rtol=1e-3, atol=1e-5
                    )
                variable.assign(shared)


@pytest.mark.parametrize("kind", [StateStrategy, L2nasStrategy])
def test_restarted_is_as_newly_made(kind, not_compiled):
    config = L2nasConfig(**SMALL)
    used, new = kind(SPACE, config, [1, 2]), kind(SPACE, config, [8, 9])
    for step in range(6):
        take_step(used, step_seeds(step, [1, 2]))
    used.restart([8, 9])
    for step in range(6):
        for name, value in values_of(new).items():
            np.testing.assert_array_equal(values_of(used)[name], value)
        seeds = step_seeds(step, [8, 9])
        for one, other in zip(
            take_step(used, seeds), take_step(new, seeds), strict=True
        ):
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)


def test_updates_follow_the_replay_and_learn_from_all_of_it(monkeypatch):
    strategy = L2nasStrategy(SPACE, L2nasConfig(**SMALL), [1])
    seen = []

    def learn(batches, count):
        seen.append((batches, int(count)))
        return tf.zeros([1]), tf.constant(True)

    monkeypatch.setattr(strategy.networks, "learn", learn)
    told = []
    for step in range(40):
        seed = step_seeds(step, [1])[0]
        proposals = strategy.ask(1, seed)
        told.append(proposals.memo)
        measured = Measured(worth(proposals.rows))
        strategy.tell(proposals, measured, tf.constant([float(step)]))
    # Whole batches of two, at most three.
    assert [count for _, count in seen] == [0, 1, 1, 2, 2, *[3] * 35]
    drawn = []
    for batches, _ in seen[20:]:
        for states, actions, rewards in zip(*batches, strict=True):
            for place, number in enumerate(rewards[0].numpy().astype(int)):
                drawn.append(number)
                asked = told[number]
                np.testing.assert_array_equal(states[0, place], asked.states[0])
                np.testing.assert_array_equal(
                    actions[0, place], asked.actions[0]
                )
    assert min(drawn) < 3 and max(drawn) > 33
    assert len(set(drawn)) > 28


def test_without_networks_it_draws_from_the_frequencies():
    space = SPACE
    config = StateConfig(top_k=4, epsilon_start=0.0, epsilon_end=0.0)
    count = 1000
    strategy = StateStrategy(space, config, range(count))
    rows = np.array([[0] * 6, [1] * 6, [2] * 6, [0, 1, 0, 1, 0, 3]], np.int32)
    for place, row in enumerate(rows):
        strategy.best.add(
            tf.constant(np.tile(row, (count, 1))),
            tf.fill([count], 0.1 * place),
        )
    seeds = tf.stack([tf.range(count), tf.zeros([count], tf.int32)], axis=1)
    proposals = strategy.ask(1, seeds)
    assert not np.any(proposals.notes["explored"])
    for place in range(6):
        found = np.bincount(proposals.rows[:, place], minlength=5) / count
        expected = np.bincount(rows[:, place], minlength=5) / 4
        np.testing.assert_allclose(found, expected, atol=0.07)
        assert np.all(found[expected == 0] == 0)


def test_with_an_empty_history_and_no_epsilon_the_state_draws_at_random():
    config = StateConfig(epsilon_start=0.0, epsilon_end=0.0)
    strategy = StateStrategy(SPACE, config, [1])
    assert strategy.ask(1, tf.constant([1, 2])).notes["explored"][0] == 1


def test_actions_follow_the_actor_and_stay_within_the_noise(not_compiled):
    config = L2nasConfig(
        **{**SMALL, "epsilon_steps": 0, "epsilon_end": 0.0, "action_noise": 0.1}
    )
    strategy = L2nasStrategy(SPACE, config, [1])
    differences = []
    for step in range(30):
        memo = strategy.ask(1, tf.constant([1, step])).memo
        differences.append(
            memo.actions - strategy.networks.propose(memo.states)
        )
    differences = np.array(differences)
    assert np.abs(differences).max() <= 0.1 + 1e-6
    assert differences.std() == pytest.approx(0.2 / 12**0.5, rel=0.1)


def test_needs_count_what_is_kept(not_compiled):
    config = L2nasConfig(hidden_units=9, hidden_layers=3, replay_size=50)
    space = CellSpace(("a", "b", "c"), 2)
    kept = {
        name: v.size
        for name, v in values_of(L2nasStrategy(space, config, [1])).items()
    }
    larger = dataclasses.replace(config, replay_size=51, top_k=65)
    one, other = needs(config, space), needs(larger, space)
    added = kept["replay"] // 50 + kept["best_rows"] // 64
    name = "what they learn from"
    assert other[name] - one[name] == 4 * added
    no_networks = needs(config, space)["actor and critic"] - 4 * 4 * (
        kept["actor"] + kept["critic"]
    )
    assert no_networks == 450 * 2**20
