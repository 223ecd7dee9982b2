import dataclasses
import shutil
import signal

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from mlpnas.config import (
    FinetuneConfig,
    MlpnasConfig,
    PolicyConfig,
    SearchConfig,
    SpaceConfig,
    TrainingConfig,
)
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from mlpnas.finetune import finetune
from mlpnas.search import Search
from mlpnas.tasks import EpochRows, Trained, epoch_weighted_mean
from nascore.errors import InputError, RunStopped
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.interrupts import Interrupted
from nascore.runs.json_files import read_json

CONFIG = MlpnasConfig(
    data=MlpDataConfig(train_examples=300),
    space=SpaceConfig(units="8,16,32", max_layers=4),
    policy=PolicyConfig(lstm_units=16, predictor=True, predictor_steps=3),
    training=TrainingConfig(child_epochs=3, one_shot=True, batch_size=32),
    finetune=FinetuneConfig(top=3),
    search=SearchConfig(epochs=3, architectures=4),
)
DATA = load(CONFIG.data)


class Toy:
    """Stands in for training: scores count the wanted layers."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def train(self, tasks):
        # Backwards: results need not come in the order of the tasks.
        for place in reversed(range(len(tasks))):
            task = tasks[place]
            self.seen.append(task)
            share = np.mean(
                [layer.activation == "elu" for layer in task.architecture]
            )
            rows = EpochRows(*np.full((3, 2), share, np.float32))
            yield place, Trained(list(task.weights), rows, 0.0)
            if self.stop_at == len(self.seen):
                signal.raise_signal(signal.SIGINT)


def search(path, config=CONFIG, resume=False, pool=None, jobs=1):
    open_folder = RunFolder.open if resume else RunFolder.create
    with open_folder(path) as run:
        machine = Search(config, run, DATA, pool, jobs)
        machine.run()
        return machine


def rows(path):
    """All rows, without the columns that measure time."""
    with RunFolder.open(path) as run:
        return {
            name: [
                {k: v for k, v in row.items() if k != "seconds"}
                for row in run.read(name)
            ]
            for name in ("candidates", "epochs")
        }


def assert_same_state(one, other):
    theirs = other._variables()
    for name, value in one._variables().items():
        if hasattr(value, "numpy") and name != "seconds":
            mine, yours = value.numpy(), theirs[name].numpy()
            np.testing.assert_array_equal(mine, yours, name)
        elif name == "weight_bank":
            assert value.serialize() == theirs[name].serialize()
        elif name not in ("tables", "seconds"):
            assert list(value.entries) == list(theirs[name].entries)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, search(path)


def test_a_row_for_each_candidate_and_none_twice(whole):
    path, machine = whole
    written = rows(path)
    assert len(written["candidates"]) == 12
    assert len(written["epochs"]) == 3
    texts = [row["architecture"] for row in written["candidates"]]
    assert len(set(texts)) == 12
    for number, row in enumerate(written["candidates"]):
        place = (int(row["epoch"]), int(row["step"]))
        assert place == divmod(number, 4)
        accuracies = np.array(row["accuracies"].split(), np.float32)
        assert len(accuracies) == int(row["epochs_trained"]) <= 3
        mean = np.average(accuracies, weights=range(1, len(accuracies) + 1))
        assert float(row["score"]) == pytest.approx(mean, abs=1e-5)
    ranking = read_json(path / "derived_architectures.json")
    scores = [entry["score"] for entry in ranking["architectures"]]
    everything = sorted(float(r["score"]) for r in written["candidates"])
    assert scores == everything[::-1][:3]
    assert list(machine.best.entries) == [
        entry["number"] for entry in ranking["architectures"]
    ]


def test_rewards_are_z_scores_of_the_epoch(whole):
    path, _ = whole
    for epoch in range(3):
        own = [
            row
            for row in rows(path)["candidates"]
            if int(row["epoch"]) == epoch
        ]
        scores = np.array([float(row["score"]) for row in own])
        expected = (scores - scores.mean()) / scores.std()
        rewards = [float(row["reward"]) for row in own]
        np.testing.assert_allclose(rewards, expected, atol=1e-3)


def test_weights_of_known_pairs_are_taken_from_the_epoch_before(whole):
    path, machine = whole
    by_epoch = {}
    for row in rows(path)["candidates"]:
        by_epoch.setdefault(row["epoch"], []).append(int(row["shared_layers"]))
    assert sum(by_epoch["0"]) == 0
    assert sum(by_epoch["1"]) + sum(by_epoch["2"]) > 0
    assert 0 < machine.bank.size < 1e6


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "toy"
    return path, search(path, pool=Toy())


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
    name = "derived_architectures.json"
    ours, theirs = tmp_path / "run" / name, path / name
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

    monkeypatch.setattr("nascore.runs.stopwatch.monotonic", lambda: clock[0])
    with pytest.raises(Interrupted):
        search(tmp_path / "run", pool=Slow(6))
    clock[0] += 86_400
    search(tmp_path / "run", resume=True, pool=Slow())
    with RunFolder.open(tmp_path / "run") as run:
        seconds = [float(row["seconds"]) for row in run.read("epochs")]
    assert seconds == [40, 40, 40]


def test_the_score_is_the_one_that_is_asked_for(tmp_path):
    class Falling(Toy):
        def train(self, tasks):
            for place, trained in super().train(tasks):
                first = trained.rows.validation_accuracy[0]
                rows = EpochRows(*np.array([[first, place / 100]] * 3))
                yield place, trained._replace(rows=rows)

    for rule in ("weighted", "best"):
        config = dataclasses.replace(
            CONFIG,
            training=dataclasses.replace(CONFIG.training, score=rule),
        )
        search(tmp_path / rule, config, pool=Falling())
        written = rows(tmp_path / rule)["candidates"]
        for row in written:
            first, last = map(float, row["accuracies"].split())
            score = max(first, last)
            if rule == "weighted":
                score = (first + 2 * last) / 3
            assert float(row["score"]) == pytest.approx(score, abs=1e-5)
        ranking = read_json(tmp_path / rule / "derived_architectures.json")
        best = max(float(row["score"]) for row in written)
        assert ranking["architectures"][0]["score"] == best


def test_what_was_trained_before_a_process_died_is_kept(toy, tmp_path):
    path, _ = toy

    class Dying(Toy):
        def train(self, tasks):
            for number, result in enumerate(super().train(tasks)):
                if number == 2:
                    raise RunStopped("a process died")
                yield result

    with pytest.raises(RunStopped):
        search(tmp_path / "run", pool=Dying())
    pool = Toy()
    search(tmp_path / "run", resume=True, pool=pool)
    assert len(pool.seen) == 12 - 2
    assert rows(tmp_path / "run") == rows(path)


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
            Search(CONFIG, run, dataclasses.replace(DATA, train=train))


def test_reinforce_raises_the_score_of_a_known_optimum(tmp_path):
    config = dataclasses.replace(
        CONFIG,
        space=SpaceConfig(max_layers=6),
        policy=dataclasses.replace(
            CONFIG.policy, controller_lr=0.02, controller_decay=0.0
        ),
        search=SearchConfig(epochs=15, architectures=20),
    )
    search(tmp_path / "run", config, pool=Toy())
    means = [
        float(row["score_mean"]) for row in rows(tmp_path / "run")["epochs"]
    ]
    assert np.mean(means[:2]) < 0.4
    assert np.mean(means[-3:]) > 0.8


def test_a_space_that_is_exhausted_ends_the_search(tmp_path, capsys):
    config = dataclasses.replace(
        CONFIG, space=SpaceConfig(units="8", dropout_rate=0.0, max_layers=2)
    )
    machine = search(tmp_path / "run", config, pool=Toy())
    assert machine.space.size() == 4
    written = rows(tmp_path / "run")
    assert len(written["candidates"]) == 4
    assert "no new architecture was found" in capsys.readouterr().out
    assert is_finished(tmp_path / "run")
    ranking = read_json(tmp_path / "run" / "derived_architectures.json")
    assert ranking["stopped_early"] and ranking["evaluated"] == 4


def test_what_a_policy_repeats_is_drawn_uniformly_instead(tmp_path):
    config = dataclasses.replace(
        CONFIG, policy=dataclasses.replace(CONFIG.policy, sampling_rounds=3)
    )
    with RunFolder.create(tmp_path / "run") as run:
        machine = Search(config, run, DATA, Toy())
        # Nearly all of the probability on one architecture.
        bias = np.zeros(len(machine.space.vocabulary) + 1, np.float32)
        bias[[2, -1]] = 40, 50
        machine.policy.controller.output.bias.assign(bias)
        machine.run()
    written = rows(tmp_path / "run")
    assert len(written["candidates"]) == 12
    assert written["candidates"][0]["architecture"] == "8 tanh | softmax"
    uniform = [int(row["drawn_uniformly"]) for row in written["epochs"]]
    assert uniform == [3, 4, 4]


def test_fine_tuning_goes_on_from_the_weights_of_the_search(whole):
    _, machine = whole
    best = machine.records.ranking(1)[0]
    trained = machine.best.entries[best.number]
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


def test_scores_weigh_later_epochs_more():
    values = np.array([0.1, 0.2, 0.6], np.float32)
    expected = (0.1 + 2 * 0.2 + 3 * 0.6) / 6
    assert epoch_weighted_mean(values) == pytest.approx(expected)


@pytest.mark.parametrize("one_shot", [False, True])
def test_random_search_can_share_weights(tmp_path, one_shot):
    config = dataclasses.replace(
        CONFIG,
        space=SpaceConfig(units="8,16", activations="elu,relu", max_layers=4),
        policy=PolicyConfig(controller="random"),
        training=dataclasses.replace(CONFIG.training, one_shot=one_shot),
    )
    search(tmp_path / "run", config, pool=Toy())
    shared = [
        int(row["shared_layers"])
        for row in rows(tmp_path / "run")["candidates"]
    ]
    # Nothing is stored before the first epoch's four.
    assert len(shared) == 12 and shared[:4] == [0] * 4
    assert (max(shared) > 0) is one_shot
