"""The networks of NASES's public code, against what it counts."""

import keras
import numpy as np
import pytest

from nascore.errors import InputError
from nascore.networks import costs
from nascore.networks.chain.config import ChainConfig
from nascore.networks.chain.discrete import build_chain
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import LOGITS, build_network
from nascore.networks.layers import moving_norm
from nascore.networks.stack import plan
from nascore.spaces.chain import PUBLISHED_CHAINS, ChainSpace

OFF = {"layout": "chain", "drop_path_keep_prob": 1.0, "aux_weight": 0.0}
# Each operation, a join at the same size, over one pool and over two.
TEXT = "1 1 3 9 | 2 20 2 1 | 22 1 1 9 | 7 1 12 20 | 29 1 1 29 | 9 15 2 9"
SMALL = ChainConfig(num_layers=6, filters=1)


@pytest.mark.parametrize(
    ("more", "millions"), [(0, 8.303465), (100, 20.366871), (150, 28.424322)]
)
def test_parameters_of_the_published_architecture(more, millions):
    config = ChainConfig(more_channels=more)
    architecture = config.space.parse(PUBLISHED_CHAINS["NASES"])
    stack = plan(config, (32, 32, 3), 10, architecture)
    parts = costs.total(costs.count(stack))
    # The paper's table 1 prints 4.7 for it.
    assert parts.parameters == round(1e6 * millions)


def count_by_hand(layers, channels, classes):
    """Parameters and channels by the layers' numbers, without the project."""
    total, have, made = 0, channels, []
    for number, (operation, kernel, width, skip) in enumerate(layers):
        size = 25 if kernel >= 15 else 9
        if number == 0:
            total += size * have * width + 3 * width
            have = width
        elif operation < 5:
            total += have + have * width + 3 * width
            for area in (size, 1, size):
                total += area * width + width * width + 3 * width
            have = width
        elif operation < 20:
            total += have * width + 3 * width + size * width**2 + 3 * width
            have = width
        made.append((have, skip))
        for before, near in made[:-1]:
            if abs(near - skip) < 5:
                joins = max(1, before // 10)
                total += before * joins + 3 * joins
                have += joins
    return total + have * classes + classes


def test_counts_are_those_of_the_network_and_by_hand():
    architecture = SMALL.space.parse(TEXT)
    stack = plan(SMALL, (7, 9, 2), 4, architecture)
    network = build_chain(stack, moving_norm)
    built = sum(np.prod(w.shape) for w in network.trainable_variables)
    assert costs.total(costs.count(stack)).parameters == built
    assert built == count_by_hand(architecture, 2, 4)
    images = np.random.default_rng(0).random((2, 7, 9, 2), np.float32)
    assert network(images).shape == (2, 4)
    # Pools halve, and round up.
    shapes = [layer.output.shape[:2] for layer in stack.layers]
    assert shapes == [(7, 9), (4, 5), (4, 5), (2, 3), (2, 3)]


def test_what_is_joined_is_what_the_code_joins():
    """A join reads the layer's own output, before that was joined itself."""
    space = ChainSpace(3)
    config = ChainConfig(num_layers=3, filters=10)
    # The second joins the first, the third both.
    architecture = space.parse("9 1 1 9 | 9 1 2 9 | 22 1 1 9")
    network = build_chain(plan(config, (4, 4, 1), 2, architecture), moving_norm)
    first = network.get_layer("layer_1_join_0")
    second = network.get_layer("layer_2_join_1")
    assert (first.input.shape[-1], first.output.shape[-1]) == (10, 1)
    assert (second.input.shape[-1], second.output.shape[-1]) == (20, 2)
    assert network.get_layer("layer_2_own").input.shape[-1] == 21
    joined = network.get_layer("layer_2_output").output
    assert joined.shape == (None, 2, 2, 1 + 2 + 21)
    # Strided pixels are those of a strided convolution.
    kernel, bias = network.get_layer("layer_2_join_0").layers[1].get_weights()
    x = np.random.default_rng(0).random((1, 4, 4, 10), np.float32)
    strided = keras.layers.Conv2D(1, 1, 2)
    strided.build(x.shape)
    strided.set_weights([kernel, bias])
    picked = keras.Sequential(network.get_layer("layer_2_join_0").layers[:2])
    np.testing.assert_allclose(picked(x), strided(x), rtol=1e-5)


def test_final_networks_are_the_same(tmp_path):
    config = NetworkConfig(
        num_layers=6, filters=2, more_channels=1, keep_prob=0.5, **OFF
    )
    assert config.space == ChainSpace(6)
    architecture = config.space.parse(TEXT)
    network = build_network(architecture, (8, 8, 1), 3, config)
    stack = plan(config, (8, 8, 1), 3, architecture)
    assert network.count_params() > 0
    built = sum(np.prod(w.shape) for w in network.trainable_variables)
    assert costs.total(costs.count(stack)).parameters == built
    # It loads without this package.
    file = tmp_path / "network.keras"
    network.save(file)
    images = np.ones((1, 8, 8, 1), np.float32)
    again = keras.models.load_model(file)
    expected = network(images)[LOGITS]
    np.testing.assert_array_equal(again(images)[LOGITS], expected)


def test_what_a_chain_has_not_is_refused():
    with pytest.raises(InputError, match="nothing for --aux_weight=0.4"):
        NetworkConfig(layout="chain", drop_path_keep_prob=1.0)
    with pytest.raises(InputError, match="has 6 layers"):
        plan(SMALL, (8, 8, 1), 2, ChainSpace(2).parse("1 1 1 1 | 1 1 1 1"))
