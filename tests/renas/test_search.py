"""Training, and a search that is cut in the middle of a child."""

import dataclasses
import signal

import numpy as np
import pytest
import tensorflow as tf

from experiments import fitness_check, plot_run
from experiments.figures import populations
from experiments.train_final import settings_of_run
from nascore.errors import InputError
from nascore.evaluators import own_training
from nascore.evaluators.standalone_weights import StandaloneWeights
from nascore.networks.config import NetworkConfig
from nascore.protocols import Proposals
from nascore.runs.interrupts import Interrupted
from renas.search import estimate
from tests.nascore.search.toy import read_rows, values_of
from tests.renas.small import CHILDREN, CONFIG, DATA, PARENT, STEPS, search


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished search, whose graph the other tests use."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    ranked, machine = search(path)
    return path, ranked, machine, values_of(machine._state())


def test_a_search_holds_what_it_did(whole):
    path, ranked, machine, _ = whole
    rows = read_rows(path, "evaluations")
    assert len(rows) == 8
    space = machine.space
    for number, row in enumerate(rows):
        assert int(row["number"]) == number and row["note"] == ""
        parent = int(float(row["parent"]))
        assert (parent >= 0) == (number >= 3)
        assert (float(row["inherited"]) > 0) == (parent >= 0)
        assert int(row["images"]) == len(DATA.train)
        reward = np.tan(min(float(row["fitness"]), 0.999) * np.pi / 2)
        assert float(row["reward"]) == pytest.approx(reward, rel=1e-3)
        if parent >= 0 and float(row["same"]):
            assert row["normal_cell"] == rows[parent]["normal_cell"]
    living = set(machine.strategy.population.numbers[0].numpy().tolist())
    assert living <= set(machine.evaluator.living.entries)
    assert len(machine.evaluator.living.entries) <= 4
    # Only the last population is ranked, and each was trained anew.
    texts = {rows[number]["normal_cell"] for number in living}
    assert {space.format(entry.architecture) for entry in ranked} <= texts
    assert set(ranked[0].measured) == {
        "validation_accuracy",
        "search_test_accuracy",
    }
    need = estimate(CONFIG, DATA, 0)
    assert need.host["weights of the living"] > machine.evaluator.living.size


