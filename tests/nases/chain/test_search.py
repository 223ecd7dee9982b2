"""Searches of the public code's space; each architecture is trained alone."""

import dataclasses
import signal

import numpy as np
import pytest

from experiments.train_final import settings_of_run
from nascore.baselines import chain as random_chains
from nascore.baselines.config import AskingConfig, ChainSearchConfig
from nascore.data import images
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators import own_training
from nascore.evaluators.config import DeriveConfig, SharedWeightsConfig
from nascore.evaluators.standalone_weights import StandaloneWeights
from nascore.networks.chain.config import ChainConfig
from nascore.runs.interrupts import Interrupted
from nascore.search.config import SearchConfig
from nases.chain.config import NasesChainConfig
from nases.chain.search import estimate, make_search
from nases.config import EmbeddingConfig
from tests.nascore.search.toy import open_run, read_rows, values_of

CONFIG = NasesChainConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=ChainConfig(num_layers=2, filters=1),
    strategy=EmbeddingConfig(
        encoding="ordered", hidden_units=4, pretrain_steps=20, pretrain_batch=8
    ),
    own=DeriveConfig(child_passes=2, derive_epochs=1),
    weights=SharedWeightsConfig(batch_size=32),
    asking=AskingConfig(num_aggregate=1, train_steps=2),
    search=SearchConfig(epochs=1, derive_samples=1),
)
DATA = images.load(CONFIG.data)
# Of a pass.
STEPS = 5


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("chains") / "whole"
    with open_run(path) as run:
        machine = make_search(CONFIG, run, DATA)
        return path, machine.run(), machine


def test_each_is_trained_and_the_best_for_longer(whole):
    path, ranked, machine = whole
    rows = read_rows(path, "evaluations")
    assert [int(row["images"]) for row in rows] == [320, 320]
    assert all(0 < float(row["fitness"]) <= 1 for row in rows)
    (best,) = ranked
    first = max(rows, key=lambda row: float(row["fitness"]))
    assert best.architecture == machine.space.parse(first["architecture"])
    assert (path / "pretraining.csv").exists()


def test_a_final_training_takes_what_it_found(whole):
    path, ranked, machine = whole
    taken = settings_of_run(path, 1, {})
    assert taken["architecture"] == machine.space.format(ranked[0].architecture)
    assert taken["layout"] == "chain"


def test_goes_on_in_the_middle_of_a_training(whole, tmp_path, monkeypatch):
    path, ranked, machine = whole
    pause = StandaloneWeights._pause
    seen = []

    def stop(evaluator):
        state = evaluator._under_way
        if state.number == 1 and state.done % STEPS:
            seen.append(state.done)
            evaluator.lifecycle._stop.signum = signal.SIGINT
        pause(evaluator)

    with monkeypatch.context() as patch, open_run(tmp_path / "parts") as run:
        patch.setattr(StandaloneWeights, "_pause", stop)
        patch.setattr(own_training, "next_stretch", lambda *_: 3)
        with pytest.raises(Interrupted, match="everything is saved"):
            make_search(CONFIG, run, DATA).run()
    assert seen == [3]
    with open_run(tmp_path / "parts", True) as run:
        again = make_search(CONFIG, run, DATA)
        assert again.resumed and again.run() == ranked
    names = ("architecture", "fitness", "train_loss")
    theirs = read_rows(tmp_path / "parts", "evaluations")
    for ours, row in zip(read_rows(path, "evaluations"), theirs, strict=True):
        assert [ours[name] for name in names] == [row[name] for name in names]
    values, others = (
        values_of({k: v for k, v in m._state().items() if hasattr(v, "numpy")})
        for m in (machine, again)
    )
    for name, value in values.items():
        if "seconds" not in name:
            np.testing.assert_array_equal(value, others[name], name)


def test_random_chains(tmp_path):
    config = ChainSearchConfig(
        **{
            field.name: getattr(CONFIG, field.name)
            for field in dataclasses.fields(ChainSearchConfig)
            if field.name not in ("strategy", "own")
        }
    )
    config = dataclasses.replace(
        config,
        own=dataclasses.replace(config.own, child_passes=1),
        search=dataclasses.replace(config.search, derive_samples=2),
    )
    with open_run(tmp_path / "random") as run:
        ranked = random_chains.make_search(config, run, DATA).run()
    rows = read_rows(tmp_path / "random", "evaluations")
    scores = sorted((float(row["fitness"]) for row in rows), reverse=True)
    assert [entry.score for entry in ranked] == scores


def test_memory_names_the_networks():
    need = estimate(CONFIG, DATA, 0)
    assert "simulator, decoder and controller" in need.host
    assert "--filters" in need.turn_down


def test_refused_settings():
    strategy = dataclasses.replace(CONFIG.strategy, policy="code")
    asking = AskingConfig(num_aggregate=2)
    with pytest.raises(InputError, match="--num_aggregate=2"):
        dataclasses.replace(CONFIG, strategy=strategy, asking=asking)
    strategy = dataclasses.replace(CONFIG.strategy, embedding=9)
    with pytest.raises(InputError, match="--embedding=9 is more than the 8"):
        dataclasses.replace(CONFIG, strategy=strategy)
