"""No two weights of a network begin with the same numbers."""

import itertools

import keras
import numpy as np
import pytest

from enas.config import ControllerConfig, OperationControllerConfig
from enas.controller import LstmController
from enas.operation_controller import OperationController
from l2nas.actor_critic import ActorCritic
from l2nas.config import L2nasConfig
from mlpnas.candidates.dense import initial_weights
from mlpnas.config import MlpnasConfig, PolicyConfig
from mlpnas.controller import LstmPolicy
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.networks.discrete import build_network
from nascore.networks.supernet import Supernet
from nascore.seeds import Stream, fold
from nascore.spaces.bench201 import Bench201Space
from renas.config import CONTROLLER, MutationConfig
from renas.controller import MutationController
from renas.plan import MutationPlan

IMAGE, CLASSES = (16, 16, 3), 10
SUPERNET = {"filters": 4, "num_normal_cells": 1, "num_reduction_cells": 2}


def of_enas():
    space = SupernetConfig().space
    controller = LstmController(space, ControllerConfig())
    return controller.variables_to_train


def of_enas_over_operations():
    config = OperationControllerConfig()
    stacked = OperationController(Bench201Space(), config, [1, 2])
    return [run for v in stacked.variables_to_train for run in v.numpy()]


def of_mlpnas():
    space = MlpnasConfig().space.space(CLASSES)
    return LstmPolicy(space, PolicyConfig(predictor=True)).state


def of_a_supernet(slot_init):
    config = SupernetConfig(slot_init=slot_init, **SUPERNET)
    return Supernet(config, IMAGE, CLASSES).trainable_variables


def of_a_network():
    config = NetworkConfig(filters=4, num_normal_cells=1, num_reduction_cells=2)
    architecture = config.space.parse(
        "1 2 1 3 0 1 0 4 1 1 1 1 0 1 0 1 1 0 0 1 "
        "0 1 0 4 1 0 2 0 0 3 1 1 0 0 0 0 4 1 1 0"
    )
    return build_network(architecture, IMAGE, CLASSES, config).variables


def of_a_perceptron():
    space = MlpnasConfig().space.space(CLASSES)
    architecture = space.parse("16 relu | 16 relu | 16 relu | softmax")
    weights = initial_weights(
        architecture, 16, 16, fold(1, Stream.MLP_WEIGHTS, 0)
    )
    return [array for layer in weights for array in layer]


def of_l2nas():
    networks = ActorCritic(L2nasConfig(), 30, [1, 2])
    return [
        # Two runs, each of which has weights of its own.
        layer[run]
        for name in ("actor", "critic")
        for layer in getattr(networks, name).part(networks.state[name][0])
        for run in range(2)
    ]


def of_renas():
    plan = MutationPlan(Bench201Space(), CONTROLLER)
    controller = MutationController(plan, MutationConfig(), [1, 2])
    return [run for v in controller.weights.values() for run in v.numpy()]


NETWORKS = {
    "controller of ENAS": of_enas,
    "controller over operations": of_enas_over_operations,
    "actor and critic of L2NAS": of_l2nas,
    "controller of MLPNAS": of_mlpnas,
    "controller of RENAS": of_renas,
    "supernet, slots as published": lambda: of_a_supernet("code"),
    "supernet, slots as kernels": lambda: of_a_supernet("kernel"),
    "network": of_a_network,
    "perceptron": of_a_perceptron,
}


def pieces(weights, length=32):
    """The beginnings of the random arrays, and of the slots within them."""
    for weight in weights:
        array = np.asarray(weight)
        for part in [array, *(array if array.ndim > 2 else [])]:
            start = np.ravel(part)[:length]
            if start.size == length and np.std(start) > 0:
                yield (start - start.mean()) / start.std()


@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_weights_begin_alike(name):
    keras.utils.set_random_seed(1)
    starts = list(pieces(NETWORKS[name]()))
    # A slot's own array begins as the first of its slots does.
    unique = [
        start
        for place, start in enumerate(starts)
        if place == 0 or not np.array_equal(start, starts[place - 1])
    ]
    assert len(unique) > 3
    correlation = np.abs(np.corrcoef(unique))
    pairs = itertools.combinations(range(len(unique)), 2)
    # Of 32 independent numbers not one pair in a billion reaches this.
    alike = [pair for pair in pairs if correlation[pair] > 0.9]
    assert not alike