def test_stopped_in_the_middle_of_a_child_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch
):
    path, ranked, machine, expected = whole
    pause = StandaloneWeights._pause
    seen = []

    def stop(evaluator):
        state = evaluator._under_way
        if state.number == 5 and 0 < state.done < STEPS:
            seen.append(state.done)
            evaluator.lifecycle._stop.signum = signal.SIGINT
        pause(evaluator)

    with monkeypatch.context() as patch:
        patch.setattr(StandaloneWeights, "_pause", stop)
        patch.setattr(own_training, "next_stretch", lambda *_: 3)
        with pytest.raises(Interrupted, match="everything is saved"):
            search(tmp_path / "parts")
    assert seen == [3]
    again, resumed = search(tmp_path / "parts", resume=True)
    assert again == ranked and resumed.resumed
    assert read_rows(tmp_path / "parts", "evaluations") == read_rows(
        path, "evaluations"
    )
    for name, value in values_of(resumed._state()).items():
        np.testing.assert_array_equal(value, expected[name], name)
    ours, theirs = (m.evaluator.living.entries for m in (machine, resumed))
    assert ours.keys() == theirs.keys()
    for number, entry in ours.items():
        for one, other in zip(
            entry.weights, theirs[number].weights, strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_many_children_take_no_more_memory_and_trace_nothing(
    whole, monkeypatch
):
    evaluator = whole[2].evaluator
    monkeypatch.setattr(evaluator.training, "train", _no_training)
    monkeypatch.setattr(evaluator.training, "begin", lambda *_: 0.0)
    monkeypatch.setattr(evaluator, "_accuracy", lambda row: 0.5)
    evaluator.living.entries.clear()
    rng = np.random.default_rng(1)
    rows = CONFIG.child.space.sample(rng, 300)
    sizes = []
    for number, row in enumerate(rows):
        keep = np.arange(max(0, number - 3), number)
        parents = np.array([number - 1])
        proposals = Proposals(row[None], {}, number, None, parents, keep)
        evaluator.measure(proposals, None)
        assert set(evaluator.living.entries) == {*keep, number}
        sizes.append(evaluator.living.size)
    largest = sum(w.nbytes for w in evaluator.training._start)
    assert max(sizes[:20]) > 0 and max(sizes) <= 4 * largest


def _no_training(rows, epoch, start, stop, rate):
    ones = np.ones(int(stop) - int(start), np.float32)
    return {
        "loss": tf.constant(ones),
        "accuracy": tf.constant(ones),
        "healthy": tf.constant(ones > 0),
    }


def test_a_child_that_diverges_is_lost_and_said(whole, monkeypatch):
    evaluator = whole[2].evaluator

    def sick(rows, epoch, start, stop, rate):
        found = _no_training(rows, epoch, start, stop, rate)
        healthy = np.arange(int(start), int(stop)) != 4
        return {**found, "healthy": tf.constant(healthy)}

    monkeypatch.setattr(evaluator.training, "train", sick)
    monkeypatch.setattr(evaluator, "_stretch", 8)
    evaluator.living.entries.clear()
    proposals = Proposals(np.stack([PARENT]), {}, 900)
    measured = evaluator.measure(proposals, None)
    assert np.isnan(measured.score[0])
    assert measured.notes["note"][0] == "diverged in pass 1, step 5"
    assert not evaluator.living.entries


def test_whoever_inherits_from_nobody_begins_afresh(whole, monkeypatch):
    evaluator = whole[2].evaluator
    monkeypatch.setattr(evaluator.training, "train", _no_training)
    monkeypatch.setattr(evaluator, "_accuracy", lambda row: 0.5)
    alone = dataclasses.replace(
        CONFIG.inheritance, inherit="none", child_passes=2
    )
    for config, shares, passes in (
        (CONFIG.inheritance, [0, 1], 1),
        (alone, [0, 0], 2),
    ):
        monkeypatch.setattr(evaluator, "config", config)
        evaluator.living.entries.clear()
        for number, share in enumerate(shares):
            parents = np.array([number - 1])
            proposals = Proposals(
                PARENT[None], {}, number, None, parents, np.arange(number)
            )
            notes = evaluator.measure(proposals, None).notes
            assert notes["inherited"][0] == share
            assert notes["images"][0] == passes * len(DATA.train)


def test_what_was_found_is_drawn_and_can_be_trained(whole):
    path = whole[0]
    names = {file.name for file in plot_run.plot_run(path)}
    assert {"population.png", "family.png", "operations.png"} <= names
    taken = settings_of_run(path, 1, {})
    one = whole[1][0].architecture
    # The one cell stands for both types of a final network.
    space = NetworkConfig(
        operations=taken["operations"], num_nodes=taken["num_nodes"]
    ).space
    assert space.parse(taken["architecture"]).cells == one.cells * 2


def test_ancestors_lead_to_one_without_a_parent():
    parents = np.array([-1, -1, 0, 2, 1, 3])
    assert populations.line_of(parents, 5) == [5, 3, 2, 0]
    assert populations.line_of(parents, 1) == [1]


def test_own_weights_cannot_be_scored_as_shared_ones(whole, forked):
    done = forked("score_architecture", str(whole[0]), "--rank=1")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "is a search of RENAS" in done.stderr


def test_children_are_trained_from_scratch_beside_their_fitness(
    whole, monkeypatch, capsys
):
    path, _, machine, _ = whole
    evaluator = machine.evaluator
    asked = []

    def make(config, data, inheritance):
        asked.append(inheritance.derive_epochs)
        monkeypatch.setattr(evaluator, "config", inheritance)
        return evaluator

    monkeypatch.setattr("nascore.baselines.own_weights.make_evaluator", make)
    for count in (3, 3, 4):
        fitness_check.check(path, count, 1, "")
    rows = read_rows(path, "fitness_check")
    told = read_rows(path, "evaluations")
    # The second time nothing was missing.
    assert asked == [1, 1] and len(rows) >= 4
    for row in rows:
        own = told[int(float(row["number"]))]
        assert float(row["fitness"]) == float(own["fitness"])
        assert row["architecture"] == own["normal_cell"]
        found = evaluator.validate(
            machine.space.encode(machine.space.parse(row["architecture"]))[None]
        )
        assert float(row["validation_accuracy"]) == found["validation_accuracy"]
    assert "Kendall's tau" in capsys.readouterr().out
    with pytest.raises(InputError, match="give the same --epochs"):
        fitness_check.check(path, 3, 2, "")


def test_without_a_training_anew_the_living_are_measured(whole, monkeypatch):
    _, _, machine, _ = whole
    evaluator = machine.evaluator
    config = dataclasses.replace(CONFIG.inheritance, derive_epochs=0)
    monkeypatch.setattr(evaluator, "config", config)
    evaluator.living.entries.clear()
    proposals = Proposals(PARENT[None], {}, 7)
    measured = evaluator.measure(proposals, None)
    found = evaluator.validate(PARENT[None])
    assert found["validation_accuracy"] == measured.score[0]
    other = evaluator.validate(np.array([CHILDREN["an input moved"]]))
    assert np.isnan(other["validation_accuracy"])
