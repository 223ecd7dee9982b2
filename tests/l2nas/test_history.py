import numpy as np
import pytest
import tensorflow as tf

from l2nas.history import BestList, Replay
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.relaxation import relax


class Reference:
    """The best list of one run, in plain Python."""

    def __init__(self, length):
        self.length, self.entries = length, []

    def add(self, row, score):
        if row in [known for known, _ in self.entries]:
            return
        self.entries.append((row, score))
        # Stable: what was seen first stays first.
        self.entries.sort(key=lambda entry: -entry[1])
        del self.entries[self.length :]


def values(rng, space, count):
    """Few different rows, scores with many ties."""
    few = np.unique(space.sample(rng, 25), axis=0)
    chosen = rng.integers(len(few), size=count)
    scores = np.round(rng.random(len(few)) * 8) / 8
    return few[chosen], scores[chosen].astype(np.float32)


@pytest.mark.parametrize(
    "space", [Bench201Space(), CellSpace(("a", "b", "c"), 2)]
)
def test_best_list_is_that_of_plain_python(space):
    rng = np.random.default_rng(0)
    runs, length, steps = 3, 6, 60
    relaxation = relax(space)
    best = BestList(relaxation, runs, length, space.length)
    add = tf.function(best.add, autograph=False)
    references = [Reference(length) for _ in range(runs)]
    given = [values(rng, space, steps) for _ in range(runs)]
    np.testing.assert_array_equal(best.frequencies(), 0)
    for step in range(steps):
        rows = np.stack([rows[step] for rows, _ in given])
        scores = np.stack([scores[step] for _, scores in given])
        add(tf.constant(rows), tf.constant(scores))
        for run, reference in enumerate(references):
            reference.add(tuple(rows[run].tolist()), scores[run])
            held = len(reference.entries)
            known = best.rows[run, :held].numpy().tolist()
            assert [tuple(row) for row in known] == [
                row for row, _ in reference.entries
            ]
            assert np.all(best.scores[run, held:] == -np.inf)
    # The mean of what each of them chose.
    frequencies = best.frequencies().numpy()
    for run, reference in enumerate(references):
        expected = np.zeros(relaxation.size)
        for row, _ in reference.entries:
            chosen = relaxation.positions(np.array([row]))[0]
            np.add.at(expected, chosen, 1 / len(reference.entries))
        np.testing.assert_allclose(frequencies[run], expected, atol=1e-6)
    best.restart()
    np.testing.assert_array_equal(best.frequencies(), 0)


def test_a_repeated_row_changes_nothing_whatever_it_is_worth():
    best = BestList(relax(Bench201Space()), 1, 3, 6)
    row = tf.ones([1, 6], tf.int32)
    for score in (0.5, 0.9, 0.1):
        best.add(row, tf.constant([score]))
    np.testing.assert_allclose(best.scores, [[0.5, -np.inf, -np.inf]])
    # Nor is the row of zeros, which stands where nothing is, taken for known.
    best.add(tf.zeros([1, 6], tf.int32), tf.constant([0.4]))
    np.testing.assert_allclose(best.scores, [[0.5, 0.4, -np.inf]])


def test_replay_keeps_the_last_steps():
    runs, capacity, size, steps = 2, 5, 3, 13
    rng = np.random.default_rng(0)
    replay = Replay(runs, capacity, size)
    states, actions = rng.random((2, steps, runs, size)).astype(np.float32)
    rewards = rng.random((steps, runs)).astype(np.float32)
    for step in range(steps):
        each = (states[step], actions[step], rewards[step])
        replay.add(tf.constant(step), *map(tf.constant, each))
        held = int(replay.held(tf.constant(step + 1)))
        assert held == min(step + 1, capacity)
        slots = np.broadcast_to(np.arange(held), (1, runs, held))
        kept = replay.batches(tf.constant(slots, tf.int32))
        last = range(step + 1 - held, step + 1)
        by_slot = sorted(last, key=lambda number: number % capacity)
        for mine, all_of_them in zip(
            kept, (states, actions, rewards), strict=True
        ):
            for run in range(runs):
                np.testing.assert_array_equal(
                    mine[0, run], all_of_them[by_slot, run]
                )
