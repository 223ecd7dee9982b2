"""Shared weights on NAS-Bench-201's cells: searches, and what they note."""

import numpy as np
import pytest
import tensorflow as tf

from enas.config import Shared201EnasConfig, SharedOperationConfig
from enas.shared201 import make_search as make_enas
from flags import methods
from flags.comparison import shared_config
from ienas.config import RewardConfig, Shared201IenasConfig
from ienas.shared201 import make_search as make_ienas
from l2nas.config import L2nasTableConfig, Shared201L2nasConfig
from l2nas.shared201 import make_search as make_l2nas
from nascore.baselines.config import Shared201Config
from nascore.baselines.shared201 import make_search as make_plain
from nascore.config import flatten
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.evaluators.nasbench201.table import numbers_of
from nascore.evaluators.networks import load_weights
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.protocols import Measured, Proposals
from nascore.runs.json_files import read_json
from nascore.search.config import SearchConfig
from nascore.spaces.bench201 import Bench201Space, codes_of
from nascore.strategies.config import EvolutionConfig
from tests.nascore.search.toy import (
    check_goes_on,
    open_run,
    read_rows,
)

SPACE = Bench201Space()
# Of the table's own columns.
KEYS = ("cifar10_test_e200", "cifar100_test_e200", "imagenet16_test_e200")
SHARED = {
    "data": DataConfig(train_examples=160, image_size=8),
    "child": Bench201SupernetConfig(filters=2, num_layers=1),
    "weights": SharedWeightsConfig(batch_size=20, reward_batch_size=40),
    "search": SearchConfig(epochs=2, epoch_samples=3, derive_samples=3),
}
ENAS = Shared201EnasConfig(
    **SHARED, strategy=SharedOperationConfig(num_aggregate=2, train_steps=3)
)
DATA = load(SHARED["data"])
TABLES = ("child", "evaluations", "samples", "epochs")


def search(path, make=make_enas, config=ENAS, resume=False):
    with open_run(path, resume=resume) as run:
        machine = make(config, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def enas(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "enas"
    return path, *search(path)


def truth(text):
    """What the table has of a cell, in its own words."""
    numbers = numbers_of(int(codes_of(SPACE.encode(SPACE.parse(text)))))
    return [numbers[key] / 100 for key in KEYS]


def test_each_row_has_what_the_table_has(enas):
    path, ranked, machine = enas
    rows = read_rows(path, "evaluations")
    assert len(rows) == 2 * 3 * 2
    for row in rows:
        noted = [float(row[name]) for name in TRUTH]
        assert noted == pytest.approx(truth(row["architecture"]), abs=1e-6)
    for entry in ranked:
        noted = [entry.measured[name] for name in TRUTH]
        assert noted == pytest.approx(truth(str(entry.architecture)))
        row = SPACE.encode(entry.architecture)
        accuracy = entry.measured["validation_accuracy"]
        assert machine.evaluator.cell_score(row) == accuracy
    # The first number ranks, and it is not the table's.
    shared = [entry.measured["validation_accuracy"] for entry in ranked]
    assert shared == sorted(shared, reverse=True)
    epochs = read_rows(path, "epochs")
    means = [float(row["table_cifar10"]) for row in rows[:6]]
    assert float(epochs[0]["table_cifar10_mean"]) == pytest.approx(
        np.mean(means)
    )
    settings = read_json(path / "config.json")
    assert settings["method"] == "shared201_enas"
    assert settings["space"] == {"kind": "bench201"}
    assert len(read_json(path / "layers.json")["layers"]) == 10


def test_a_stopped_search_goes_on_bit_for_bit(enas, tmp_path, monkeypatch):
    place, target = ("epoch 2/2 child", 0), tmp_path / "run"
    check_goes_on(search, enas, target, monkeypatch, place, TABLES)


def test_the_weights_of_a_run_are_read_back(enas):
    path, ranked, _ = enas
    weights = load_weights(ENAS.child, ENAS.weights, ENAS.data, DATA, path)
    for entry in ranked:
        row = SPACE.encode(entry.architecture)
        found = weights.validate(row[None])
        assert dict(found) == dict(entry.measured)


def test_ienas_has_its_own_reward(tmp_path):
    config = Shared201IenasConfig(
        **SHARED, strategy=ENAS.strategy, reward=RewardConfig(reward_window=3)
    )
    with open_run(tmp_path / "run") as run:
        machine = make_ienas(config, run, DATA)
    reward = machine.phases[1].reward
    accuracies = [0.5, 0.6, 0.3, 0.9]
    found = reward(Measured(tf.constant(accuracies))).numpy()
    # Equation 1: each beside the mean of the three before.
    expected = [
        0.5,
        0.6 * 0.6 / 0.5,
        0.01,
        0.9 * 0.9 / np.mean([0.5, 0.6, 0.3]),
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    settings = read_json(tmp_path / "run" / "config.json")
    assert settings["method"] == "shared201_ienas"


def test_rows_of_a_strategy_on_the_host_are_looked_up_too(enas, tmp_path):
    *_, machine = enas
    rows = SPACE.sample(np.random.default_rng(0), 3)
    proposals = Proposals(rows)
    measured = machine.evaluator.measure(proposals, tf.constant([1, 2]))
    for place, row in enumerate(rows):
        noted = [measured.notes[name][place] for name in TRUTH]
        text = SPACE.format(SPACE.decode(row))
        assert noted == pytest.approx(truth(text))
    assert np.shape(measured.score) == (3,)
    config = Shared201Config(**SHARED, strategy=EvolutionConfig(population=4))
    with open_run(tmp_path / "run") as run:
        other = make_plain(config, run, DATA)
    assert not other.strategy.in_graph
    settings = read_json(tmp_path / "run" / "config.json")
    assert settings["method"] == "shared201_evolution"


def test_l2nas_searches_it_with_the_constants_of_the_table(tmp_path):
    config = Shared201L2nasConfig(**SHARED)
    with open_run(tmp_path / "run") as run:
        machine = make_l2nas(config, run, DATA)
    assert machine.strategy.size == 30
    assert config.strategy == L2nasTableConfig().strategy
    settings = read_json(tmp_path / "run" / "config.json")
    assert settings["method"] == "shared201_l2nas"


def test_a_comparison_gives_all_as_many_evaluations():
    counts = set()
    for name in methods.names():
        if name.startswith("shared201_") and name != "shared201_darts":
            values = flatten(shared_config(name))
            counts.add((values["num_aggregate"], values["train_steps"]))
    assert counts == {(3, 30)}
