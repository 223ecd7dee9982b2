"""What every strategy without a graph must do, on every kind of space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.spaces.cells import CellSpace
from tests.nascore.strategies import asking
from tests.nascore.strategies.asking import HOSTED, SPACES, copy_state, make

STEPS = 16


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
@pytest.mark.parametrize("config", HOSTED, ids=str)
def test_rows_are_legal_pure_and_go_on_after_a_restart(config, space):
    whole, other = make(config, space), make(config, space)
    rows = asking.search(whole, range(STEPS), 2)
    assert rows.dtype == np.int32 and len(rows) > STEPS
    assert all(space.is_legal(row) for row in rows)
    # Who is asked in between, for other seeds, too, is not changed by it.
    halves = [asking.search(other, range(STEPS // 2), 2)]
    again = make(config, space)
    copy_state(other, again)
    first, second, _ = (other.ask(2, asking.seed_of(n)).rows for n in (9, 9, 3))
    np.testing.assert_array_equal(first, second)
    for half in (other, again):
        rest = asking.search(half, range(STEPS // 2, STEPS), 2)
        np.testing.assert_array_equal(np.concatenate([*halves, rest]), rows)


@settings(max_examples=12, deadline=None)
@given(
    operations=st.integers(1, 4),
    nodes=st.integers(1, 3),
    count=st.integers(1, 5),
    config=st.sampled_from(HOSTED[:-1]),
)
def test_cells_of_any_size(operations, nodes, count, config):
    space = CellSpace(tuple("abcd"[:operations]), nodes, ("normal",))
    strategy = make(config, space)
    rows = asking.search(strategy, range(12), count)
    assert all(space.is_legal(row) for row in rows)
    # What asks for no row again has seen each once, or not all there are.
    texts = [row.tobytes() for row in rows]
    if getattr(config, "repeats", None) is False or hasattr(config, "climb"):
        assert len(set(texts)) == len(texts)
    best = strategy.finalists(3, None)
    assert 1 <= len(best) <= 3
    # As many as are asked for, again from the first.
    sample = strategy.sample(5, None).numpy()
    np.testing.assert_array_equal(sample[: len(best)], best)
    assert sample.shape == (5, space.length)


@pytest.mark.parametrize("config", [HOSTED[0], *HOSTED[2:4]], ids=str)
def test_where_all_is_measured_nothing_is_asked(config):
    space = CellSpace(("a", "b"), 1, ("normal",))
    strategy = make(config, space)
    rows = asking.search(strategy, range(60), 1)
    assert len(rows) == space.size() == len({row.tobytes() for row in rows})
    assert strategy.ask(3, asking.seed_of(99)).rows.shape == (0, space.length)


def test_finalists_are_the_best_measured_each_once():
    space = SPACES[0]
    strategy = make(HOSTED[1], space)
    rows = asking.search(strategy, range(30), 2)
    worth = asking.worth(rows)
    best = np.unique(worth)[::-1][:4]
    # The worst dies, so that the best of all live; some repeat each other.
    np.testing.assert_allclose(
        asking.worth(strategy.finalists(4, None)),
        best[: len(strategy.finalists(4, None))],
    )
