import numpy as np
import pytest

from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.strategies.config import EvolutionConfig
from nascore.strategies.evolution import (
    Evolution,
    mutate_node_first,
    nodes_of,
)
from tests.nascore.strategies import asking

SPACE = Bench201Space()


def changed(space, rows, parent):
    """The place in which each row differs from its parent."""
    places = [np.flatnonzero(row != parent) for row in rows]
    assert all(len(place) == 1 for place in places)
    return np.concatenate(places)


def check_frequencies(places, expected):
    counts = np.bincount(places, minlength=len(expected))
    mean = np.array(expected) * len(places)
    chi_square = ((counts - mean) ** 2 / mean).sum()
    freedom = len(expected) - 1
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom)


def test_node_first_hits_the_first_edge_in_a_third():
    rng = np.random.default_rng(1)
    parent = np.array([0, 1, 2, 3, 4, 0])
    rows = [
        mutate_node_first(SPACE, nodes_of(SPACE), parent, rng)
        for _ in range(6000)
    ]
    expected = [1 / 3, 1 / 6, 1 / 6, 1 / 9, 1 / 9, 1 / 9]
    check_frequencies(changed(SPACE, rows, parent), expected)
    # The new operation is any of the four others.
    check_frequencies(
        np.array([row[0] for row in rows if row[0]]) - 1, [0.25] * 4
    )


def test_node_first_takes_what_can_change():
    # A cell of one operation: only the inputs have another.
    space = CellSpace(("a",), 2, ("normal",))
    rng = np.random.default_rng(1)
    parent = np.array([0, 0, 1, 0, 2, 0, 0, 0])
    rows = [
        mutate_node_first(space, nodes_of(space), parent, rng)
        for _ in range(2000)
    ]
    places = changed(space, rows, parent)
    assert set(places) == {0, 2, 4, 6}
    check_frequencies(places // 2, [0.25] * 4)


@pytest.mark.parametrize("removal", ["oldest", "worst"])
def test_children_have_parents_that_live(removal):
    config = EvolutionConfig(5, 5, removal=removal)
    strategy = Evolution(SPACE, config)
    asking.search(strategy, range(5))
    # A reference: a list from which one is taken for each that joins.
    worth = asking.worth(strategy.history.rows)
    living = list(zip(worth, range(5), strict=True))
    for number in range(5, 60):
        assert sorted(strategy.eligible()) == sorted(n for _, n in living)
        rows = [strategy.history.rows[n] for _, n in living]
        child = asking.step(strategy, number, 1)[0]
        assert min(np.sum(row != child) for row in rows) == 1
        living.append((asking.worth(child[None])[0], number))
        living.remove(min(living) if removal == "worst" else living[0])


def test_the_best_of_a_tournament_is_the_parent():
    config = EvolutionConfig(4, 200, repeats=True)
    strategy = Evolution(SPACE, config)
    asking.search(strategy, range(4))
    # All four are all but sure to be among two hundred.
    best = strategy.finalists(1, None)[0]
    children = strategy.ask(50, asking.seed_of(9)).rows
    check_frequencies(changed(SPACE, children, best), [1 / 6] * 6)


def test_a_tournament_is_drawn_with_replacement():
    strategy = Evolution(SPACE, EvolutionConfig(4, 2, repeats=True))
    asking.search(strategy, range(4))
    ranked = strategy.finalists(4, None)
    children = strategy.ask(2000, asking.seed_of(9)).rows
    distances = (children[:, None] != ranked[None]).sum(axis=2)
    clear = (distances == 1).sum(axis=1) == 1
    parents = distances[clear].argmin(axis=1)
    # Place k of n is the best of two with ((n - k)^2 - (n - k - 1)^2) / n^2.
    check_frequencies(parents, np.array([7, 5, 3, 1]) / 16)
