"""Whole networks as values, texts and rows."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nascore.errors import InputError
from nascore.spaces import kinds
from nascore.spaces.macro import (
    PUBLISHED_NETWORKS,
    MacroSpace,
    find_network,
    macro_layers,
)

SPACE = MacroSpace(num_layers=3)


def size(layers, operations=6):
    return operations**layers * 2 ** (layers * (layers - 1) // 2)


@pytest.mark.parametrize("layers", [1, 2, 5, 12, 24])
def test_there_are_six_operations_a_layer_and_a_bit_a_pair(layers):
    space = MacroSpace(num_layers=layers)
    assert space.size() == size(layers)
    assert space.length == layers * (layers + 1) // 2
    assert space.is_skip.sum() == math.comb(layers, 2)


def test_twelve_layers_are_the_papers_number():
    assert f"{MacroSpace().size():.1e}" == "1.6e+29"


def test_every_row_of_a_tiny_space_is_another_network():
    space = MacroSpace(("conv_3x3", "max_pool_3x3"), 3)
    rows = list(space.enumerate())
    found = {space.decode(row) for row in rows}
    assert len(found) == len(rows) == size(3, 2) == 64
    assert len(space.neighbours(rows[0])) == space.length
    stored = json.loads(json.dumps(kinds.to_fields(space)))
    assert kinds.from_fields(stored) == space


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_texts_and_rows_stand_for_one_network(data):
    layers = data.draw(st.integers(1, 6))
    space = MacroSpace(num_layers=layers)
    seed = data.draw(st.integers(0, 99))
    row = space.sample(np.random.default_rng(seed), 1)[0]
    network = space.decode(row)
    text = space.format(network)
    assert text.split() == [str(value) for value in row.tolist()]
    assert space.parse(text) == network
    assert space.encode(network).tolist() == row.tolist()
    # Layer by layer, bits as words of their own or as one.
    parts = [
        (str(layer.operation), "".join(map(str, layer.skips)))
        for layer in network.layers
    ]
    assert space.parse(" | ".join(map(" ".join, parts))) == network
    assert space.parse(";".join(map(str, network.layers)) + ";") == network
    if layers > 1:
        changed = space.mutate(row, np.random.default_rng(seed))
        assert (changed != row).sum() == 1 and space.is_legal(changed)


def test_skips_are_counted_and_named():
    network = SPACE.parse("0 5 1 2 0 1")
    assert [layer.sources for layer in network.layers] == [(), (0,), (1,)]
    assert network.skip_share == 2 / 3
    assert SPACE.parse("0 0 0 0 0 0").skip_share == 0
    assert SPACE.describe(network).splitlines()[1:] == [
        "  layer 1 = conv 3x3(stem)",
        "  layer 2 = max pool 3x3(layer 1) + stem",
        "  layer 3 = conv 5x5(layer 2) + layer 1",
        "  2 of 3 possible skips (67%)",
    ]


def test_the_published_network_is_known_by_its_name():
    text = find_network(" enas_macro ")
    network = MacroSpace(num_layers=24).parse(text)
    assert find_network("ENAS_MICRO") is None
    assert network == MacroSpace(num_layers=24).parse(
        PUBLISHED_NETWORKS["ENAS_MACRO"]
    )
    chosen = [layer.operation for layer in network.layers]
    # Facts of the public code: no pools, 98 of 276 bits.
    assert np.bincount(chosen).tolist() == [8, 2, 9, 5]
    assert sum(len(layer.sources) for layer in network.layers) == 98
    assert network.skip_share == pytest.approx(98 / 276)
    assert macro_layers(text) == 24


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("0 1 0", 2),
        ("0 1 0 2 0 1", 3),
        ("0|1 0", 2),
        ("1 1 1 0 2 3 1 0", None),
        # 15 layers, or cells of 15 nodes: cells, unless bars say more.
        (" ".join("0" * 120), None),
        ("256 relu | softmax", None),
        ("DARTS_V2", None),
        ("0", None),
        ("", None),
    ],
)
def test_a_text_looks_like_a_network_or_not(text, layers):
    assert macro_layers(text) == layers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 1 0 2 0", "layer 3 has 1 of its 2 bits"),
        ("0 1 0 2 0 1 1", "1 too many"),
        ("0 1 0", "which are 2 layers; give --num_layers"),
        ("0 | 1 0 | 2 011", "layer 3 must have an operation and 2 bits"),
        ("0 | 1 | 2 01", "layer 2 must have an operation and 1 bit,"),
        ("0 | 1 0", "a network of 3 layers"),
        ("0 6 0 2 0 1", "operation of layer 2 must be from 0 to 5"),
        ("0 1 0 2 0 2", "bit 2 of layer 3, for a skip from layer 1,"),
        ("0 1 7 2 0 1", "bit 1 of layer 2, for a skip from stem,"),
        ("0 1 0 2 0 x", "word 6 of the architecture must be an integer"),
        ("0 | 1 b | 2 01", "word 2 of layer 2 must be an integer"),
        ("", "Received: 0 integers"),
        ("9" * 5000, "must be an integer"),
    ],
)
def test_what_is_wrong_names_the_layer(text, said):
    with pytest.raises(InputError, match=said) as caught:
        SPACE.parse(text)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "fields",
    [
        {"num_layers": 0},
        {"num_layers": 101},
        {"operations": ()},
        {"operations": ("a b",)},
    ],
)
def test_a_space_that_cannot_be_is_refused(fields):
    with pytest.raises(InputError):
        MacroSpace(**fields)
