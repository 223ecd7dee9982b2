"""Strategies over the shared weights of cells."""

import numpy as np
import pytest

from nascore.baselines.config import AskingConfig, OneShotConfig
from nascore.baselines.one_shot import make_search
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted
from nascore.runs.json_files import read_json
from nascore.search.config import SearchConfig
from nascore.seeds import Stream, fold
from nascore.strategies.config import EvolutionConfig
from nascore.strategies.random import RandomStrategy
from tests.nascore.search.toy import interrupt_at, read_rows, values_of

CONFIG = OneShotConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=1,
        # Hardly anything to trace.
        operations="max_pool_3x3,identity",
    ),
    strategy=EvolutionConfig(population=6, tournament=3),
    weights=SharedWeightsConfig(batch_size=16),
    asking=AskingConfig(num_aggregate=4, train_steps=2),
    search=SearchConfig(epochs=3, epoch_samples=5, derive_samples=4),
)
DATA = load(CONFIG.data)
TABLES = ("child", "evaluations", "samples", "epochs")


def search(path, config=CONFIG, resume=False):
    with (RunFolder.open if resume else RunFolder.create)(path) as run:
        machine = make_search(config, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def evolved(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "evolved"
    return path, *search(path)


def test_it_ends_as_if_it_had_never_been_interrupted(
    evolved, tmp_path, monkeypatch
):
    path, _, whole = evolved
    interrupt_at(monkeypatch, "evaluations", 1)
    with pytest.raises(Interrupted):
        search(tmp_path / "run")
    monkeypatch.undo()
    _, machine = search(tmp_path / "run", resume=True)
    for table in TABLES:
        assert read_rows(tmp_path / "run", table) == read_rows(path, table)
    weights, again = (
        values_of(one.evaluator.state) for one in (whole, machine)
    )
    for name, value in weights.items():
        np.testing.assert_array_equal(again[name], value)
    told, told_again = (one.strategy.history for one in (whole, machine))
    np.testing.assert_array_equal(told_again.rows, told.rows)
    assert told_again.scores == told.scores


def test_the_best_of_the_population_are_measured_anew_and_ranked(evolved):
    path, ranked, machine = evolved
    rows = read_rows(path, "evaluations")
    assert len(rows) == 3 * 2 * 4
    space, told = machine.space, machine.strategy.history
    living = {
        space.format(space.decode(row)): score
        for row, score in zip(told.rows[-6:], told.scores[-6:], strict=True)
    }
    best = sorted(living, key=living.get, reverse=True)[:4]
    texts = [space.format(entry.architecture) for entry in ranked]
    assert sorted(map(living.get, texts)) == sorted(map(living.get, best))
    for entry in ranked:
        again = machine.measure(entry.architecture)
        assert dict(entry.measured) == again
    names = {"rank", "architecture", "validation_accuracy"}
    listed = read_json(path / "derived_architectures.json")["architectures"]
    assert names < set(listed[0]) and len(listed) == len(ranked)


def test_the_weights_learn_random_architectures(evolved):
    path, _, machine = evolved
    rows = read_rows(path, "child")
    seed = fold(CONFIG.search.seed, Stream.CHILD_ARCHITECTURES, 0)
    count = sum(row["epoch"] == rows[0]["epoch"] for row in rows)
    expected = RandomStrategy(machine.space).ask(count, seed).rows.numpy()
    for row, wanted in zip(rows, expected, strict=False):
        text = machine.space.columns(machine.space.decode(wanted))
        assert {name: row[name] for name in text} == text
