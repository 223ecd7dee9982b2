"""What every space has to hold, whatever it is made of."""

import collections

import numpy as np
import pytest

from nascore.spaces.cells import CellSpace
from nascore.spaces.darts_cells import DartsSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.spaces.space import Place

SPACES = {
    "cells": CellSpace(("identity", "max_pool_3x3"), 1),
    "one cell": CellSpace(("a", "b", "c"), 2, ("normal",)),
    "DARTS cells": DartsSpace(("a", "b"), 2, ("normal",)),
    "perceptrons": MlpSpace((8, 16), ("relu",), max_layers=4),
    "paper's prior": MlpSpace((8,), ("relu",), 5, depth_prior="paper"),
}


@pytest.fixture(params=SPACES.values(), ids=SPACES.keys(), scope="module")
def space(request):
    return request.param


@pytest.fixture(scope="module")
def rows(space):
    return list(space.enumerate())


def test_enumeration_yields_every_architecture_once(space, rows):
    architectures = [space.decode(row) for row in rows]
    assert len(set(architectures)) == len(rows) == space.size()
    for row, architecture in zip(rows, architectures, strict=True):
        np.testing.assert_array_equal(space.encode(architecture), row)
        assert space.parse(space.format(architecture)) == architecture
        columns = space.columns(architecture)
        assert tuple(columns) == space.column_names
        assert space.parse_columns(columns) == architecture
        assert "\n" not in space.format(architecture)


def test_only_enumerated_rows_are_legal(space, rows):
    known = {tuple(row) for row in rows}
    rng = np.random.default_rng(0)
    values = space.allowed.shape[-1]
    for row in rng.integers(0, values, (2000, space.length)):
        assert space.is_legal(row) == (tuple(row.tolist()) in known)
    assert not space.is_legal(rows[0][:-1])
    assert not space.is_legal(np.full(space.length, values))
    assert not space.is_legal(np.full(space.length, -1))


def test_places_say_what_each_integer_is(space):
    assert len(space.places) == space.length == len(space.allowed)
    assert all(isinstance(place, Place) for place in space.places)
    assert space.prior.shape == space.allowed.shape


def chances(space, rows):
    """Of each row under the prior, place by place."""
    found = []
    for row in rows:
        chance, before = 1.0, 0
        for place, value in enumerate(row):
            odds = np.exp(space.prior[place, before])
            odds = odds * space.allowed[place, before]
            chance *= odds[value] / odds.sum()
            before = value
        found.append(chance)
    return np.array(found)


def test_samples_follow_the_prior(space, rows):
    count = 20_000
    drawn = space.sample(np.random.default_rng(1), count)
    counted = collections.Counter(map(tuple, drawn.tolist()))
    expected = count * chances(space, rows)
    assert expected.sum() == pytest.approx(count)
    found = np.array([counted[tuple(row.tolist())] for row in rows])
    assert found.sum() == count  # None is illegal.
    statistic = ((found - expected) ** 2 / expected).sum()
    freedom = len(rows) - 1
    assert statistic < freedom + 5 * np.sqrt(2 * freedom)


def test_neighbours_differ_in_one_place(space, rows):
    table = np.array(rows)
    for row in rows[:: max(1, len(rows) // 20)]:
        near = table[(table != row).sum(axis=1) == 1]
        ours = space.neighbours(row)
        assert sorted(map(tuple, ours.tolist())) == sorted(
            map(tuple, near.tolist())
        )


def test_mutations_are_other_legal_rows(space, rows):
    rng = np.random.default_rng(2)
    known = {tuple(row.tolist()) for row in rows}
    for row in rows[:: max(1, len(rows) // 20)]:
        child = tuple(space.mutate(row, rng).tolist())
        assert child in known
        assert child != tuple(row.tolist())


def test_mutations_of_a_perceptron_change_its_depth():
    space = SPACES["perceptrons"]
    rng = np.random.default_rng(3)
    parent = space.encode(space.parse("8 relu | 16 relu | softmax"))
    depths = collections.Counter(
        np.count_nonzero(space.mutate(parent, rng)) for _ in range(300)
    )
    assert set(depths) == {2, 3, 4}
    assert min(depths.values()) > 50
