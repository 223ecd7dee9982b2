import keras
import numpy as np

from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.networks.discrete import build_network
from nascore.networks.supernet import Supernet
from nascore.training.transfer import transfer

LAYOUT = {
    "num_nodes": 2,
    "filters": 4,
    "num_normal_cells": 1,
    "num_reduction_cells": 1,
}


def test_blocks_take_the_slots_of_their_inputs():
    keras.utils.set_random_seed(0)
    supernet = Supernet(SupernetConfig(**LAYOUT), (8, 8, 1), 3)
    config = NetworkConfig(**LAYOUT)
    # Node 1 of the normal cell reads node 0 by a 5x5 convolution.
    architecture = config.space.parse("0 0 1 3 2 1 0 4  1 0 0 2 0 0 1 1")
    network = build_network(architecture, (8, 8, 1), 3, config)
    before = {x.name: x.get_weights() for x in network.layers}
    result = transfer(supernet, network, architecture, config.layer_types)
    assert not set(result.taken) & set(result.left)
    assert "layer_0_node_1_0_sep_conv_5x5" in result.taken
    assert "layer_1_input_0" in result.left  # Concatenated, hence wider.
    assert "layer_0_base" in result.left
    block = network.get_layer("layer_0_node_1_0_sep_conv_5x5")
    cell = supernet.cells[0]
    names = [v.path.split("/")[-1] for v in cell.slots]
    kernel = cell.slots[names.index("sep_conv_5x5_depthwise_1")]
    # Slots: 2 + 2 of node 0, then the third of node 1's first edge.
    own = [v for v in block.trainable_variables if "depthwise" in v.path][1]
    np.testing.assert_array_equal(own, kernel.numpy()[2 + 2 + 2])
    np.testing.assert_array_equal(
        network.get_layer("stem").get_weights()[0],
        supernet.stem.convolution.kernel.numpy(),
    )
    for name in result.left:
        now = network.get_layer(name).get_weights()
        for ours, theirs in zip(now, before[name], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_layer_of_another_kind_takes_nothing():
    supernet = Supernet(SupernetConfig(**LAYOUT), (8, 8, 1), 3)
    config = NetworkConfig(**{**LAYOUT, "num_normal_cells": 0, "num_layers": 1})
    assert config.layer_types[0] == "reduction"
    architecture = config.space.parse("0 0 1 3 2 1 0 4  1 0 0 2 0 0 1 1")
    network = build_network(architecture, (8, 8, 1), 3, config)
    result = transfer(supernet, network, architecture, config.layer_types)
    assert not any(name.startswith("layer_0") for name in result.taken)
    assert "stem" in result.taken
