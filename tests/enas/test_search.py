import dataclasses
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from enas.config import ControllerConfig, EnasConfig, ScheduleConfig
from enas.search import Search
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.errors import InputError, RunStopped
from nascore.networks.config import SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted

CONFIG = EnasConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=SupernetConfig(
        filters=4, num_normal_cells=1, num_reduction_cells=1, num_nodes=2
    ),
    controller=ControllerConfig(num_aggregate=2, train_steps=4),
    schedule=ScheduleConfig(
        epochs=3,
        batch_size=16,
        child_lr_period=1,
        child_lr_restart="half",
        epoch_samples=3,
        derive_samples=4,
    ),
)
DATA = load(CONFIG.data)
TABLES = ("child", "controller", "samples", "epochs")


def search(path, config=CONFIG, resume=False, **arguments):
    open_folder = RunFolder.open if resume else RunFolder.create
    with open_folder(path) as run:
        machine = Search(config, run, data=DATA, **arguments)
        machine.run()
        return machine


def rows(path):
    """All rows, without the columns that measure time."""
    with RunFolder.open(path) as run:
        return {
            table: [
                {k: v for k, v in row.items() if k != "seconds"}
                for row in run.read(table)
            ]
            for table in TABLES
        }


def state(machine):
    return {
        name: value.numpy()
        for name, value in machine._variables().items()
        if name != "tables"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, search(path)


def test_run_folder_holds_a_row_for_everything(whole):
    path, machine = whole
    written = rows(path)
    steps = machine.child.steps_per_epoch
    assert len(written["child"]) == 3 * steps == 3 * 10
    assert len(written["controller"]) == 3 * 8
    assert len(written["samples"]) == 3 * 3
    assert len(written["epochs"]) == 3
    for name in (
        "config.json",
        "layers.json",
        "best_architectures.json",
        "derived_architectures.json",
    ):
        assert (path / name).is_file()
    assert any((path / "tensorboard").iterdir())
    for number, row in enumerate(written["controller"]):
        place = (int(row["epoch"]), int(row["step"]))
        assert place == divmod(number, 8)
        assert row["reward"] == row["accuracy"]
    traces = [
        machine.child.train.experimental_get_tracing_count(),
        machine.policy.train.experimental_get_tracing_count(),
        machine.child.score_on_batches.experimental_get_tracing_count(),
    ]
    assert traces == [1, 1, 1]


def test_baseline_and_rewards_follow_the_published_order(whole):
    path, _ = whole
    baseline = 0.0
    for row in rows(path)["controller"]:
        total = float(row["reward"]) + 1e-4 * float(row["entropy"])
        baseline = 0.99 * baseline + 0.01 * total
        assert float(row["baseline"]) == pytest.approx(baseline, rel=1e-4)


def test_learning_rate_is_the_cosine_of_the_epoch(whole):
    path, _ = whole
    # A cosine of one epoch, and half of one of two; the first step of the
    # second, a restart, has the mean of both rates.
    expected = 10 * [0.05] + [0.02525] + 9 * [0.05] + 10 * [0.02525]
    written = rows(path)
    rates = [float(row["learning_rate"]) for row in written["child"]]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    rates = [float(row["learning_rate"]) for row in written["epochs"]]
    np.testing.assert_allclose(rates, [0.05, 0.05, 0.02525], rtol=1e-5)


def test_best_list_is_ranked_distinct_and_from_the_samples(whole):
    path, machine = whole
    samples = rows(path)["samples"]
    best = machine.records.best
    accuracies = [entry[0] for entry in best]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len({entry[1] for entry in best}) == len(best)
    assert accuracies[0] == max(float(row["accuracy"]) for row in samples)


def test_same_seed_same_rows_and_other_seed_other_rows(whole, tmp_path):
    path, machine = whole
    again = search(tmp_path / "again")
    assert rows(tmp_path / "again") == rows(path)
    for name, value in state(again).items():
        np.testing.assert_array_equal(value, state(machine)[name], name)
    schedule = dataclasses.replace(CONFIG.schedule, seed=2, epochs=1)
    other = dataclasses.replace(CONFIG, schedule=schedule)
    search(tmp_path / "other", other)
    first = rows(tmp_path / "other")["child"][0]
    assert first != rows(path)["child"][0]


@pytest.mark.parametrize("phase", ["_train_child", "_train_controller"])
def test_interrupted_and_resumed_equals_uninterrupted(
    phase, whole, tmp_path, monkeypatch
):
    path, machine = whole
    after = Search._after_stretch

    def interrupt(self, count, label):
        if self.epoch == 1 and label in phase:
            self._stop.signum = signal.SIGINT
        after(self, count, label)

    with monkeypatch.context() as patch:
        patch.setattr(Search, "_after_stretch", interrupt)
        with pytest.raises(Interrupted) as stop:
            search(tmp_path / "run")
    assert stop.value.exit_code == 130
    resumed = search(tmp_path / "run", resume=True)
    assert resumed.resumed
    assert rows(tmp_path / "run") == rows(path)
    for name, value in state(resumed).items():
        np.testing.assert_array_equal(value, state(machine)[name], name)
    for name in ("best_architectures.json", "derived_architectures.json"):
        ours, theirs = tmp_path / "run" / name, path / name
        assert ours.read_text() == theirs.read_text()


def test_a_resumed_epoch_keeps_its_seconds(tmp_path, monkeypatch):
    """By a clock that only the test moves."""
    now = [1000.0]
    monkeypatch.setattr("nascore.runs.stopwatch.monotonic", lambda: now[0])
    path = tmp_path / "run"
    after, evaluate = Search._after_stretch, Search._evaluate

    def interrupt(self, count, label):
        if "controller" in label:
            now[0] += 63
            self._stop.signum = signal.SIGINT
        after(self, count, label)

    def take_time(self, epoch):
        now[0] += 26
        return evaluate(self, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(Search, "_after_stretch", interrupt)
        with pytest.raises(Interrupted):
            search(path)
    # What passes while nothing runs is not the epoch's.
    now[0] += 5000
    monkeypatch.setattr(Search, "_evaluate", take_time)
    search(path, resume=True)
    with RunFolder.open(path) as run:
        seconds = [float(row["seconds"]) for row in run.read("epochs")]
    assert seconds == [63 + 26, 26, 26]


def test_a_corrupt_checkpoint_falls_back_to_the_one_before(
    whole, tmp_path, capsys
):
    path, machine = whole
    shutil.copytree(path, tmp_path / "run")
    (tmp_path / "run" / "derived_architectures.json").unlink()
    newest = sorted((tmp_path / "run" / "checkpoints").glob("*.data*"))[-1]
    content = bytearray(newest.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    newest.write_bytes(content)
    resumed = search(tmp_path / "run", resume=True)
    warning = capsys.readouterr().err
    assert "ckpt-3 cannot be used" in warning
    assert "going back to the one before" in warning
    assert rows(tmp_path / "run") == rows(path)
    for name, value in state(resumed).items():
        np.testing.assert_array_equal(value, state(machine)[name], name)


def test_a_finished_search_can_be_given_more_epochs(whole, tmp_path):
    path, _ = whole
    shutil.copytree(path, tmp_path / "run")
    longer = dataclasses.replace(
        CONFIG, schedule=dataclasses.replace(CONFIG.schedule, epochs=4)
    )
    search(tmp_path / "run", longer, resume=True)
    more = rows(tmp_path / "run")
    for table, old in rows(path).items():
        assert more[table][: len(old)] == old
        assert len(more[table]) == len(old) // 3 * 4


@pytest.mark.parametrize("place", ["before", "after"])
def test_killed_without_warning_and_resumed(place, whole, tmp_path):
    """A process that dies between two writes loses nothing."""
    path, machine = whole
    script = f"""
import os, sys
sys.path.insert(0, {str(os.path.dirname(__file__))!r})
from test_search import CONFIG, search
from enas.search import Search
save = Search._save
def die(self):
    {"save(self)" if place == "after" else "pass"}
    if self.epoch == 2:
        os._exit(9)
    save(self)
Search._save = die
search(__import__("pathlib").Path(sys.argv[1]))
"""
    target = tmp_path / "run"
    died = subprocess.run([sys.executable, "-c", script, str(target)])
    assert died.returncode == 9
    resumed = search(target, resume=True)
    assert rows(target) == rows(path)
    for name, value in state(resumed).items():
        np.testing.assert_array_equal(value, state(machine)[name], name)


def test_other_settings_are_named_on_resuming(whole):
    path, _ = whole
    other = dataclasses.replace(
        CONFIG, child=dataclasses.replace(CONFIG.child, filters=6)
    )
    with pytest.raises(InputError) as error:
        search(path, other, resume=True)
    assert "filters: 4 -> 6" in str(error.value)
    assert "\n" not in str(error.value)


def test_other_data_are_noticed_on_resuming(whole):
    path, _ = whole
    images = DATA.train.images.copy()
    images[0, 0, 0, 0] ^= 1
    other = dataclasses.replace(
        DATA, train=dataclasses.replace(DATA.train, images=images)
    )
    with RunFolder.open(path) as run:
        with pytest.raises(InputError) as error:
            Search(CONFIG, run, data=other)
    fingerprints = f"{DATA.fingerprint} -> {other.fingerprint}. Bring"
    assert "was begun on other examples" in str(error.value)
    # Only what differs is named.
    assert f"(run -> now): fingerprint: {fingerprints}" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_exploding_loss_names_the_architecture(tmp_path):
    wild = dataclasses.replace(
        CONFIG,
        schedule=dataclasses.replace(CONFIG.schedule, loss_limit=2.0),
    )
    with pytest.raises(RunStopped) as stop:
        search(tmp_path / "run", wild)
    row = rows(tmp_path / "run")["child"][-1]
    assert row["normal_cell"] in str(stop.value)
    assert row["reduction_cell"] in str(stop.value)
    assert float(row["loss"]) > 2.0
    assert stop.value.exit_code == 1


def test_random_policy_is_the_baseline(tmp_path):
    config = dataclasses.replace(
        CONFIG,
        controller=dataclasses.replace(CONFIG.controller, controller="random"),
        schedule=dataclasses.replace(CONFIG.schedule, epochs=1),
    )
    machine = search(tmp_path / "run", config)
    written = rows(tmp_path / "run")["controller"]
    log_size = np.log(float(machine.space.size()))
    for row in written:
        assert float(row["entropy"]) == pytest.approx(log_size, rel=1e-5)


def test_training_the_controller_raises_a_rewarded_operation(tmp_path):
    """REINFORCE through the whole controller phase, with a known optimum."""
    config = dataclasses.replace(
        CONFIG,
        controller=dataclasses.replace(
            CONFIG.controller,
            num_aggregate=10,
            train_steps=60,
            controller_lr=0.02,
            baseline_decay=0.9,
            tanh_constant=5.0,
            conv_bias=0.0,
        ),
    )
    with RunFolder.create(tmp_path / "run") as run:
        machine = Search(config, run, data=DATA)
        wanted = machine.space.operations.index("identity")

        def share(architecture, seed):
            ops = architecture[..., 1::2]
            return tf.reduce_mean(tf.cast(ops == wanted, tf.float32))

        machine.child.reward_accuracy = share
        numbers = (tf.constant(n) for n in (0, 0, 60))
        accuracy = machine.policy.train(*numbers).accuracy.numpy()
    assert accuracy[:50].mean() < 0.3
    assert accuracy[-50:].mean() > accuracy[:50].mean() + 0.2


def test_an_early_stop_finishes_the_run(tmp_path, monkeypatch, capsys):
    asked = []

    def exhausted(best, mean):
        asked.append((list(best), mean))
        return len(best) == 2

    monkeypatch.setattr("enas.search.is_exhausted", exhausted)
    config = dataclasses.replace(
        CONFIG,
        schedule=dataclasses.replace(
            CONFIG.schedule, early_stop=True, epochs=9
        ),
    )
    search(tmp_path / "run", config)
    written = rows(tmp_path / "run")["epochs"]
    assert len(written) == 2
    assert asked[-1] == (
        [
            max(
                float(sample["accuracy"])
                for sample in rows(tmp_path / "run")["samples"]
                if sample["epoch"] == row["epoch"]
            )
            for row in written
        ],
        pytest.approx(
            np.mean(
                [
                    float(row["accuracy"])
                    for row in rows(tmp_path / "run")["controller"]
                ][-10:]
            )
        ),
    )
    with RunFolder.open(tmp_path / "run") as run:
        assert run.finished
    assert "early stop after 2 epochs" in capsys.readouterr().out
