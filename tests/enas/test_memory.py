"""The search's memory, counted, against the network that is built."""

import dataclasses

import numpy as np
import pytest

from enas.config import EnasConfig, ScheduleConfig
from enas.memory import count_kept, count_weights, estimate
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.networks.config import SupernetConfig
from nascore.networks.supernet import Supernet

DATA = load(DataConfig(image_size=16))


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
def test_weights_are_those_of_the_supernet(settings, channels):
    config = SupernetConfig(**settings)
    shape = (16, 16, channels)
    supernet = Supernet(config, shape, 7)
    real = sum(np.prod(v.shape) for v in supernet.trainable_variables)
    assert count_weights(config, shape, 7) == real


def test_what_is_kept_of_one_layer():
    config = SupernetConfig(
        filters=4, num_normal_cells=1, num_reduction_cells=0, num_nodes=2
    )
    # Image and stem; its relu, that two calibrations from 12 to 4 channels
    # share; two nodes of two separable convolutions that keep one map each,
    # and their sums; the last normalization.
    maps = 2 * 12 + 12 + 2 * 2 * 4 + 4 * (2 * (2 * 1 + 1) + 2)
    kept, size = count_kept(config, (8, 8, 3))
    assert kept == 64 * (3 + maps)
    assert size == 64 * 4
    pools = dataclasses.replace(config, operations="max_pool_3x3,identity")
    assert kept - count_kept(pools, (8, 8, 3))[0] == 64 * 4 * 4


def test_more_of_anything_needs_more():
    def need(**changes):
        schedule = {
            name: changes.pop(name)
            for name in ("batch_size", "reward_batch_size")
            if name in changes
        }
        config = EnasConfig(
            child=SupernetConfig(**changes), schedule=ScheduleConfig(**schedule)
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
