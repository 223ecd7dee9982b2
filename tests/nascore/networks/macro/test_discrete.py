"""The network of one macro architecture, as published and counted."""

import keras
import numpy as np
import pytest

from nascore.errors import InputError
from nascore.networks import costs
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import LOGITS, build_network
from nascore.networks.stack import plan
from nascore.spaces.macro import MACRO_OPERATIONS, find_network

OFF = {"layout": "macro", "drop_path_keep_prob": 1.0, "aux_weight": 0.0}
# What the public code trains in place of the separable ones.
CODE = ",".join(name.replace("sep_", "") for name in MACRO_OPERATIONS)
# A pool, a separable convolution, a skip over the reductions, and one that
# nobody reads after them.
TEXT = "0 | 4 0 | 1 1 0 | 5 0 0 1"


def config_of(**settings):
    return NetworkConfig(**{**OFF, **settings})


def count(text, config, shape=(32, 32, 3), classes=10):
    architecture = config.space.parse(text)
    stack = plan(config, shape, classes, architecture)
    return costs.total(costs.count(stack)).parameters


@pytest.mark.parametrize(
    ("filters", "operations", "parameters"),
    [
        (96, CODE, 42_559_392),
        (96, ",".join(MACRO_OPERATIONS), 30_947_424),
        (64, CODE, 18_927_552),
        (64, ",".join(MACRO_OPERATIONS), 13_774_912),
    ],
)
def test_the_published_network_has_its_parameters(
    filters, operations, parameters
):
    config = config_of(filters=filters, num_layers=24, operations=operations)
    assert count(find_network("ENAS_MACRO"), config) == parameters


def test_a_network_of_keras_has_what_is_counted():
    config = config_of(num_layers=4, filters=4)
    network = build_network(config.space.parse(TEXT), (8, 8, 1), 3, config)
    weights = sum(v.shape.num_elements() for v in network.trainable_variables)
    assert weights == count(TEXT, config, (8, 8, 1), 3)
    images = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    logits = network(images)[LOGITS].numpy()
    assert logits.shape == (2, 3) and np.isfinite(logits).all()
    assert network.get_layer("classifier").input.shape == (None, 16)
    # All layers are Keras's own, and none is beside the way to the output.
    kinds = {type(x).__module__.split(".")[0] for x in network.layers}
    assert kinds == {"keras"}
    names = {layer.name for layer in network.layers}
    assert {"layer_2_avg_pool_3x3", "layer_3_concat", "layer_4_skip"} <= names
    assert {"reduction_1_1", "reduction_2_0"} <= names
    assert "reduction_2_1" not in names


def test_skips_are_what_the_published_layer_joins():
    """One layer by hand from the network's own weights."""
    config = config_of(num_layers=2, filters=2)
    network = build_network(config.space.parse("5 | 5 1"), (4, 4, 1), 2, config)
    rng = np.random.default_rng(1)
    images = rng.random((3, 4, 4, 1), np.float32)
    parts = {}
    for name in ("stem", "layer_1_max_pool_3x3", "layer_2_skip"):
        layer = network.get_layer(name)
        parts[name] = keras.Model(network.input, layer.output)(images).numpy()
    # Layer 1 has nothing to join.
    assert "layer_1_skip" not in {layer.name for layer in network.layers}
    second = network.get_layer("layer_2_max_pool_3x3")
    pooled = second(parts["layer_1_max_pool_3x3"]).numpy()
    x = np.concatenate([parts["stem"], pooled], -1)
    kernel = network.get_layer("layer_2_skip").layers[1].kernel.numpy()
    # Moving statistics are those of the start: mean 0, variance 1.
    wanted = np.maximum(x, 0) @ kernel[0, 0] / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(parts["layer_2_skip"], wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"aux_weight": 0.4}, "final/macro"),
        ({"drop_path_keep_prob": 0.6}, "--drop_path_keep_prob=1"),
        ({"operations": "conv_3x3,identity"}, "'identity' is no operation"),
        ({"filters": 3}, "must be even"),
    ],
)
def test_what_a_macro_network_has_not_is_refused(settings, said):
    with pytest.raises(InputError, match=said):
        config_of(**settings)


def test_an_image_that_the_reductions_do_not_divide_is_refused():
    config = config_of(num_layers=4)
    with pytest.raises(InputError, match="multiples of 4"):
        plan(config, (30, 30, 1), 2, config.space.parse(TEXT))
