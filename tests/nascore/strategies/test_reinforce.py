import math

import numpy as np
import pytest
import tensorflow as tf

from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.protocols import Measured, Proposals
from nascore.search.many import Parts, search_many
from nascore.strategies.config import ReinforceConfig
from nascore.strategies.reinforce import Reinforce
from nascore.strategies.rewards import ScoreReward
from tests.nascore.strategies.asking import SPACES, copy_state

BENCH, _, PERCEPTRONS, NECKLACE = SPACES
CONFIG = ReinforceConfig(reinforce_lr=0.3, reinforce_init=1.0)


def log_probs(strategy, space, run=0):
    """Log-probabilities after each value before, by hand, float64."""
    logits = strategy.logits.numpy()[run].astype(float)
    logits = np.broadcast_to(logits, space.allowed.shape) + space.prior
    logits = np.where(space.allowed, logits, -np.inf)
    top = logits.max(axis=2, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(all="ignore"):
        sums = np.log(np.exp(logits - top).sum(axis=2, keepdims=True))
        # After what never stands there all are impossible.
        return np.where(space.allowed, logits - top - sums, -np.inf)


def log_prob_of(table, row):
    before = [0, *row[:-1]]
    return table[np.arange(len(row)), before, row].sum()


def tell(strategy, rows, rewards):
    rewards = tf.constant(rewards, tf.float32)
    rows = tf.constant(rows, tf.int32)
    return strategy.tell(Proposals(rows), Measured(rewards), rewards)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
def test_samples_are_legal_and_their_probabilities_right(space):
    strategy = Reinforce(space, CONFIG, [3])
    seed = tf.constant([1, 2])
    proposals = strategy.ask(200, seed)
    rows = proposals.rows.numpy()
    assert all(space.is_legal(row) for row in rows)
    table = log_probs(strategy, space)
    expected = [log_prob_of(table, row) for row in rows.tolist()]
    found = proposals.notes["log_prob"].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    again = strategy.sample(tf.constant(200), seed)
    np.testing.assert_array_equal(again, rows)


@pytest.mark.parametrize("space", [NECKLACE], ids=["necklace"])
def test_samples_come_as_often_as_they_should(space):
    strategy = Reinforce(space, CONFIG, [3])
    proposals = strategy.ask(20_000, tf.constant([1, 2]))
    table = log_probs(strategy, space)
    every = [tuple(row.tolist()) for row in space.enumerate()]
    chances = np.exp([log_prob_of(table, row) for row in every])
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    rows = list(map(tuple, proposals.rows.numpy().tolist()))
    counts = np.array([rows.count(row) for row in every])
    expected = chances * len(rows)
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = len(every) - 1
    assert chi_square < freedom + 4 * math.sqrt(2 * freedom)
    # The entropies along the choices are on average that of the whole.
    entropy = -(chances * np.log(chances)).sum()
    mean = proposals.notes["entropy"].numpy().mean()
    assert mean == pytest.approx(entropy, rel=0.02)


def test_updates_are_those_of_numpy():
    """Adam on -log p (reward - baseline), summed over places, mean of rows."""
    config = ReinforceConfig(reinforce_lr=0.1, reinforce_init=0.5)
    strategy = Reinforce(BENCH, config, [3])
    logits = strategy.logits.numpy()[0, :, 0].astype(float)
    first = second = np.zeros_like(logits)
    total = weight = 0.0
    rng = np.random.default_rng(1)
    for step in range(1, 6):
        rows = BENCH.sample(rng, 3)
        rewards = rng.random(3)
        told = tell(strategy, rows, rewards)
        assert told["healthy"]
        gradient = np.zeros_like(logits)
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        for row, reward in zip(rows, rewards, strict=True):
            total = 0.9 * total + 0.1 * 100 * reward
            weight = 0.9 * weight + 0.1
            taken = np.eye(5)[row]
            gradient -= (taken - chances) * (100 * reward - total / weight) / 3
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = 0.1 * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        logits = logits - rate * first / (np.sqrt(second) + 1e-8)
        found = strategy.logits.numpy()[0, :, 0]
        np.testing.assert_allclose(found, logits, atol=1e-4)
        last = told["baseline"].numpy()[-1]
        assert last == pytest.approx(total / weight / 100, rel=1e-5)


@pytest.mark.parametrize("space", [BENCH, PERCEPTRONS, NECKLACE])
def test_stacked_searches_are_the_single_ones(space):
    stacked = Reinforce(space, CONFIG, [3, 8])
    single = [Reinforce(space, CONFIG, [seed]) for seed in (3, 8)]
    rng = np.random.default_rng(1)
    for step in range(3):
        seeds = tf.constant([[1, step], [2, step]])
        asked = stacked.ask(2, seeds)
        parts = [one.ask(2, seeds[n]) for n, one in enumerate(single)]
        rows = np.concatenate([part.rows for part in parts])
        np.testing.assert_array_equal(asked.rows, rows)
        rewards = rng.random(4)
        told = tell(stacked, rows, rewards)
        assert told["healthy"].numpy().tolist() == [True] * 4
        each = [
            tell(one, rows[2 * n : 2 * n + 2], rewards[2 * n : 2 * n + 2])
            for n, one in enumerate(single)
        ]
        baselines = np.concatenate([one["baseline"] for one in each])
        np.testing.assert_allclose(told["baseline"], baselines, rtol=1e-6)
    for n, one in enumerate(single):
        np.testing.assert_allclose(
            stacked.logits[n], one.logits[0], rtol=1e-5, atol=1e-6
        )


def test_a_run_that_is_not_finite_is_named_and_changes_nothing():
    strategy = Reinforce(BENCH, CONFIG, [3, 8])
    rows = np.zeros((4, 6), int)
    before = strategy.logits.numpy()
    told = tell(strategy, rows, [0.1, 0.2, math.inf, 0.1])
    assert told["healthy"].numpy().tolist() == [True, True, False, False]
    np.testing.assert_array_equal(strategy.logits, before)


def test_it_goes_on_after_a_restart_and_begins_again():
    whole, other = (Reinforce(BENCH, CONFIG, [3]) for _ in "ab")
    first = whole.logits.numpy()
    rng = np.random.default_rng(1)
    rows, rewards = BENCH.sample(rng, 6), rng.random(6)
    tell(whole, rows[:3], rewards[:3])
    copy_state(whole, other)
    for strategy in (whole, other):
        tell(strategy, rows[3:], rewards[3:])
    np.testing.assert_array_equal(whole.logits, other.logits)
    np.testing.assert_array_equal(whole.baseline.sums, other.baseline.sums)
    whole.restart([3])
    np.testing.assert_array_equal(whole.logits, first)
    fresh = Reinforce(BENCH, CONFIG, [3])
    for strategy in (whole, fresh):
        tell(strategy, rows, rewards)
    np.testing.assert_array_equal(whole.logits, fresh.logits)


def test_on_the_table_searches_are_the_same_alone_stacked_and_restarted():
    def make(seeds):
        return Parts(Reinforce(BENCH, CONFIG, seeds), ScoreReward())

    def rows(seeds, stacked):
        evaluator = Tabular(TableConfig())
        found = search_many(BENCH, evaluator, make, seeds, 40, stacked)
        return np.concatenate([part.rows for part in found])

    together = rows([5, 6, 7, 8], 2)
    np.testing.assert_array_equal(together[2:], rows([7, 8], 1))
