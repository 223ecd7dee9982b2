"""Numbers that stand for rows, against plain loops."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.experimental.numpy as tnp
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.errors import InputError
from nascore.spaces.bench201 import OPERATIONS, Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.spaces.reals import ENCODINGS, ONE_HOT, ORDERED, Reals

# In the last what may follow depends on what is before.
SPACES = [
    Bench201Space(),
    CellSpace(("a", "b", "c"), 2, ("one",)),
    MlpSpace((4, 8), ("relu", "tanh"), max_layers=3),
]


def plain_row(space, encoding, numbers, order=()):
    """The row of one vector, choice after choice."""
    numbers, row, before = list(numbers), [], 0
    for place, about in enumerate(space.places):
        ever = np.flatnonzero(space.allowed[place].any(axis=0)).tolist()
        legal = np.flatnonzero(space.allowed[place, before]).tolist()
        if encoding == ONE_HOT:
            own = dict(zip(ever, numbers, strict=False))
            numbers = numbers[len(ever) :]
            before = max(legal, key=lambda value: own[value])
        else:
            if order and about.kind == "operation":
                names = list(space.operations)
                ranks = [order.index(names[value]) for value in legal]
                legal = [legal[at] for at in np.argsort(ranks)]
            number = np.float32(numbers.pop(0))
            part = int(np.floor(number * np.float32(len(legal))))
            before = legal[min(part, len(legal) - 1)]
        row.append(before)
    return row


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.kind)
def test_rows_are_those_of_plain_loops(space, encoding):
    reals = Reals(space, encoding)
    assert sorted(set(reals.blocks.ravel())) == list(range(reals.size))
    rng = np.random.default_rng(1)
    numbers = rng.random((40, reals.size)).astype(np.float32)
    numbers[:5] = np.round(numbers[:5])  # Ends of the way, and equal ones.
    rows = reals.rows(numbers)
    assert rows.dtype == np.int32
    for row, own in zip(rows, numbers, strict=True):
        assert row.tolist() == plain_row(space, encoding, own)
    graph = tf.function(lambda x: reals.rows(x, tnp), autograph=False)
    np.testing.assert_array_equal(graph(tf.constant(numbers)), rows)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_numbers_leave_the_space(data):
    space = data.draw(st.sampled_from(SPACES))
    reals = Reals(space, data.draw(st.sampled_from(ENCODINGS)))
    # Also beyond the ends.
    number = st.floats(-2, 3, width=32)
    numbers = data.draw(
        st.lists(number, min_size=reals.size, max_size=reals.size)
    )
    (row,) = reals.rows(np.array([numbers], np.float32))
    assert space.is_legal(row)


def test_an_order_of_the_operations():
    order = (OPERATIONS[3], OPERATIONS[0], *OPERATIONS[4:0:-3], OPERATIONS[2])
    assert sorted(order) == sorted(OPERATIONS)
    space = Bench201Space()
    reals = Reals(space, ORDERED, order)
    middles = (np.arange(5, dtype=np.float32)[:, None] + 0.5) / 5
    rows = reals.rows(np.tile(middles, (1, 6)))
    for row, name in zip(rows, order, strict=True):
        assert set(space.decode(row).names) == {name}
    numbers = np.random.default_rng(2).random((20, 6)).astype(np.float32)
    found = reals.rows(numbers)
    for row, own in zip(found, numbers, strict=True):
        assert row.tolist() == plain_row(space, ORDERED, own, order)


@pytest.mark.parametrize(
    ("space", "encoding", "order", "words"),
    [
        (SPACES[0], ORDERED, ("none",), "must name each operation once"),
        (SPACES[0], ORDERED, OPERATIONS[:4] + ("none",), "each operation once"),
        (SPACES[0], ONE_HOT, OPERATIONS, "has no order"),
        (SPACES[2], ORDERED, ("none",), "this space has none"),
    ],
)
def test_refused_orders(space, encoding, order, words):
    with pytest.raises(InputError, match=words) as error:
        Reals(space, encoding, order)
    assert "\n" not in str(error.value)
