"""Searches over whole networks: rows, resumption, what methods share."""

import numpy as np
import pytest
import tensorflow as tf

from enas.macro.config import MacroControllerConfig, MacroEnasConfig
from enas.macro.search import make_search as make_enas
from flags import methods
from flags.comparison import shared_config
from ienas.config import MacroIenasConfig, RewardConfig
from ienas.macro import make_search as make_ienas
from l2nas.config import MacroL2nasConfig
from l2nas.macro import make_search as make_l2nas
from nascore.baselines.config import AskingConfig, MacroStrategyConfig
from nascore.baselines.macro import make_search as make_plain
from nascore.config import flatten
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators import memory
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.networks import load_weights
from nascore.evaluators.standalone import train_standalone
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.protocols import Measured, Proposals
from nascore.runs.json_files import read_json
from nascore.search.config import SearchConfig
from nascore.strategies.config import EvolutionConfig, ReinforceConfig
from tests.nascore.search.toy import (
    check_goes_on,
    open_run,
    read_rows,
    values_of,
)

SHARED = {
    "data": DataConfig(train_examples=160, image_size=8),
    "child": MacroSupernetConfig(
        operations="conv_3x3,max_pool_3x3",
        num_layers=2,
        filters=2,
        statistics="moving",
    ),
    "weights": SharedWeightsConfig(batch_size=20, reward_batch_size=40),
    "search": SearchConfig(epochs=2, epoch_samples=3, derive_samples=3),
}
ENAS = MacroEnasConfig(
    **SHARED,
    strategy=MacroControllerConfig(
        lstm_units=4, num_aggregate=2, train_steps=3
    ),
)
SPACE = ENAS.child.space
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


def test_a_search_notes_skips_and_their_penalty(enas):
    path, ranked, machine = enas
    rows = read_rows(path, "evaluations")
    assert len(rows) == 2 * 3 * 2
    for row in rows:
        network = SPACE.parse(row["architecture"])
        assert float(row["skip_share"]) == pytest.approx(network.skip_share)
        assert float(row["skip_penalty"]) > 0
    first = read_rows(path, "epochs")[0]
    shares = [float(row["skip_share"]) for row in rows[:6]]
    assert float(first["skip_share_mean"]) == pytest.approx(np.mean(shares))
    for entry in ranked:
        share = entry.architecture.skip_share
        assert entry.measured["skip_share"] == pytest.approx(share)
    settings = read_json(path / "config.json")
    assert settings["method"] == "macro_enas"
    assert settings["space"] == {
        "kind": "macro",
        "operations": ["conv_3x3", "max_pool_3x3"],
        "num_layers": 2,
    }
    # One graph for all networks and epochs.
    training = machine.phases[0]
    assert training.train.experimental_get_tracing_count() == 1
    assert machine.evaluator.about.startswith("supernet: 2 layers")


def test_a_stopped_search_goes_on_bit_for_bit(enas, tmp_path, monkeypatch):
    place, target = ("epoch 2/2 child", 0), tmp_path / "run"
    resumed = check_goes_on(search, enas, target, monkeypatch, place, TABLES)
    # Moving statistics are part of it.
    names = values_of(resumed._state())
    assert any(name.endswith("statistic_0") for name in names)


def test_the_weights_of_a_run_are_read_back(enas):
    path, ranked, _ = enas
    weights = load_weights(ENAS.child, ENAS.weights, ENAS.data, DATA, path)
    for entry in ranked:
        row = SPACE.encode(entry.architecture)
        assert dict(weights.validate(row[None])) == dict(entry.measured)


def test_ienas_has_its_own_reward(tmp_path):
    config = MacroIenasConfig(
        **SHARED, strategy=ENAS.strategy, reward=RewardConfig(reward_window=3)
    )
    with open_run(tmp_path / "run") as run:
        machine = make_ienas(config, run, DATA)
    reward = machine.phases[1].reward
    found = reward(Measured(tf.constant([0.5, 0.6, 0.3]))).numpy()
    # Equation 1: each beside the mean of those before.
    np.testing.assert_allclose(found, [0.5, 0.6 * 1.2, 0.01], rtol=1e-5)
    settings = read_json(tmp_path / "run" / "config.json")
    assert settings["method"] == "macro_ienas"


@pytest.mark.parametrize(
    ("strategy", "in_graph"),
    [(EvolutionConfig(population=2), False), (ReinforceConfig(), True)],
    ids=lambda value: getattr(value, "kind", value),
)
def test_other_strategies_search_the_same_space(
    enas, tmp_path, strategy, in_graph
):
    *_, machine = enas
    config = MacroStrategyConfig(
        **SHARED,
        strategy=strategy,
        asking=AskingConfig(num_aggregate=2, train_steps=2),
    )
    with open_run(tmp_path / "run") as run:
        other = make_plain(config, run, DATA)
    settings = read_json(tmp_path / "run" / "config.json")
    assert settings["method"] == f"macro_{strategy.kind}"
    # What a strategy asks for is measured, on the host and in a graph.
    asked = other.strategy.ask(2, tf.constant([3, 4]))
    rows = np.asarray(asked.rows)
    assert all(map(SPACE.is_legal, rows))
    assert other.strategy.in_graph == in_graph
    seed = tf.constant([1, 2])
    found = [
        machine.evaluator.measure(Proposals(kind), seed)
        for kind in (rows, tf.constant(rows))
    ]
    shares = [SPACE.decode(row).skip_share for row in rows]
    for measured in found:
        np.testing.assert_array_equal(measured.score, found[0].score)
        np.testing.assert_allclose(
            measured.notes["skip_share"], shares, atol=1e-6
        )


def test_l2nas_has_a_number_for_each_value_of_each_choice(tmp_path):
    with open_run(tmp_path / "run") as run:
        machine = make_l2nas(MacroL2nasConfig(**SHARED), run, DATA)
    # Two layers of two operations each, and one bit.
    assert machine.strategy.size == 2 + 2 + 2
    rows = np.asarray(machine.strategy.ask(1, tf.constant([3, 4])).rows)
    assert all(map(SPACE.is_legal, rows))
    settings = read_json(tmp_path / "run" / "config.json")
    assert settings["method"] == "macro_l2nas"


def test_each_is_trained_alone_from_the_same_start():
    """Moving statistics of the one before would show in the next."""
    row = np.array([0, 1, 1], np.int32)
    settings = (ENAS.child, ENAS.weights, ENAS.data, DATA)
    tf.keras.utils.set_random_seed(5)
    first, second = train_standalone(*settings, [row, row], 1, 1)
    assert first == second and 0 <= first <= 1


def test_a_comparison_gives_all_as_many_evaluations():
    counts = set()
    for name in methods.names():
        if name.startswith("macro_"):
            values = flatten(shared_config(name))
            counts.add((values["num_aggregate"], values["train_steps"]))
    # 1000 in an epoch, as published.
    assert counts == {(20, 50)}


def test_more_layers_need_more_memory():
    def bytes_of(**fields):
        config = MacroEnasConfig(
            **{**SHARED, "child": MacroSupernetConfig(filters=2, **fields)}
        )
        return memory.estimate(config, DATA, 0).device["activations"]

    assert bytes_of(num_layers=4) < bytes_of(num_layers=6)
