"""The plan of a network against sums by hand and against what is built."""

import numpy as np
import pytest
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.networks.discrete import build_network
from nascore.networks.maps import Link, Map
from nascore.networks.shared_cell import SharedCell
from nascore.networks.stack import plan
from nascore.networks.supernet import Supernet
from nascore.spaces.cells import CellSpace

SIZES = {"filters": 4, "num_normal_cells": 2, "num_reduction_cells": 1}
# One node; in the reduction cell it leaves input 1 and itself loose.
CELLS = "0 0 1 1  0 1 0 4"


def test_supernet_by_hand():
    stack = plan(SupernetConfig(num_nodes=1, **SIZES), (8, 16, 3), 7)
    assert (stack.image, stack.stem) == (Map(8, 16, 3), Map(8, 16, 12))
    assert [layer.kind for layer in stack.layers] == [
        *("normal", "normal", "reduction")
    ]
    four, eight = Map(8, 16, 4), Map(4, 8, 8)
    assert [layer.output for layer in stack.layers] == [four, four, eight]
    stem = Link(stack.stem, four)
    assert [layer.inputs for layer in stack.layers] == [
        (stem, stem),
        (stem, Link(four, four)),
        # Both are the last output, reduced twice.
        (Link(four, eight), Link(four, eight)),
    ]
    assert [layer.strides for layer in stack.layers] == [1, 1, 1]
    assert [layer.cell for layer in stack.layers] == [0, 0, 1]


def test_after_a_reduction_the_supernet_reads_the_reduced():
    config = SupernetConfig(filters=4, num_layers=5, num_nodes=1)
    assert config.layer_types[:4] == (
        *("normal", "reduction", "normal", "reduction"),
    )
    stack = plan(config, (16, 16, 3), 7)
    eight = Map(8, 8, 8)
    assert stack.layers[2].inputs == (Link(eight, eight),) * 2
    assert [layer.auxiliary for layer in stack.layers].index(True) == 4


def test_discrete_network_by_hand():
    config = NetworkConfig(num_nodes=1, **SIZES)
    architecture = config.space.parse(CELLS)
    stack = plan(config, (8, 8, 3), 7, architecture)
    # A loose end more makes an output wider.
    ends = [len(cell.loose_ends) for cell in architecture.cells]
    assert ends == [1, 2]
    four = Map(8, 8, 4)
    assert [layer.output for layer in stack.layers] == [
        *(four, four, Map(4, 4, 16))
    ]
    inside = Map(8, 8, 8)
    assert stack.layers[2].inputs == (Link(four, inside), Link(four, inside))
    assert stack.layers[2].node == Map(4, 4, 8)
    assert [layer.strides for layer in stack.layers] == [1, 1, 2]
    again = plan(
        NetworkConfig(num_nodes=1, filters=4, num_layers=1, layout="ienas"),
        (8, 8, 3),
        7,
        architecture,
    )
    # Reductions in layers 0 and 1: input 0 of the latter is to be halved.
    first, second = again.layers[1].inputs
    assert first == Link(again.stem, Map(4, 4, 16)) and first.halves
    assert second.changes is False and not second.halves


@pytest.mark.parametrize("seed", range(3))
def test_every_layer_of_the_discrete_network_is_as_planned(seed):
    config = NetworkConfig(num_nodes=3, filters=4, num_layers=3)
    architecture = config.space.draw(np.random.default_rng(seed))
    network = build_network(architecture, (16, 8, 3), 7, config)
    stack = plan(config, (16, 8, 3), 7, architecture)
    names = {layer.name for layer in network.layers}
    for layer in stack.layers:
        ends = architecture.cells[layer.cell].loose_ends
        name = f"{layer.name}_output"
        if len(ends) == 1:
            name = f"{layer.name}_node_{ends[0] - 2}"
        output = network.get_layer(name).output
        assert output.shape[1:] == layer.output.shape
        node = network.get_layer(f"{layer.name}_node_0").output
        assert node.shape[1:] == layer.node.shape
        base = network.get_layer(f"{layer.name}_base").output
        assert base.shape[1:] == layer.inside.shape
        for side, link in enumerate(layer.inputs):
            assert (f"{layer.name}_input_{side}" in names) == link.changes
    assert network.output["auxiliary"].shape[1:] == (7,)


def test_every_layer_of_the_supernet_is_as_planned():
    shapes = []

    class Recorder(SharedCell):
        def call(self, input_0, input_1, cell):
            output = super().call(input_0, input_1, cell)
            shapes.append((input_0.shape, input_1.shape, output.shape))
            return output

    config = SupernetConfig(filters=4, num_layers=3, num_nodes=2)
    supernet = Supernet(config, (16, 8, 3), 7, Recorder)
    values = tf.zeros(config.space.array_shape, tf.int32)
    supernet(tf.ones([2, 16, 8, 3]), values)
    assert shapes == [
        tuple((2, *made.shape) for made in (layer.inside,) * 2)
        + ((2, *layer.output.shape),)
        for layer in supernet.stack.layers
    ]


def test_a_single_cell_type_stands_everywhere():
    class OneCell(NetworkConfig):
        @property
        def space(self):
            return CellSpace(("identity", "none"), 1, ("normal",))

    config = OneCell(**SIZES)
    architecture = config.space.parse("0 0 1 1")
    stack = plan(config, (8, 8, 3), 7, architecture)
    assert [layer.cell for layer in stack.layers] == [0, 0, 0]


def test_what_does_not_fit_is_refused():
    config = NetworkConfig(num_nodes=1, **SIZES)
    with pytest.raises(InputError, match="multiples of 2"):
        plan(config, (8, 9, 3), 7)
    other = CellSpace(num_nodes=3).draw(np.random.default_rng(0))
    with pytest.raises(InputError, match="8 integers"):
        plan(config, (8, 8, 3), 7, other)
