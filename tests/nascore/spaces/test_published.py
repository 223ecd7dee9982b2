"""The found cell of RENAS in all that names it."""

import keras
import numpy as np
import pytest

from nascore.errors import InputError
from nascore.networks import costs
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import build_network
from nascore.networks.stack import plan
from nascore.spaces.published import (
    CELLS,
    RENAS_OPERATIONS,
    find_cell,
    for_both,
    in_both,
)
from renas.config import OneCellConfig


def test_the_cell_is_that_of_the_public_code():
    cell = find_cell("renas")
    assert cell is CELLS["RENAS"] and find_cell("renal") is None
    # Pairs of operation and input, as printed there: 0, 1 and 2 are
    # separable convolutions of 3, 5 and 7, 3 an average, 7 the identity.
    code = [
        [(1, 0), (0, 1)],
        [(7, 1), (0, 1)],
        [(0, 0), (3, 0)],
        [(1, 1), (0, 0)],
        [(7, 2), (0, 2)],
    ]
    names = {0: "sep_conv_3x3", 1: "sep_conv_5x5", 3: "avg_pool_3x3"}
    names[7] = "identity"
    architecture = cell.space.parse(cell.text)
    for node, pairs in zip(architecture.cells[0].nodes, code, strict=True):
        for (index, op), (operation, tensor) in zip(
            node.edges, pairs, strict=True
        ):
            assert RENAS_OPERATIONS[op] == names[operation]
            assert index == tensor
    assert architecture.cells[0].loose_ends == (3, 4, 5, 6)
    assert cell.space.size() == (6**5 * 720) ** 2
    assert cell.space == OneCellConfig().space


def test_it_stands_everywhere_in_a_network_of_two_types():
    cell = find_cell("RENAS")
    network = NetworkConfig(
        operations=",".join(RENAS_OPERATIONS),
        filters=32,
        num_layers=18,
        aux_weight=0.0,
    )
    one = cell.space.parse(cell.text)
    both = network.space.parse(for_both(cell.space, cell.text))
    assert in_both(one) == both and in_both(both) is both
    stack = plan(network, (32, 32, 3), 10, both)
    assert len(stack.layers) == 20
    found = costs.total(costs.count(stack))
    # Printed: 3.5 million, of cells whose code joins other tensors.
    assert found.parameters == 3_685_472
    assert found.parameters == pytest.approx(3.5e6, rel=0.06)


def test_the_network_for_large_images():
    """N = 4, F = 44: its stem has cells of 11 and 22 channels."""
    cell = find_cell("RENAS")
    network = NetworkConfig(
        operations=",".join(RENAS_OPERATIONS),
        filters=44,
        num_layers=12,
        stem="cells",
    )
    text = for_both(cell.space, cell.text)
    stack = plan(network, (224, 224, 3), 1000, network.space.parse(text))
    assert [layer.width for layer in stack.layers] == [
        *(11, 22),
        *[44] * 4,
        *[88] * 5,
        *[176] * 5,
    ]
    sizes = [layer.output.height for layer in stack.layers]
    assert sizes == [56, *[28] * 5, *[14] * 5, *[7] * 5]
    (read,) = [layer.number for layer in stack.layers if layer.auxiliary]
    assert stack.layers[read - 1].width == 176
    found = costs.total(costs.count(stack), head=False)
    assert found.parameters == 5_483_834
    assert found.multiply_adds == 609_133_472
    # Its public code says 5.366 million, and 580 million.
    assert found.parameters == pytest.approx(5.366e6, rel=0.03)
    assert found.multiply_adds == pytest.approx(580e6, rel=0.06)


def test_odd_widths_are_halved():
    network = NetworkConfig(
        operations="identity",
        filters=12,
        num_nodes=1,
        num_layers=1,
        stem="cells",
        aux_weight=0.0,
    )
    architecture = network.space.parse("0 0 1 0 " * 2)
    shape = (32, 32, 1)
    built = build_network(architecture, shape, 2, network)
    counted = costs.total(costs.count(plan(network, shape, 2, architecture)))
    parameters = sum(np.prod(w.shape) for w in built.trainable_variables)
    assert counted.parameters == parameters
    paths = [
        path.output.shape[-1]
        for path in built.get_layer("layer_0_node_0_0_identity")
        .layers[0]
        .layers
        if isinstance(path, keras.layers.Conv2D)
    ]
    assert paths == [1, 2]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"layout": "darts"}, "--stem=cells is for --layout=enas or ienas"),
        ({"filters": 30}, "--filters=30 is no multiple of 4"),
    ],
)
def test_refused_stems(settings, words):
    with pytest.raises(InputError, match=words) as error:
        NetworkConfig(stem="cells", **settings)
    assert "\n" not in str(error.value)


def test_the_search_network_is_of_three_stages():
    config = OneCellConfig()
    kinds = config.layer_types
    assert [n for n, kind in enumerate(kinds) if kind == "reduction"] == [2, 5]
    assert len(kinds) == 8 and config.filters == 24
