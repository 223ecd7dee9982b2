import numpy as np
import pytest

from nascore.errors import InputError
from nascore.spaces.cells import ENAS_OPERATIONS, CellSpace, Node

MNIST = (
    "1 2 1 3 0 1 0 4 1 1 1 1 0 1 0 1 1 0 0 1 "
    "0 1 0 4 1 0 2 0 0 3 1 1 0 0 0 0 4 1 1 0"
)
CIFAR = (
    "1 0 1 1 1 1 0 0 1 1 0 0 0 3 0 3 1 3 1 1 "
    "1 1 0 3 0 3 0 3 1 3 0 1 1 3 0 2 0 3 1 0"
)
ENAS_BEST = (
    "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 "
    "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"
)
SPACE = CellSpace()
TINY = CellSpace(("identity", "max_pool_3x3"), 2, ("normal",))


@pytest.mark.parametrize("text", [MNIST, CIFAR, ENAS_BEST])
def test_published_architectures_survive_the_round_trip(text):
    architecture = SPACE.parse(text)
    assert str(architecture) == text
    assert SPACE.from_array(architecture.to_array()) == architecture
    assert SPACE.parse(text.replace(" ", ",")) == architecture


def test_nodes_and_loose_ends_of_a_published_cell():
    reduction = SPACE.parse(MNIST).cells[1]
    assert reduction.nodes[2] == Node(0, 3, 1, 1)
    # Indices 0, 1, 2 and 4 are read by some node; 3, 5 and 6 are not.
    assert reduction.loose_ends == (3, 5, 6)


def test_an_unused_input_is_a_loose_end():
    cell = TINY.parse("1 0 1 0 1 1 1 1").cells[0]
    assert cell.loose_ends == (0, 2, 3)


def test_values_hash_and_compare():
    first, again = SPACE.parse(MNIST), SPACE.parse(MNIST)
    assert {first: 1}[again] == 1
    assert first != SPACE.parse(CIFAR)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 x", "word 3 of the architecture must be an integer"),
        ("1 2.5", "word 2 of the architecture must be an integer"),
        ("", "has 40 integers (2 cells x 5 nodes x 4). Received: 0"),
        (MNIST + " 0", "Received: 41 integers"),
        (
            MNIST.replace("1 2", "2 2", 1),
            "integer 1 of the architecture (index_1 of node 0 of the normal "
            "cell) must be from 0 to 1. Received: 2",
        ),
        (
            MNIST[:-1] + "5",
            "integer 40 of the architecture (op_2 of node 4 of the reduction "
            "cell) must be from 0 to 4. Received: 5",
        ),
        ("-1" + MNIST[1:], "must be from 0 to 1. Received: -1"),
        ("9" * 40 + MNIST[1:], "must be from 0 to 1"),
    ],
)
def test_malformed_texts_are_named_exactly(text, message):
    with pytest.raises(InputError) as error:
        SPACE.parse(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [(("a", "a"), 5), ((), 5), (("a",), 0), (("a",), 5, ("x", "x"))],
)
def test_impossible_spaces_are_refused(arguments):
    with pytest.raises(InputError):
        CellSpace(*arguments)


def test_size_counts_what_enumeration_yields():
    every = [TINY.decode(row) for row in TINY.enumerate()]
    assert len(every) == len(set(every)) == TINY.size() == (2 * 2 * 3 * 2) ** 2
    # (2 3 4 5 6)^2 inputs and 5^10 operations, twice.
    assert SPACE.size() == (720**2 * 5**10) ** 2


def test_uniform_sampling_covers_a_tiny_space_evenly():
    rng = np.random.default_rng(0)
    draws = TINY.sample(rng, 20_000)
    _, counts = np.unique(draws, axis=0, return_counts=True)
    assert len(counts) == TINY.size()
    expected = 20_000 / TINY.size()
    chi_square = ((counts - expected) ** 2 / expected).sum()
    # 575 degrees of freedom: mean 575, deviation 34.
    assert chi_square < 575 + 4 * 34


def test_mutation_changes_one_integer_to_another_valid_one():
    rng = np.random.default_rng(0)
    parent = SPACE.sample(rng, 1)[0]
    places = set()
    for _ in range(500):
        child = SPACE.mutate(parent, rng)
        changed = np.flatnonzero(child != parent)
        assert len(changed) == 1
        places.add(int(changed[0]))
    assert len(places) == 40


def test_mutation_needs_an_alternative():
    lonely = CellSpace(("identity",), 1, ("normal",))
    parent = lonely.parse("0 0 0 0")
    rng = np.random.default_rng(0)
    child = lonely.decode(lonely.mutate(lonely.encode(parent), rng))
    assert child.cells[0].nodes[0].op_1 == 0


def test_readable_form():
    assert TINY.describe(TINY.parse("0 1 1 0 2 0 0 1")).splitlines() == [
        "normal cell",
        "  node 0 = max_pool_3x3(input 0) + identity(input 1)",
        "  node 1 = identity(node 0) + max_pool_3x3(input 0)",
        "  output = concat(node 1)",
    ]


def test_other_spaces_parse_their_own_length():
    space = CellSpace((*ENAS_OPERATIONS, "none"), 4, ("normal",))
    assert space.length == 16
    assert space.parse("0 5 1 5 2 0 0 0 3 1 3 1 4 2 4 2").cells[0].nodes[
        0
    ] == Node(0, 5, 1, 5)
