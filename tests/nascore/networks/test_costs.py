"""What is counted from the plan against what is built and against hands."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.networks.costs import Costs, count, total
from nascore.networks.discrete import build_network
from nascore.networks.stack import plan
from nascore.networks.supernet import Supernet

CELLS = {
    1: ["0 0 1 3 0 1 1 4", "0 4 1 4 1 2 0 0"],
    2: ["0 0 1 1 2 0 0 3 1 4 0 0 1 2 2 1"],
}
PLACES = [(nodes, text) for nodes, texts in CELLS.items() for text in texts]


def traced_multiply_adds(model):
    """Read off the graph of one image, however its layers are nested."""
    one = tf.TensorSpec((1, *model.input.shape[1:]), tf.float32)
    function = tf.function(
        lambda images: model(images, training=False), autograph=False
    )
    products = 0
    for node in function.get_concrete_function(one).graph.get_operations():
        if node.type == "Conv2D":
            each = math.prod(node.inputs[1].shape[:3])
        elif node.type == "DepthwiseConv2dNative":
            each = math.prod(node.inputs[1].shape[:2])
        elif node.type == "MatMul":
            each = node.inputs[0].shape[-1]
        else:
            continue
        products += math.prod(node.outputs[0].shape) * each
    return products


def built_parameters(layers):
    return sum(
        math.prod(weight.shape)
        for layer in layers
        for weight in layer.trainable_variables
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"filters": 4, "num_layers": 2, "num_nodes": 2},
        {"filters": 6, "num_layers": 6, "num_nodes": 1},
        {"filters": 4, "num_normal_cells": 2, "num_reduction_cells": 1},
        {"filters": 4, "num_normal_cells": 1, "num_reduction_cells": 0},
        {"filters": 4, "operations": "identity,max_pool_3x3,dil_conv_5x5"},
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_parameters_are_those_of_the_supernet(settings, channels):
    config = SupernetConfig(**settings)
    shape = (16, 16, channels)
    supernet = Supernet(config, shape, 7)
    parts = count(plan(config, shape, 7))
    assert total(parts).parameters == supernet.count_params()
    for layer in supernet.stack.layers:
        built = [
            supernet.reductions[layer.number],
            *supernet.calibrations[layer.number],
            supernet.cells[layer.number],
        ]
        assert parts[layer.name].parameters == built_parameters(built)


@pytest.mark.parametrize("nodes, text", PLACES)
@pytest.mark.parametrize("layers", [1, 3, 6])
def test_costs_are_those_of_the_discrete_network(nodes, text, layers):
    config = NetworkConfig(num_nodes=nodes, filters=4, num_layers=layers)
    architecture = config.space.parse(text)
    # Not square: the head's pool and kernel follow the smaller side.
    shape = (16, 24, 3)
    network = build_network(architecture, shape, 7, config)
    parts = count(plan(config, shape, 7, architecture))
    assert total(parts).parameters == built_parameters([network])
    assert total(parts).multiply_adds == traced_multiply_adds(network)
    for name, costs in parts.items():
        prefix = f"{name}_" if name.startswith("layer") else name
        built = [x for x in network.layers if x.name.startswith(prefix)]
        assert costs.parameters == built_parameters(built)
    plain = build_network(architecture, shape, 7, config.for_inference())
    without = total(parts, head=False)
    assert without.parameters == built_parameters([plain])
    assert without.multiply_adds == traced_multiply_adds(plain)
    assert ("auxiliary_head" in parts) == (without != total(parts))


def test_multiply_adds_of_a_supernet_by_hand():
    # One node, sep_conv_3x3(input 0) + avg_pool_3x3(input 1).
    config = SupernetConfig(
        filters=4, num_nodes=1, num_normal_cells=1, num_reduction_cells=0
    )
    architecture = config.space.parse("0 0 1 2 0 0 1 2")
    parts = count(plan(config, (32, 32, 3), 10), architecture)
    # Two depthwise and two pointwise kernels; the loose end's 1x1
    # convolution; and the calibrations of the stem.
    cell = 2 * (9 * 4 + 4 * 4) + 4 * 4
    assert parts["stem"].multiply_adds == 32 * 32 * 9 * 3 * 12
    assert parts["layer_0"].multiply_adds == 32 * 32 * (2 * 12 * 4 + cell)
    assert parts["classifier"].multiply_adds == 4 * 10


def test_holes_in_a_kernel_cost_nothing():
    counted = []
    for name in ("sep_conv_5x5", "dil_sep_conv_5x5"):
        config = NetworkConfig(
            num_nodes=1, filters=4, num_layers=1, operations=f"{name},none"
        )
        architecture = config.space.parse("0 0 1 0 0 0 1 1")
        counted.append(count(plan(config, (8, 8, 3), 7, architecture)))
    plain, dilated = counted
    assert plain.keys() == dilated.keys()
    for name in plain:
        assert plain[name].parameters == dilated[name].parameters
        assert plain[name].multiply_adds == dilated[name].multiply_adds
    # At stride 2 it reads pixels that were picked first, which are kept.
    assert plain["layer_2"] == dilated["layer_2"]
    reduction = config.space.parse("0 0 1 0 0 0 1 1").cells[1]
    assert [op for _, op in reduction.nodes[0].edges] == [0, 1]
    assert dilated["layer_0"].kept - plain["layer_0"].kept == 4 * 4 * 8


def test_what_is_kept_of_one_layer():
    config = SupernetConfig(
        filters=4, num_normal_cells=1, num_reduction_cells=0, num_nodes=2
    )
    # Image and stem; its relu, that two calibrations from 12 to 4 channels
    # share; two nodes of two separable convolutions that keep one map each,
    # and their sums; the last normalization.
    maps = 2 * 12 + 12 + 2 * 2 * 4 + 4 * (2 * (2 * 1 + 1) + 2)
    parts = count(plan(config, (8, 8, 3), 10))
    kept = parts["stem"].kept + parts["layer_0"].kept
    assert kept == 64 * (3 + maps)
    pools = dataclasses.replace(config, operations="max_pool_3x3,identity")
    fewer = count(plan(pools, (8, 8, 3), 10))["layer_0"].kept
    assert parts["layer_0"].kept - fewer == 64 * 4 * 4


def test_what_is_kept_of_a_discrete_reduction():
    config = NetworkConfig(
        num_nodes=1, filters=4, num_normal_cells=1, num_reduction_cells=1
    )
    # sep_conv_3x3(input 0) + identity(input 0), so that input 1 is loose.
    architecture = config.space.parse("0 2 1 2 0 0 0 4")
    parts = count(plan(config, (8, 8, 3), 10, architecture))
    # Inputs of 12 and 4 channels become 8: relu, before and after the
    # normalization; and the convolution of the second.
    inputs = 64 * (12 + 2 * 8 + 4 + 2 * 8 + 3 * 8)
    # The pair's first relu stands before the stride; three maps a repeat.
    cell = 64 * 8 + 16 * 8 * 5
    # The identity's reduction, the node's sum, the loose input's reduction,
    # and the two ends side by side.
    cell += 16 * 8 * (2 + 1 + 2 + 2)
    assert parts["layer_1"].kept == inputs + cell


def test_without_an_architecture_the_worst_is_counted():
    config = SupernetConfig(filters=4, num_layers=2, num_nodes=3)
    stack = plan(config, (16, 16, 3), 7)
    worst = total(count(stack))
    rng = np.random.default_rng(0)
    for _ in range(200):
        one = total(count(stack, config.space.draw(rng)))
        assert one.parameters == worst.parameters
        assert one.kept <= worst.kept
        assert one.multiply_adds <= worst.multiply_adds
    # All nodes read input 0 by the largest kernel; all else is loose.
    largest = config.space.parse("0 1 0 1 " * 6)
    assert total(count(stack, largest)) == worst


def test_costs_add_up():
    assert Costs(1, 2, 3) + Costs(4, 5, 6) == Costs(5, 7, 9)
    parts = {"stem": Costs(1, 1, 1), "auxiliary_head": Costs(2, 2, 2)}
    assert total(parts) == Costs(3, 3, 3)
    assert total(parts, head=False) == Costs(1, 1, 1)
