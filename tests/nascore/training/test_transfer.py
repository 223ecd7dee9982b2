import dataclasses

import keras
import numpy as np

from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.bench201.supernet import Bench201Supernet
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.networks.discrete import build_network
from nascore.networks.layers import BatchStatisticsNorm
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


def test_a_network_of_nasbench201_takes_all_of_its_cell():
    supernet = Bench201Supernet(
        Bench201SupernetConfig(filters=2, num_layers=1), (8, 8, 1), 3
    )
    config = NetworkConfig(
        layout="bench201",
        filters=2,
        num_layers=1,
        padding="torch",
        keep_prob=1.0,
        drop_path_keep_prob=1.0,
        aux_weight=0.0,
    )
    row = np.array([3, 1, 2, 4, 0, 3])
    cell = config.space.decode(row)
    network = build_network(cell, (8, 8, 1), 3, config, BatchStatisticsNorm)
    result = transfer(supernet, network, cell, config.layer_types)
    assert not result.left
    assert "layer_2_edge_1_2_nor_conv_1x1" in result.taken
    images = keras.random.normal((4, 8, 8, 1), seed=1)
    expected, _ = supernet(images, row.astype(np.int32))
    np.testing.assert_allclose(
        network(images)["logits"], expected, rtol=1e-4, atol=1e-5
    )
    # Twice as wide, nothing but kernels of the image's channels would fit.
    wider = dataclasses.replace(config, filters=4)
    network = build_network(cell, (8, 8, 1), 3, wider, BatchStatisticsNorm)
    result = transfer(supernet, network, cell, wider.layer_types)
    assert result.taken == ()
