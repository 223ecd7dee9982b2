"""The search's memory; what is counted is tested with the networks."""

import pytest

from enas.config import EnasConfig
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.memory import estimate
from nascore.networks.config import SupernetConfig

DATA = load(DataConfig(image_size=16))


def test_more_of_anything_needs_more():
    def need(**changes):
        sizes = {
            name: changes.pop(name)
            for name in ("batch_size", "reward_batch_size")
            if name in changes
        }
        config = EnasConfig(
            child=SupernetConfig(**changes),
            weights=SharedWeightsConfig(**sizes),
        )
        need = estimate(config, DATA, 0)
        return sum(need.device.values()) + need.host["graph"]

    least = need(batch_size=32, filters=8)
    for change in (
        {"batch_size": 64},
        {"filters": 12},
        {"num_layers": 8},
        {"num_nodes": 6},
        {"reward_batch_size": 1000},
    ):
        assert need(**{"batch_size": 32, "filters": 8, **change}) > least


def test_half_precision_halves_what_is_kept_and_no_weights():
    kept = []
    for precision in ("float32", "bfloat16"):
        child = SupernetConfig(precision=precision)
        device = estimate(EnasConfig(child=child), DATA, 0).device
        kept.append((device["activations"], device["weights"]))
    (full, weights), (half, same) = kept
    assert half == pytest.approx(full / 2, rel=1e-6) and weights == same
