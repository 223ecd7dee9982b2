"""The final training's memory; what is counted is tested with the networks."""

import dataclasses

import pytest

from nascore.data.config import DataConfig
from nascore.networks.config import NetworkConfig
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.memory import estimate
from nascore.training.provenance.images import load_final


def test_precision_and_parts_make_activations_smaller():
    config = FinalConfig(
        DataConfig(),
        NetworkConfig(num_nodes=1, filters=4, num_layers=1),
        TrainingConfig(architecture="0 0 1 3 0 1 1 4", batch_size=64),
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
