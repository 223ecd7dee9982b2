import dataclasses
import json
import shutil
import signal

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from mlpnas.config import LengthConfig, SpaceConfig
from mlpnas.finetune import finetune
from mlpnas.search import make_search
from mlpnas.strategy import MlpnasStrategy
from nascore.errors import InputError
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.interrupts import Interrupted
from nascore.runs.json_files import read_json
from nascore.search.ranking import Ranking
from tests.mlpnas.toys import (
    CONFIG,
    DATA,
    Toy,
    assert_same_state,
    rows,
    search,
)

RANKING = "derived_architectures.json"
# A space of four architectures.
FOUR = dataclasses.replace(
    CONFIG, space=SpaceConfig(units="8", dropout_rate=0.0, max_layers=2)
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, search(path)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "toy"
    return path, search(path, pool=Toy())


def test_a_row_for_each_candidate_and_none_twice(whole):
    path, machine = whole
    written = rows(path)
    assert len(written["evaluations"]) == 12
    assert len(written["epochs"]) == 3
    texts = [row["architecture"] for row in written["evaluations"]]
    assert len(set(texts)) == 12
    for number, row in enumerate(written["evaluations"]):
        assert int(row["number"]) == number
        place = (int(row["epoch"]), int(row["step"]))
        assert place == divmod(number, 4)
        accuracies = np.array(row["accuracies"].split(), np.float32)
        assert len(accuracies) == int(row["epochs_trained"]) <= 3
        mean = np.average(accuracies, weights=range(1, len(accuracies) + 1))
        assert float(row["score"]) == pytest.approx(mean, abs=1e-5)
    ranking = read_json(path / RANKING)
    assert ranking["evaluated"] == 12
    scores = [entry["score"] for entry in ranking["architectures"]]
    everything = sorted(float(r["score"]) for r in written["evaluations"])
    assert scores == everything[::-1][:3]
    assert list(machine.evaluator.best.entries) == [
        entry["number"] for entry in ranking["architectures"]
    ]
    listed = read_json(path / "best_architectures.json")["architectures"]
    assert [entry["score"] for entry in listed] == everything[::-1]


def test_an_epochs_row_says_what_its_candidates_came_to(whole):
    path, _ = whole
    written = rows(path)
    for epoch, row in enumerate(written["epochs"]):
        own = written["evaluations"][4 * epoch : 4 * epoch + 4]
        scores = [float(other["score"]) for other in own]
        assert float(row["score_mean"]) == pytest.approx(np.mean(scores))
        assert float(row["score_max"]) == max(scores)
        so_far = written["evaluations"][: 4 * epoch + 4]
        best = max(float(other["score"]) for other in so_far)
        assert float(row["best_score"]) == best
        assert row["architectures"] == "4"
        assert row["diverged"] == row["drawn_uniformly"] == "0"
        shared = sum(int(other["shared_layers"]) for other in own)
        assert row["shared_layers"] == str(shared)


@pytest.mark.parametrize("stop_at", [1, 6, 8])
def test_interrupted_and_resumed_equals_uninterrupted(stop_at, toy, tmp_path):
    path, machine = toy
    with pytest.raises(Interrupted) as stop:
        search(tmp_path / "run", pool=Toy(stop_at))
    assert stop.value.exit_code == 130
    pool = Toy()
    resumed = search(tmp_path / "run", resume=True, pool=pool)
    # What was trained before is not trained again.
    assert len(pool.seen) == 12 - stop_at
    assert rows(tmp_path / "run") == rows(path)
    assert_same_state(resumed, machine)
    ours, theirs = tmp_path / "run" / RANKING, path / RANKING
    assert ours.read_text() == theirs.read_text()


@pytest.mark.parametrize("what", ["_update_policy", "_update_predictor"])
def test_a_signal_while_the_controller_learns(what, toy, tmp_path, monkeypatch):
    path, machine = toy
    original = getattr(MlpnasStrategy, what)
    updates = {
        "_update_policy": CONFIG.policy.controller_steps,
        "_update_predictor": CONFIG.policy.predictor_steps,
    }[what]
    calls = iter(range(1000))

    def signalled(self, *arguments):
        # In the second epoch, not in its last update.
        if next(calls) == updates + 1:
            signal.raise_signal(signal.SIGTERM)
        return original.__get__(self, type(self))(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(MlpnasStrategy, what, signalled)
        with pytest.raises(Interrupted) as stop:
            search(tmp_path / "run", pool=Toy())
    assert stop.value.exit_code == 0
    assert len(rows(tmp_path / "run")["epochs"]) == 1
    pool = Toy()
    resumed = search(tmp_path / "run", resume=True, pool=pool)
    # Nothing is trained again: the controller learns to the end first.
    assert len(pool.seen) == 4
    assert rows(tmp_path / "run") == rows(path)
    assert_same_state(resumed, machine)


def test_a_crash_in_the_ranking(toy, tmp_path, monkeypatch):
    path, machine = toy

    def crash(*arguments, **more):
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(Ranking, "write", crash)
        with pytest.raises(OSError):
            search(tmp_path / "run", pool=Toy())
    assert not is_finished(tmp_path / "run")
    pool = Toy()
    resumed = search(tmp_path / "run", resume=True, pool=pool)
    assert not pool.seen
    assert rows(tmp_path / "run") == rows(path)
    assert_same_state(resumed, machine)
    ours, theirs = tmp_path / "run" / RANKING, path / RANKING
    assert ours.read_text() == theirs.read_text()


def test_an_epochs_seconds_count_what_was_before_a_stop(tmp_path, monkeypatch):
    """Each candidate takes 10 s here, and the pause a day."""
    clock = [0.0]

    class Slow(Toy):
        def train(self, tasks):
            for place, trained in super().train(tasks):
                clock[0] += 10
                yield place, trained
                if self.stop_at == len(self.seen):
                    signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("nascore.runs.positions.monotonic", lambda: clock[0])
    with pytest.raises(Interrupted):
        search(tmp_path / "run", pool=Slow(6))
    clock[0] += 86_400
    search(tmp_path / "run", resume=True, pool=Slow())
    with RunFolder.open(tmp_path / "run") as run:
        seconds = [float(row["seconds"]) for row in run.read("epochs")]
    assert seconds == [40, 40, 40]


def test_trained_networks_of_a_resumed_run_are_those_of_a_whole_one(
    whole, tmp_path
):
    """With real training, from the state after the second epoch."""
    path, machine = whole
    short = dataclasses.replace(
        CONFIG, search=dataclasses.replace(CONFIG.search, epochs=2)
    )
    search(tmp_path / "run", short)
    resumed = search(tmp_path / "run", resume=True)
    assert resumed.resumed
    assert rows(tmp_path / "run") == rows(path)
    assert_same_state(resumed, machine)


def test_a_corrupt_checkpoint_falls_back_to_the_one_before(
    toy, tmp_path, capsys
):
    path, machine = toy
    shutil.copytree(path, tmp_path / "copy")
    for file in (tmp_path / "copy" / "checkpoints").glob("ckpt-3*"):
        file.write_bytes(file.read_bytes()[:50])
    resumed = search(tmp_path / "copy", resume=True, pool=Toy())
    assert "going back to the one before" in capsys.readouterr().err
    assert rows(tmp_path / "copy") == rows(path)
    assert_same_state(resumed, machine)


def test_other_settings_and_other_data_are_noticed(whole):
    path, _ = whole
    other = dataclasses.replace(
        CONFIG, training=dataclasses.replace(CONFIG.training, child_lr=0.1)
    )
    with pytest.raises(InputError, match=r"child_lr: 0\.001 -> 0\.1"):
        search(path, other, resume=True)
    features = DATA.train.features.copy()
    features[0, 0] += 1
    train = DATA.train._replace(features=features)
    with RunFolder.open(path) as run:
        with pytest.raises(InputError, match="fingerprint"):
            make_search(CONFIG, run, dataclasses.replace(DATA, train=train))


def test_reinforce_raises_the_score_of_a_known_optimum(tmp_path):
    config = dataclasses.replace(
        CONFIG,
        space=SpaceConfig(max_layers=6),
        policy=dataclasses.replace(
            CONFIG.policy, controller_lr=0.02, controller_decay=0.0
        ),
        search=LengthConfig(epochs=15, architectures=20),
    )
    search(tmp_path / "run", config, pool=Toy())
    means = [
        float(row["score_mean"]) for row in rows(tmp_path / "run")["epochs"]
    ]
    assert np.mean(means[:2]) < 0.4
    assert np.mean(means[-3:]) > 0.8


def without_cost(out):
    """The lines; on a slow machine one of them says what a search takes."""
    lines = out.splitlines()
    return [line for line in lines if not line.startswith("cost: ")]


def test_a_space_that_is_exhausted_ends_the_search(tmp_path, capsys):
    machine = search(tmp_path / "run", FOUR, pool=Toy())
    assert machine.space.size() == 4
    written = rows(tmp_path / "run")
    assert len(written["evaluations"]) == 4
    lines = without_cost(capsys.readouterr().out)
    # With the rate and the time left, which nothing is.
    assert lines[0].startswith("epoch 1/3: 4 new architectures, score ")
    assert lines[1].startswith(
        "ended after 1 epochs: no new architecture was found; 4 of 4 are "
        "measured  ["
    )
    assert len(lines) == 2
    assert is_finished(tmp_path / "run")
    ranking = read_json(tmp_path / "run" / RANKING)
    assert ranking["stopped_early"] and ranking["evaluated"] == 4


def test_a_signal_while_nothing_new_is_found_is_no_endless_run(
    tmp_path, monkeypatch
):
    ask = MlpnasStrategy.ask

    def signalled(self, count, seed):
        if len(self.known.rows) == 4:
            signal.raise_signal(signal.SIGINT)
        return ask(self, count, seed)

    with monkeypatch.context() as patch:
        patch.setattr(MlpnasStrategy, "ask", signalled)
        with pytest.raises(Interrupted):
            search(tmp_path / "run", FOUR, pool=Toy())
    search(tmp_path / "run", FOUR, resume=True, pool=Toy())
    assert is_finished(tmp_path / "run")
    assert len(rows(tmp_path / "run")["epochs"]) == 1


def test_an_epochs_line(toy, tmp_path, capsys):
    path, machine = toy
    search(tmp_path / "run", pool=Toy())
    lines = without_cost(capsys.readouterr().out)
    written = rows(path)["epochs"]
    listed = read_json(path / "best_architectures.json")["architectures"]
    last = written[-1]
    assert lines[-1].startswith(
        f"epoch 3/3: 4 new architectures, score "
        f"{float(last['score_mean']):.1%} +- {float(last['score_std']):.1%}, "
        f"best {listed[0]['score']:.1%} ({listed[0]['architecture']})"
    )
    assert lines[-1].endswith("00:00 left]")
    for line, row in zip(lines, written, strict=True):
        correlation = float(row["predictor_correlation"])
        said = "predicted with a rank correlation of "
        assert (f"{said}{correlation:+.2f}" in line) or (
            np.isnan(correlation) and said not in line
        )


def test_fine_tuning_goes_on_from_the_weights_of_the_search(whole):
    _, machine = whole
    best = machine.records.best[0]
    trained = machine.evaluator.best.entries[int(best.row["number"])]
    seen = []
    tuned = finetune(
        CONFIG, DATA, best.architecture, trained.weights, seen.append
    )
    assert seen[0]["loss"] < trained.rows.loss[-1]
    assert tuned.epochs == len(seen) <= 50
    losses = [row["validation_loss"] for row in seen]
    place = int(np.argmin(losses))
    assert tuned.validation_accuracy == pytest.approx(
        seen[place]["validation_accuracy"]
    )
    # Far above chance, and not above what digits allow.
    neighbours = KNeighborsClassifier().fit(*DATA.train)
    assert 0.85 < tuned.test_accuracy < neighbours.score(*DATA.test) + 0.05


def test_a_search_of_another_version_is_not_continued(toy, tmp_path):
    """Its checkpoints hold other names; it did not say its space's kind."""
    path, _ = toy
    shutil.copytree(path, tmp_path / "run")
    file = tmp_path / "run" / "config.json"
    settings = json.loads(file.read_text())
    assert settings["space"].pop("kind") == "perceptrons"
    file.write_text(json.dumps(settings))
    config = dataclasses.replace(
        CONFIG, search=dataclasses.replace(CONFIG.search, epochs=4)
    )
    before = (tmp_path / "run" / "evaluations.csv").read_bytes()
    with pytest.raises(InputError, match="this one cannot continue it"):
        search(tmp_path / "run", config, resume=True, pool=Toy())
    assert (tmp_path / "run" / "evaluations.csv").read_bytes() == before
