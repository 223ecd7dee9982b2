"""The found cell of RENAS in all that names it."""

import pytest

from nascore.networks import costs
from nascore.networks.config import NetworkConfig
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


def test_the_search_network_is_of_three_stages():
    config = OneCellConfig()
    kinds = config.layer_types
    assert [n for n, kind in enumerate(kinds) if kind == "reduction"] == [2, 5]
    assert len(kinds) == 8 and config.filters == 24
