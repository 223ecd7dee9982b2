import functools

import numpy as np
import pytest

from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.config import LocalSearchConfig
from nascore.strategies.local_search import LocalSearch
from tests.nascore.strategies import asking
from tests.toy.space import Necklace


@functools.cache
def neighbours(space, row):
    """All legal rows that differ in one place, from the list of all."""
    every = np.array(list(space.enumerate()))
    return {
        tuple(other)
        for other in every[(every != row).sum(axis=1) == 1].tolist()
    }


def climb(space, rows, best):
    """Walks along what was asked for, by the rules, written down anew.

    Yields for each row what it could have been: a set, or None for any new
    one.
    """
    worth = {}
    at = None
    for row in map(tuple, rows.tolist()):
        left = at and neighbours(space, at) - set(worth)
        yield left or None
        start = not left
        worth[row] = asking.worth(np.array([row]))[0]
        if start:
            at, around = row, []
            continue
        around.append(row)
        top = max(around, key=worth.get)
        done = not neighbours(space, at) - set(worth)
        if worth[top] > worth[at] and (done or not best):
            at, around = top, []


@pytest.mark.parametrize("space", [Necklace(4)])
@pytest.mark.parametrize("how", ["first", "best"])
def test_it_climbs_as_a_walk_by_hand_does(space, how):
    strategy = LocalSearch(space, LocalSearchConfig(how))
    rows = asking.search(strategy, range(80))
    texts = list(map(tuple, rows.tolist()))
    assert len(set(texts)) == len(texts) == 80
    starts = 0
    walk = climb(space, rows, how == "best")
    for text, could in zip(texts, walk, strict=True):
        assert could is None or text in could
        starts += could is None
    # It began anew, and did not only draw.
    assert 1 < starts < 25


def test_several_at_once_are_neighbours_of_one():
    space = Bench201Space()
    strategy = LocalSearch(space, LocalSearchConfig())
    assert len(asking.step(strategy, 0, 8)) == 1
    at = strategy.history.rows[0]
    asked = strategy.ask(8, asking.seed_of(1)).rows
    assert len(asked) == 8 and ((asked != at).sum(axis=1) == 1).all()
    assert len(strategy.ask(100, asking.seed_of(1)).rows) == 24
