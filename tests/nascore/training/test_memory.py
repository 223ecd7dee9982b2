"""The final training's memory, counted, against the network that is built."""

import dataclasses

import pytest

from nascore.data.config import DataConfig
from nascore.networks.config import NetworkConfig
from nascore.networks.costs import count_parameters
from nascore.networks.discrete import build_network
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.memory import count, estimate
from nascore.training.provenance.images import load_final

CELLS = {
    1: ["0 0 1 3 0 1 1 4", "0 4 1 4 1 2 0 0"],
    2: ["0 0 1 1 2 0 0 3 1 4 0 0 1 2 2 1"],
}
PLACES = [(nodes, text) for nodes, texts in CELLS.items() for text in texts]


@pytest.mark.parametrize("nodes, text", PLACES)
@pytest.mark.parametrize("layers", [1, 3, 6])
def test_weights_are_those_of_the_network(nodes, text, layers):
    config = NetworkConfig(num_nodes=nodes, filters=4, num_layers=layers)
    architecture = config.space.parse(text)
    network = build_network(architecture, (16, 16, 3), 7, config)
    _, weights = count(architecture, config, (16, 16, 3), 7)
    assert weights == count_parameters(network)


def test_precision_and_parts_make_activations_smaller():
    config = FinalConfig(
        DataConfig(),
        NetworkConfig(num_nodes=1, filters=4, num_layers=1),
        TrainingConfig(architecture=CELLS[1][0], batch_size=64),
    )
    data = load_final(config.data, False)

    def activations(replicas=1, **changes):
        training = dataclasses.replace(config.training, **changes)
        changed = dataclasses.replace(config, training=training)
        return estimate(changed, data, 0, replicas).device["activations"]

    whole = activations()
    assert activations(accumulate=4) == pytest.approx(whole / 4, rel=1e-3)
    assert activations(replicas=2) == pytest.approx(whole / 2, rel=1e-3)
    assert activations(precision="bfloat16") == pytest.approx(
        whole / 2, rel=1e-3
    )
