"""Inheritance slot by slot."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.baselines.own_weights import make_evaluator
from nascore.evaluators.inheritance import EDGES, ENDS, PLAIN
from tests.renas.small import CHILDREN, CONFIG, DATA, PARENT, STEPS


@pytest.fixture(scope="module")
def training():
    return make_evaluator(CONFIG, DATA, CONFIG.inheritance).training


def cells(row):
    return np.asarray(row, np.int32).reshape(1, 2, 4)


def differing(training, parent, child, moved=True):
    """Rows of each weight that are a parent's, as plain loops say."""
    found = []
    for part, weight in zip(
        training.parts, training.shared.weights, strict=True
    ):
        if part.kind == PLAIN:
            found.append([True])
        elif part.kind == EDGES:
            rows = []
            for edge in range(4):
                index, op = child[2 * edge], child[2 * edge + 1]
                same = op == part.operation == parent[2 * edge + 1]
                if not moved:
                    same = same and index == parent[2 * edge]
                rows.append(same)
            found.append(rows)
        else:
            loose = [
                [t not in row[::2] for t in range(4)] for row in (parent, child)
            ]
            found.append([a and b for a, b in zip(*loose, strict=True)])
        assert len(found[-1]) in (1, weight.shape[0])
    return found


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("kind", CHILDREN)
def test_weights_are_taken_over_slot_by_slot(training, kind, moved):
    child = np.array(CHILDREN[kind], np.int32)
    kinds = {part.kind for part in training.parts}
    assert kinds == {PLAIN, EDGES, ENDS}
    training.begin(cells(PARENT), None, True, 10.0)
    start = [weight.numpy() for weight in training.shared.weights]
    for number, weight in enumerate(training.shared.weights):
        weight.assign_add(tf.fill(weight.shape, 1.0 + number))
    parent = training.take(cells(PARENT))
    for momentum in training.momenta:
        momentum.assign_add(tf.ones_like(momentum))
    share = training.begin(cells(child), parent, moved, 10.0)
    expected = differing(training, PARENT, child, moved)
    for number, rows in enumerate(expected):
        weight = training.shared.weights[number].numpy()
        factors = np.ravel(training._factors[number])
        np.testing.assert_array_equal(factors, np.where(rows, 1, 10))
        if len(rows) == 1:
            weight, first = weight[None], start[number][None]
        else:
            first = start[number]
        for row, inherited in enumerate(rows):
            added = 1.0 + number if inherited else 0.0
            np.testing.assert_allclose(
                weight[row], first[row] + np.float32(added), rtol=1e-6
            )
        assert not training.momenta[number].numpy().any()
    whole_share = kind == "the same" or (kind == "an input moved" and moved)
    assert (share == 1) == whole_share
    # An individual is what is needed and nothing else.
    whole_size = sum(w.size for w in start)
    assert 0 < sum(w.size for w in parent.weights) < whole_size


def test_new_weights_learn_ten_times_as_fast(training):
    """Against one step of a rate that is ten times as large."""
    row = tf.constant(np.repeat(PARENT[None], STEPS, 0))

    def step(factor, rate, steps=2):
        training.begin(cells(PARENT), None, True, factor)
        training.train(
            row, *(tf.constant(n) for n in (0, 0, steps)), tf.constant(rate)
        )
        return [weight.numpy() for weight in training.shared.weights]

    for one, other in zip(step(10.0, 0.001), step(1.0, 0.01), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    training.begin(cells(PARENT), None, True, 1.0)
    parent = training.take(cells(PARENT))
    child = np.array(CHILDREN["an operation changed"])
    before = [weight.numpy() for weight in training.shared.weights]
    moved = {}
    for factor in (1.0, 10.0):
        training.begin(cells(child), parent, True, factor)
        rows = tf.constant(np.repeat(child[None].astype(np.int32), STEPS, 0))
        training.train(
            rows, *(tf.constant(n) for n in (0, 0, 1)), tf.constant(1e-3)
        )
        moved[factor] = [
            w.numpy() - b
            for w, b in zip(training.shared.weights, before, strict=True)
        ]
    for rows, one, ten in zip(
        differing(training, PARENT, child), moved[1.0], moved[10.0], strict=True
    ):
        if len(rows) == 1:
            np.testing.assert_array_equal(one, ten)
            continue
        for row, inherited in enumerate(rows):
            scale = 1.0 if inherited else 10.0
            np.testing.assert_allclose(
                ten[row], scale * one[row], rtol=2e-2, atol=2e-6
            )
