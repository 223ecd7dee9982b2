"""What an MLPNAS search in a hurry is compared with."""

import dataclasses
import math

import pytest

from experiments.support.mlpnas_rivals import (
    Rivals,
    finetune_seconds,
    has_rival,
)
from mlpnas.competitors import Compared
from mlpnas.search import make_search
from nascore.runs.config import RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Limit
from nascore.runs.progress import NO_TERMS, Terms
from tests.mlpnas.toys import CONFIG, DATA, Toy

FINETUNE = dataclasses.replace(
    CONFIG.finetune, compare="logistic,random", finetune_epochs=1
)
CONFIG = dataclasses.replace(CONFIG, finetune=FINETUNE)


@pytest.fixture
def search(tmp_path, monkeypatch):
    """A search that was cut short after one of three epochs."""
    monkeypatch.setattr(
        "mlpnas.search.make_pool", lambda config, data, jobs: Toy()
    )
    monkeypatch.setattr(
        "nascore.runs.progress.Cost.is_late",
        lambda self: self._outlook.left() == {"evaluations": 8.0},
    )
    with RunFolder.create(tmp_path / "run") as run:
        machine = make_search(CONFIG, run, DATA)
        machine.run()
        assert machine.cut and machine.epoch == 1
        yield machine


def rivals(search, limit=NO_TERMS.limit, **settings):
    run_config = RunConfig(run_dir="x", **settings)
    return Rivals(search, CONFIG, DATA, 1, run_config, Terms(limit))


def fit(monkeypatch):
    monkeypatch.setattr(
        "experiments.support.mlpnas_rivals.compare",
        lambda name, data, seed: Compared(name, 0.5, 0.5, 1.0),
    )


def test_random_search_has_no_more_epochs_than_the_search(search, monkeypatch):
    fit(monkeypatch)
    found = rivals(search)
    found.compare()
    assert [entry.name for entry in found.compared] == ["logistic", "random"]
    assert found.left_out == []
    with RunFolder.open(search.run_folder.path / "random") as run:
        assert len(run.read("epochs")) == 1
        assert len(run.read("evaluations")) == 4
        assert run.finished


@pytest.mark.parametrize(
    "settings, limit, left_out, why",
    [
        ({"finish": True}, Limit(), ["random"], "--finish searches no further"),
        ({}, Limit(1e-9), ["logistic", "random"], "time is up"),
    ],
)
def test_what_there_is_no_time_for_is_left_out_and_said(
    search, monkeypatch, capsys, settings, limit, left_out, why
):
    fit(monkeypatch)
    if limit.hours:
        monkeypatch.setattr(
            "nascore.runs.progress.Cost.is_late", lambda self: True
        )
    found = rivals(search, limit, **settings)
    found.compare()
    assert found.left_out == left_out
    assert f"random search is left out: {why}" in capsys.readouterr().out
    names = {entry.name for entry in found.compared}
    assert names == {"logistic", "random"} - set(left_out)


def test_fine_tuning_is_foreseen_by_how_the_best_were_trained(search):
    for entry, seconds in zip(search.records.best, (3.0, 6.0), strict=False):
        entry.row["seconds"], entry.row["epochs_trained"] = seconds, 2
    tuning = dataclasses.replace(FINETUNE, finetune_epochs=50)
    config = dataclasses.replace(CONFIG, finetune=tuning)
    assert finetune_seconds(search, config) == 150.0


def test_a_random_search_has_no_rival_of_its_kind():
    policy = dataclasses.replace(CONFIG.policy, controller="random")
    assert has_rival(CONFIG)
    assert not has_rival(dataclasses.replace(CONFIG, policy=policy))


def test_the_half_of_a_limit_is_of_what_is_left(monkeypatch):
    monkeypatch.setattr(
        "nascore.runs.interrupts.time.monotonic", lambda: 1000.0
    )
    assert Limit(1.0, 400.0).share(0.5).left() == 1500.0
    assert Limit().share(0.5).left() == math.inf
