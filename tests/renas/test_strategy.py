"""Tournaments, removal and what is noted, against plain loops."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nascore.protocols import Measured
from nascore.seeds import fold_in
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.strategies.random import RandomStrategy
from nascore.strategies.rewards import TangentReward
from renas.config import CONTROLLER, EACH_NODE, IN_ALL, MutationConfig
from renas.strategy import Mutations, needs

SPACE = Bench201Space()
SMALL = MutationConfig(
    population=6,
    sample=3,
    embedding_units=3,
    lstm_units=2,
    controller_lr=0.05,
    controller_init=0.1,
)


def make(seeds=(3,), space=SPACE, **changed):
    return Mutations(space, dataclasses.replace(SMALL, **changed), list(seeds))


def worth(rows):
    rows = np.asarray(rows)
    return (np.sin(rows * 1.3 + np.arange(rows.shape[1])).sum(1) / 20 + 0.5)[:]


def seeds_of(step, seeds):
    found = tf.stack([fold_in(tf.constant([s, 0]), step) for s in seeds])
    return found if len(seeds) > 1 else found[0]


def step(strategy, number, seeds, count=1, lost=()):
    """Asks, measures and tells once; what was asked and told."""
    asked = strategy.ask(count, seeds_of(number, seeds))
    proposals = asked._replace(first=number * len(seeds) * count)
    score = worth(proposals.rows).astype(np.float32)
    if lost:
        kept = np.array([k for k in range(count) if k not in lost])
        notes = {n: v.numpy()[kept] for n, v in asked.notes.items()}
        proposals = proposals._replace(
            rows=asked.rows.numpy()[kept], notes=notes, places=kept
        )
        score = score[kept]
    measured = Measured(tf.constant(score))
    told = dict(strategy.tell(proposals, measured, TangentReward()(measured)))
    assert np.all(told.pop("healthy"))
    columns = {**proposals.notes, **told}
    assert set(columns) == set(strategy.columns)
    return asked, score, {n: np.asarray(v) for n, v in columns.items()}


def values_of(strategy):
    return {name: v.numpy() for name, v in strategy.state.items()}


@pytest.mark.parametrize("removal", ["worst", "oldest"])
@pytest.mark.parametrize("count", [1, 2])
def test_who_lives_is_that_of_plain_lists(removal, count):
    strategy = make(removal=removal, num_aggregate=count, mutator=EACH_NODE)
    living = {}
    best = []
    for number in range(30):
        before = dict(living)
        asked, score, columns = step(strategy, number, [3], count)
        again = strategy.ask(count, seeds_of(number + 1, [3]))
        assert np.array_equal(
            again.rows, strategy.ask(count, seeds_of(number + 1, [3])).rows
        )
        alive = {n for n in asked.keep.numpy() if n >= 0}
        assert alive == set(before)
        for place in range(count):
            own = number * count + place
            parent = int(columns["parent"][place])
            removed = int(columns["removed"][place])
            if len(living) < 6:
                assert parent == removed == -1
            else:
                assert parent in before and removed in before
                assert removed in living
                if removal == "oldest":
                    assert removed == min(living)
                else:
                    # Of three distinct ones the parent is no worse.
                    assert before[parent][1] >= before[removed][1]
                child, row = asked.rows[place].numpy(), before[parent][0]
                changed = [
                    int(columns[f"changed_{b}"][place]) for b in range(3)
                ]
                # One edge of each node, in their order.
                assert changed[0] == 0 and changed[1] in (1, 2)
                assert changed[2] in (3, 4, 5)
                differ = set(np.flatnonzero(child != row))
                assert differ <= set(changed)
                assert columns["same"][place] == (not differ)
                del living[removed]
            living[own] = (asked.rows[place].numpy(), score[place])
            every = np.array([s for _, s in living.values()], np.float64)
            for name, value in (
                ("mean", every.mean()),
                ("std", every.std()),
                ("best", every.max()),
                ("worst", every.min()),
            ):
                found = columns[f"population_{name}"][place]
                assert found == pytest.approx(value, abs=1e-5)
            best.append(every.max())
    if removal == "worst":
        assert np.all(np.diff(best) >= 0)
    ranked = worth(strategy.finalists(4, None).numpy())
    assert np.all(np.diff(ranked) <= 0)
    expected = len({row.tobytes() for row, _ in living.values()})
    assert len(strategy.finalists(99, None)) == expected
    assert len(strategy.sample(tf.constant(9), None)) == 9


def test_tournaments_are_drawn_without_replacement():
    """Ranks of the parent: best of 3 of 6; of who leaves: worst of 3 of 6."""
    strategy = make(mutator=IN_ALL, num_aggregate=1)
    for number in range(6):
        step(strategy, number, [3])
    scores = strategy.population.scores[0].numpy()
    order = {int(n): r for r, n in enumerate(np.argsort(scores))}
    counts = np.zeros((2, 6))
    for number in range(600):
        notes = strategy.ask(1, tf.constant([1, number])).notes
        for row, name in enumerate(("parent", "removed")):
            counts[row, order[int(notes[name][0])]] += 1
    # Of 20 samples: the best is rank 5 in 10, rank 4 in 6, 3 in 3, 2 in 1.
    expected = np.array([0, 0, 1, 3, 6, 10]) / 20
    np.testing.assert_allclose(counts[0] / 600, expected, atol=0.06)
    np.testing.assert_allclose(counts[1] / 600, expected[::-1], atol=0.06)
    assert not counts[0, :2].any() and not counts[1, 4:].any()


def test_with_replacement_parent_and_who_leaves_may_be_one():
    strategy = make(mutator=IN_ALL, with_replacement=True)
    for number in range(6):
        step(strategy, number, [3])
    scores = strategy.population.scores[0].numpy()
    order = {int(n): r for r, n in enumerate(np.argsort(scores))}
    counts, same = np.zeros(6), 0
    for number in range(600):
        notes = strategy.ask(1, tf.constant([1, number])).notes
        counts[order[int(notes["parent"][0])]] += 1
        same += int(notes["parent"][0] == notes["removed"][0])
    ranks = np.arange(7) ** 3
    np.testing.assert_allclose(counts / 600, np.diff(ranks) / 216, atol=0.06)
    # All three are one with a chance of 1/36.
    assert 2 < same < 40


def test_entropy_can_be_a_constant_in_the_reward():
    plain, bonus = (
        make(entropy_in=kind, entropy_weight=0.5, baseline_decay=0.0)
        for kind in ("loss", "reward")
    )
    for number in range(8):
        one = step(plain, number, [3])[2]
        other = step(bonus, number, [3])[2]
        expected = 0.5 * float(other["entropy"][0]) * (number >= 6)
        if number > 6:
            break  # They have learned differently by now.
        # The baseline is the last reward, of the first six their mean.
        found = float(other["baseline"][0] - one["baseline"][0])
        assert found == pytest.approx(expected, abs=1e-3)


def test_sampled_frequencies_are_the_noted_probabilities():
    space = CellSpace(("a", "b"), 1, ("normal",))
    strategy = make(space=space, population=2, sample=2, controller_init=1.0)
    for number in range(2):
        step(strategy, number, [3])
    places, chances = [], {}
    for number in range(600):
        asked = strategy.ask(1, tf.constant([1, number]))
        key = (
            int(asked.notes["changed_0"][0]),
            asked.rows.numpy()[0].tobytes(),
        )
        places.append(key)
        chances[key] = float(np.exp(asked.notes["log_prob"][0]))
    assert sum(chances.values()) == pytest.approx(1, abs=1e-3)
    for key, chance in chances.items():
        found = places.count(key) / len(places)
        assert found == pytest.approx(chance, abs=5 * (chance / 600) ** 0.5)


def test_it_begins_as_random_search_does():
    strategy, other = make(mutator=IN_ALL), RandomStrategy(SPACE)
    for number in range(6):
        asked, *_ = step(strategy, number, [3])
        rows = other.ask(1, seeds_of(number, [3])).rows
        np.testing.assert_array_equal(asked.rows, rows)


def test_a_first_population_can_be_common():
    one, other = (
        make(mutator=IN_ALL, initial_seed=first)._offspring.begin
        for first in (7, 8)
    )
    for number in range(3):
        rows = [one(1, seeds_of(number, [s]))[0] for s in (1, 2)]
        np.testing.assert_array_equal(*rows)
        assert not np.array_equal(rows[0], other(1, seeds_of(number, [1]))[0])


def test_baselines():
    rewards = {}
    for kind in ("moving", "parent", "none"):
        strategy = make(baseline=kind, baseline_decay=0.8, mutator=IN_ALL)
        given, told = {}, []
        for number in range(10):
            _, score, columns = step(strategy, number, [3])
            given[number] = np.tan(score[0] * np.pi / 2)
            told.append(float(columns["baseline"][0]))
            if number < 6:
                mean = np.mean(list(given.values()))
                assert told[-1] == pytest.approx(mean, rel=1e-4)
            elif kind == "moving":
                mean += 0.2 * (given[number] - mean)
                assert told[-1] == pytest.approx(mean, rel=1e-4)
            elif kind == "parent":
                parent = int(columns["parent"][0])
                assert told[-1] == pytest.approx(given[parent], rel=1e-4)
            else:
                assert told[-1] == 0
        rewards[kind] = told
    assert rewards["moving"][:6] == rewards["none"][:6]


def test_stacked_searches_are_single_ones_and_restart_as_new():
    seeds = [3, 4]
    stacked, used = make(seeds), make([8, 9])
    singles = [make([seed]) for seed in seeds]
    step(used, 0, [8, 9])
    used.restart(seeds)
    for name, value in values_of(stacked).items():
        np.testing.assert_array_equal(values_of(used)[name], value)
    for number in range(14):
        asked, _, columns = step(stacked, number, seeds)
        after = values_of(stacked)
        for run, single in enumerate(singles):
            own, _, noted = step(single, number, [seeds[run]])
            np.testing.assert_array_equal(own.rows[0], asked.rows[run])
            for name, value in noted.items():
                np.testing.assert_allclose(
                    value[0], columns[name][run], rtol=1e-3, atol=1e-4
                )
            for name, variable in single.state.items():
                if variable.shape.rank:
                    shared = after[name][run : run + 1]
                    # Adam's steps of 0.05 make much of rounding.
                    np.testing.assert_allclose(
                        variable, shared, rtol=1e-2, atol=5e-3
                    )
                    variable.assign(shared)


def test_what_was_lost_does_not_live():
    strategy = make(num_aggregate=2, mutator=CONTROLLER)
    step(strategy, 0, [3], 2, lost=[0])
    step(strategy, 1, [3], 2)
    step(strategy, 2, [3], 2)
    assert sorted(strategy.population.numbers[0].numpy()) == [-1, 1, 2, 3, 4, 5]
    # There is room for one more, and no more are random.
    assert len(strategy.ask(2, seeds_of(3, [3])).rows) == 1
    step(strategy, 3, [3], 1)
    _, _, columns = step(strategy, 5, [3], 2, lost=[1])
    numbers = set(strategy.population.numbers[0].numpy())
    assert 10 in numbers and 11 not in numbers
    assert int(columns["removed"][0]) not in numbers


def test_needs_grow_with_the_controller():
    one = needs(SMALL, SPACE)["the mutation controller"]
    larger = dataclasses.replace(SMALL, lstm_units=50)
    assert needs(larger, SPACE)["the mutation controller"] > one + 4 * 50**2 * 8
