import dataclasses
import json

import numpy as np
import pytest

from experiments.figures import embeddings
from nascore.baselines.config import TableSearchConfig
from nascore.errors import RunStopped
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.runs.interrupts import Interrupted
from nascore.runs.reader import read_run
from nascore.search.many import search_many
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.reals import ORDERED
from nases import table
from nases.config import EmbeddingConfig, NasesTableConfig
from nases.pretraining import Pretrained
from tests.nascore.search.toy import (
    interrupt_at,
    open_run,
    read_rows,
    values_of,
)

STRATEGY = EmbeddingConfig(
    encoding=ORDERED,
    hidden_units=6,
    pretrain_steps=250,
    pretrain_batch=16,
    controller_lr=0.01,
)
LENGTH = TableSearchConfig(
    epochs=3, epoch_queries=12, best_count=4, derive_samples=2
)
CONFIG = NasesTableConfig(strategy=STRATEGY, search=LENGTH)


def search(path, config, resume=False):
    with open_run(path, resume) as run:
        machine = table.make_search(config, run)
        return machine.run(), machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("nases") / "whole"
    return (path, *search(path, CONFIG))


def test_what_a_run_folder_holds(whole):
    path, ranked, machine = whole
    rows = read_rows(path, "pretraining")
    assert [int(row["trained"]) for row in rows] == [0, 100, 200, 250]
    assert np.isnan(float(rows[0]["train_loss"]))
    losses = [float(row["held_out_loss"]) for row in rows]
    assert losses[-1] < losses[0]
    reach = machine.strategy.autoencoder.reach()
    assert [int(rows[-1]["reach"])] == reach
    evaluations = read_rows(path, "evaluations")
    assert len(evaluations) == 36
    assert set(machine.strategy.columns) <= set(evaluations[0])
    settings = json.loads((path / "config.json").read_text())
    assert settings["method"] == "bench201_nases"
    best = max(float(row["accuracy"]) for row in evaluations)
    assert ranked[0].score == pytest.approx(best)


def test_figures_show_the_path_and_the_training(whole):
    path, _, _ = whole
    run = read_run(path)
    assert embeddings.has_path(run)
    figures = dict(embeddings.draw(run, 5))
    assert list(figures) == ["embedding", "pretraining"]
    points = figures["embedding"].axes[0].collections[0]
    rows = read_rows(path, "evaluations")
    places = sorted((float(r["path_1"]), float(r["path_2"])) for r in rows)
    drawn = sorted(map(tuple, points.get_offsets().tolist()))
    np.testing.assert_allclose(drawn, places)
    # The best ones are drawn last.
    scores = points.get_array()
    assert len(scores) == 36 and np.all(np.diff(scores) >= 0)
    reach = figures["pretraining"].axes[1].lines[0].get_ydata()
    said = [float(row["reach"]) for row in read_rows(path, "pretraining")]
    np.testing.assert_array_equal(reach, said)


@pytest.mark.parametrize(
    ("phase", "epoch"), [("pretraining", 0), ("evaluations", 1)]
)
def test_stopped_in_the_middle_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch, phase, epoch
):
    path, ranked, machine = whole
    with monkeypatch.context() as patch:
        interrupt_at(patch, phase, epoch)
        with pytest.raises(Interrupted, match="everything is saved"):
            search(tmp_path / "parts", CONFIG)
    again, resumed = search(tmp_path / "parts", CONFIG, resume=True)
    assert resumed.resumed and again == ranked
    for name in ("pretraining", "evaluations", "epochs"):
        assert read_rows(tmp_path / "parts", name) == read_rows(path, name)
    ours, theirs = (values_of(m._state()) for m in (machine, resumed))
    assert {"strategy_decoder_kernel_0", "strategy_baseline"} <= set(ours)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)


def test_searches_at_once_are_those_of_run_folders(whole):
    """The last two in searches that are begun again, without tracing."""

    def make(some):
        return table.make_parts(CONFIG, some)

    found = search_many(
        Bench201Space(), Tabular(CONFIG.table), make, [4, 2, 9, 1], 36, 2
    )
    rows = np.concatenate([each.rows for each in found])
    space = Bench201Space()
    read = read_rows(whole[0], "evaluations")
    own = [space.encode(space.parse_columns(row)) for row in read]
    # Rounding may decide later ones otherwise.
    np.testing.assert_array_equal(rows[3][:12], own[:12])
    assert np.mean(rows[3] == own) > 0.9
    assert len({row.tobytes() for row in rows}) == 4


def test_networks_of_the_same_seeds_are_trained_once(monkeypatch):
    strategy = table.make_parts(CONFIG, [5, 6]).strategy
    before = strategy.autoencoder.snapshot()
    calls = []
    monkeypatch.setattr(
        Pretrained, "_train_anew", lambda self, seeds: calls.append(seeds)
    )
    other = dataclasses.replace(STRATEGY, sigma=0.3, policy="points")
    again = table.make_parts(
        dataclasses.replace(CONFIG, strategy=other), [5, 6]
    ).strategy
    assert not calls
    for name, value in again.autoencoder.snapshot().items():
        np.testing.assert_array_equal(value, before[name], name)
    # Begun again with other seeds, and back.
    for seeds in ([6, 7], [5, 6]):
        again.restart(seeds)
    assert calls == [[6, 7]]
    for name, value in again.autoencoder.snapshot().items():
        np.testing.assert_array_equal(value, before[name], name)
    wider = dataclasses.replace(STRATEGY, hidden_units=7)
    table.make_parts(dataclasses.replace(CONFIG, strategy=wider), [5, 6])
    assert calls == [[6, 7], [5, 6]]


def test_a_decoder_of_one_architecture_stops_before_the_search(tmp_path):
    strategy = dataclasses.replace(STRATEGY, hidden_units=1, hidden_layers=1)
    config = dataclasses.replace(
        CONFIG, strategy=dataclasses.replace(strategy, pretrain_steps=0)
    )
    with open_run(tmp_path / "run") as run:
        machine = table.make_search(config, run)
        for name, value in machine.strategy.autoencoder.state.items():
            if name.startswith("decoder"):
                value.assign(0 * value)
        with pytest.raises(RunStopped, match="one architecture only"):
            machine.run()


def test_memory_is_named_by_what_takes_it():
    need = table.estimate(CONFIG, None, 0)
    assert "simulator, decoder and controller" in need.host
    assert need.turn_down == ("--hidden_units",)
