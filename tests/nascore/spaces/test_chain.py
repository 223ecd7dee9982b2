"""Layers of four numbers, as rows, texts and architectures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nascore.errors import InputError
from nascore.spaces import kinds
from nascore.spaces.chain import (
    PUBLISHED_CHAINS,
    ChainLayer,
    ChainSpace,
    find_chain,
    is_chain,
    joined,
    kind_of,
)
from nascore.spaces.perceptrons import MlpSpace
from nascore.spaces.reals import Reals

SPACE = ChainSpace(3)
NASES = ChainSpace().parse(PUBLISHED_CHAINS["NASES"])


@given(st.lists(st.integers(0, 28), min_size=12, max_size=12))
def test_rows_and_texts_come_back(numbers):
    row = np.array(numbers, np.int32)
    architecture = SPACE.decode(row)
    assert SPACE.encode(architecture).tolist() == numbers
    text = SPACE.format(architecture)
    assert SPACE.parse(text) == architecture
    assert is_chain(text)
    assert SPACE.is_legal(row)


@given(st.integers(0, 2**32 - 1))
def test_numbers_decode_to_equal_parts(seed):
    numbers = np.random.default_rng(seed).random((5, 12))
    rows = Reals(SPACE, "ordered").rows(numbers)
    np.testing.assert_array_equal(rows, np.floor(numbers * 29))


def test_size_and_kinds():
    assert SPACE.size() == 29**12
    assert ChainSpace(2).length == 8
    assert kinds.from_fields(kinds.to_fields(SPACE)) == SPACE


def test_operations_are_as_likely_as_in_the_public_code():
    names = [ChainLayer(o, 1, 1, 1).kind for o in range(1, 30)]
    counts = {name: names.count(name) for name in set(names)}
    assert counts == {
        "separable": 4,
        "convolution": 15,
        "max pool": 5,
        "average pool": 5,
    }
    sizes = [ChainLayer(1, k, 1, 1).kernel_size for k in range(1, 30)]
    assert sizes == [3] * 14 + [5] * 15


def test_the_published_architecture():
    found = [kind_of(NASES, number) for number in range(15)]
    assert found.count("convolution") == 13
    assert [n for n, kind in enumerate(found) if kind == "max pool"] == [6, 11]
    # Numbers of skips 13, 13, 7, 13: the third is far from the others.
    assert [joined(NASES, n) for n in range(4)] == [[], [0], [], [0, 1]]
    assert find_chain(" nases ") == PUBLISHED_CHAINS["NASES"]
    assert find_chain("DARTS_V2") is None
    lines = ChainSpace().describe(NASES).splitlines()
    assert lines[3].endswith("12 x --filters channels; joins 0, 1")


def test_other_texts_are_none():
    perceptron = MlpSpace()
    text = perceptron.format(perceptron.draw(np.random.default_rng(0)))
    assert not is_chain(text)
    assert not is_chain("0 2 0 0 1 0 1 1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 1 1 1 | 1 1 1 1", "has 3 layers"),
        ("1 1 1 1 | 1 1 1 30 | 1 1 1 1", "skip of layer 2 is 30"),
        ("0 1 1 1 | 1 1 1 1 | 1 1 1 1", "operation of layer 1 is 0"),
        ("1 1 1 1 | 1 1 1 | 1 1 1 1", "layer 2 must be four numbers"),
        ("1 1 1 1 | 1 1 x 1 | 1 1 1 1", "layer 2 must be four numbers"),
    ],
)
def test_what_is_wrong_is_named(text, words):
    with pytest.raises(InputError, match=words) as error:
        SPACE.parse(text)
    assert "\n" not in str(error.value)


def test_refused_rows_and_sizes():
    with pytest.raises(InputError, match="is 12 numbers"):
        SPACE.decode(np.zeros(11, np.int32))
    with pytest.raises(InputError, match="from 2 to 50"):
        ChainSpace(1)
