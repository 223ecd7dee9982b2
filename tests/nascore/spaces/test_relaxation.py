import itertools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from nascore.errors import InputError
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.darts_cells import DartsSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.spaces.relaxation import LargestOfEach, relax

# The sizes of DARTS's cells: 14 edges of 7 operations in each.
DARTS = CellSpace(tuple("abcdefg"), 4)
SPACES = [Bench201Space(), DARTS, CellSpace(("a", "b"), 2, ("one",))]


def numbers_for(space, count, coarse):
    """Numbers of which many are equal, if coarse."""
    rng = np.random.default_rng(1)
    numbers = rng.random((count, relax(space).size)).astype(np.float32)
    return np.round(numbers * 4) / 4 if coarse else numbers


def best(pairs):
    """The key of the largest number; of equal ones the first."""
    return max(pairs, key=lambda pair: pair[1])[0]


def darts_row(numbers, space):
    """Row of one architecture, by looking at all edges of a node."""
    rest = iter(numbers.tolist())
    row = []
    for _, node in itertools.product(space.cell_types, range(space.num_nodes)):
        edges = [
            ((edge, operation), next(rest))
            for edge in range(node + 2)
            for operation in range(len(space.operations))
        ]
        first = best(edges)
        second = best([pair for pair in edges if pair[0][0] != first[0]])
        row += [value for edge in sorted([first, second]) for value in edge]
    return row


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("xp", [np, tnp])
def test_pairs_say_the_same_cells(coarse, xp):
    edges, pairs = DARTS, DartsSpace(DARTS.operations)
    numbers = xp.asarray(numbers_for(edges, 40, coarse))
    rows = np.asarray(relax(pairs).rows(numbers, xp))
    expected = np.asarray(relax(edges).rows(numbers, xp))
    for row, other in zip(rows, expected, strict=True):
        assert pairs.is_legal(row)
        assert pairs.decode(row) == edges.decode(other)
    np.testing.assert_array_equal(
        relax(pairs).positions(xp.asarray(rows), xp),
        relax(edges).positions(xp.asarray(expected), xp),
    )


def test_numbers_of_the_published_spaces():
    assert relax(Bench201Space()).size == 6 * 5
    assert relax(DARTS).size == 2 * 14 * 7


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("space", SPACES)
def test_rows_are_those_of_a_search_through_all(space, coarse):
    relaxation = relax(space)
    numbers = numbers_for(space, 60, coarse)
    found = relaxation.rows(numbers)
    if isinstance(space, CellSpace):
        expected = [darts_row(each, space) for each in numbers]
    else:
        expected = [
            [best(enumerate(edge)) for edge in each.reshape(6, 5).tolist()]
            for each in numbers
        ]
    np.testing.assert_array_equal(found, expected)
    assert all(space.is_legal(row) for row in found)
    # What was chosen has the largest numbers, and leads back to the row.
    marks = np.zeros_like(numbers)
    np.put_along_axis(marks, relaxation.positions(found), 1, axis=1)
    np.testing.assert_array_equal(relaxation.rows(marks), found)


@pytest.mark.parametrize("space", SPACES)
def test_a_graph_finds_what_numpy_finds(space):
    relaxation = relax(space)

    @tf.function(autograph=False)
    def trace(numbers):
        rows = tf.cast(relaxation.rows(numbers, tnp), tf.int32)
        return rows, relaxation.positions(rows, tnp)

    numbers = numbers_for(space, 40, True)
    rows, positions = trace(numbers)
    np.testing.assert_array_equal(rows, relaxation.rows(numbers))
    np.testing.assert_array_equal(positions, relaxation.positions(rows.numpy()))


def test_places_may_have_different_numbers_of_values():
    relaxation = LargestOfEach(np.array([2, 3, 1]))
    numbers = np.array([[0, 1, 5, 5, 5, -1], [2, 1, 0, 1, 2, 9.0]])
    rows = relaxation.rows(numbers)
    np.testing.assert_array_equal(rows, [[1, 0, 0], [0, 2, 0]])
    np.testing.assert_array_equal(
        relaxation.positions(rows), [[1, 2, 5], [0, 4, 5]]
    )


def test_perceptrons_have_no_relaxation():
    with pytest.raises(InputError, match="perceptrons has no relaxation"):
        relax(MlpSpace())
