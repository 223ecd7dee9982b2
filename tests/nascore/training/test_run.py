"""A final training that is stopped anywhere equals one that is not."""

import csv
import dataclasses
import json
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from nascore.data.config import DataConfig
from nascore.errors import InputError, RunStopped
from nascore.networks.config import NetworkConfig
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.interrupts import Interrupted, Limit
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import Terms
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.epochs import NothingToTest
from nascore.training.finish import finish
from nascore.training.provenance.history import find_history
from nascore.training.provenance.images import load_final
from nascore.training.provenance.origin import NOWHERE
from nascore.training.run import FinalTraining

CONFIG = FinalConfig(
    DataConfig(image_size=8, train_examples=160, pad_crop=1, cutout=2),
    NetworkConfig(
        num_nodes=1, filters=4, num_normal_cells=1, num_reduction_cells=1
    ),
    TrainingConfig(
        architecture="0 0 1 3 0 1 1 4",
        epochs=3,
        batch_size=40,
        ema_decay=0.9,
        warmup_epochs=1.0,
    ),
)


def rows(path):
    with (path / "epochs.csv").open() as file:
        found = list(csv.DictReader(file))
    for row in found:
        assert float(row.pop("seconds")) > 0
        row.pop("images_per_second")
    return found


def state(training):
    return {k: v.numpy() for k, v in training.loop.state.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("final") / "run"
    with RunFolder.create(path) as run:
        training = FinalTraining(CONFIG, run)
        training.run()
    return rows(path), state(training)


def test_epochs_are_written(whole):
    table, _ = whole
    assert [row["epoch"] for row in table] == ["0", "1", "2"]
    assert all(np.isfinite(float(v)) for row in table for v in row.values())


def test_resumed_training_equals_uninterrupted(whole, tmp_path):
    path = tmp_path / "run"
    # In the middle of an epoch's steps, after them, and in the next.
    stops = (2, 4, 7)
    for stop in (*stops, None):
        make = RunFolder.create if stop == stops[0] else RunFolder.open
        with make(path) as run:
            training = FinalTraining(CONFIG, run)
            if stop is None:
                training.run()
                break
            pause = training.lifecycle.pause

            def interrupt(training=training, pause=pause, stop=stop):
                if training.epoch * 4 + training.step >= stop:
                    training.lifecycle._stop.signum = signal.SIGTERM
                pause()

            training.lifecycle.pause = interrupt
            with pytest.raises(Interrupted, match="is saved"):
                training.run()
    table, values = whole
    assert rows(path) == table
    for name, value in state(training).items():
        np.testing.assert_array_equal(value, values[name], name)


def test_seconds_before_an_interruption_count(tmp_path, monkeypatch):
    # Hardly anything to trace.
    config = dataclasses.replace(
        CONFIG,
        network=dataclasses.replace(CONFIG.network, num_reduction_cells=0),
        training=dataclasses.replace(
            CONFIG.training, architecture="0 4 1 4 0 4 1 4", ema_decay=0.0
        ),
    )
    now, stretches = [0.0], []
    monkeypatch.setattr("nascore.runs.positions.monotonic", lambda: now[0])
    monkeypatch.setattr("nascore.runs.lifecycle.next_stretch", lambda *_: 1)
    original = Lifecycle.advance

    def advance(self, steps, label):
        original(self, steps, label)
        now[0] += 10
        stretches.append(steps)
        if len(stretches) == 3:
            self._stop.signum = signal.SIGTERM

    monkeypatch.setattr(Lifecycle, "advance", advance)
    with RunFolder.create(tmp_path / "run") as run:
        with pytest.raises(Interrupted):
            FinalTraining(config, run).run()
    now[0] += 1000
    with RunFolder.open(tmp_path / "run") as run:
        FinalTraining(config, run).run()
        seconds = [float(row["seconds"]) for row in run.read("epochs")]
    # Four steps of ten seconds; three of the first were before.
    assert seconds == [40.0, 40.0, 40.0]
    assert stretches == [1] * 12


def write_pictures(folder, seed):
    rng = np.random.default_rng(seed)
    for label in range(2):
        (folder / f"c{label}").mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (8, 8)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"c{label}" / f"{number}.png")


def swap_labels(test):
    (test / "c0").rename(test / "x")
    (test / "c1").rename(test / "c0")
    (test / "x").rename(test / "c1")


def change_a_pixel(test):
    with Image.open(test / "c1" / "3.png") as picture:
        pixels = np.asarray(picture).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(test / "c1" / "3.png")


def exchange(test):
    shutil.rmtree(test)
    write_pictures(test, 9)


@pytest.mark.parametrize("change", [swap_labels, change_a_pixel, exchange])
def test_other_test_images_are_noticed(change, tmp_path, capsys):
    for seed, part in enumerate(("train", "test")):
        write_pictures(tmp_path / "data" / part, seed)
    data = DataConfig(
        dataset="folder", data_dir=str(tmp_path / "data"), image_size=8
    )
    training = dataclasses.replace(CONFIG.training, batch_size=8)
    config = dataclasses.replace(CONFIG, data=data, training=training)
    path = tmp_path / "run"
    with RunFolder.create(path) as run:
        FinalTraining(config, run)
    with RunFolder.open(path) as run:
        FinalTraining(config, run)
    assert capsys.readouterr().err == ""
    change(tmp_path / "data" / "test")
    with RunFolder.open(path) as run:
        with pytest.raises(
            InputError, match="other examples.*test_fingerprint"
        ):
            FinalTraining(config, run)
    # An earlier version recorded no test images: they are not compared.
    settings = json.loads((path / "config.json").read_text())
    del settings["data"]["test_fingerprint"]
    (path / "config.json").write_text(json.dumps(settings))
    with RunFolder.open(path) as run:
        FinalTraining(config, run)
    assert "whether they are still the same" in capsys.readouterr().err


def test_averages_of_an_earlier_version_are_refused(tmp_path):
    path = tmp_path / "run"
    with RunFolder.create(path) as run:
        FinalTraining(CONFIG, run)
    settings = json.loads((path / "config.json").read_text())
    del settings["averages"]
    (path / "config.json").write_text(json.dumps(settings))
    with RunFolder.open(path) as run:
        with pytest.raises(InputError, match="--ema_decay.*earlier version"):
            FinalTraining(CONFIG, run)


def test_averages_start_from_weights_that_were_taken_over(tmp_path):
    def initialize(network):
        for weight in network.trainable_variables:
            weight.assign(weight + 1.0)

    with RunFolder.create(tmp_path / "run") as run:
        training = FinalTraining(CONFIG, run, initialize=initialize)
    weights = training.network.trainable_variables
    for average, weight in zip(
        training.loop.averages.values, weights, strict=True
    ):
        np.testing.assert_array_equal(average.numpy(), weight.numpy())


def test_other_epochs_are_refused(tmp_path):
    with RunFolder.create(tmp_path / "run") as run:
        FinalTraining(CONFIG, run)
    longer = dataclasses.replace(CONFIG.training, epochs=9)
    config = dataclasses.replace(CONFIG, training=longer)
    with RunFolder.open(tmp_path / "run") as run:
        with pytest.raises(InputError, match="leave --epochs"):
            FinalTraining(config, run)


def test_an_exploded_loss_stops_the_run(tmp_path):
    training = dataclasses.replace(CONFIG.training, loss_limit=1e-6)
    config = dataclasses.replace(CONFIG, training=training)
    with RunFolder.create(tmp_path / "run") as run:
        with pytest.raises(RunStopped, match="exploded in epoch 1, step 1"):
            FinalTraining(config, run).run()


def test_which_images_are_trained_on():
    split = load_final(DataConfig(image_size=8), train_on_all=False)
    every = load_final(DataConfig(image_size=8), train_on_all=True)
    subset = load_final(CONFIG.data, train_on_all=True)
    assert len(split.train) + len(split.validation) == 1437
    assert len(every.train) == 1437 and every.validation is None
    assert len(subset.train) == 160
    assert len(split.test) == 360


def test_ended_in_time_it_is_tested_and_goes_on_to_the_same_end(
    whole, tmp_path, monkeypatch
):
    """In the middle of the second epoch; then from there by --finish."""
    path = tmp_path / "run"
    config = dataclasses.replace(
        CONFIG, training=dataclasses.replace(CONFIG.training, export="keras")
    )
    with monkeypatch.context() as patch:
        patch.setattr(
            "nascore.runs.progress.Cost.is_late",
            lambda self: self._outlook.left()["steps"] == 7,
        )
        with RunFolder.create(path) as run:
            training = FinalTraining(config, run)
            training.run()
            assert (training.cut, training.epoch, training.step) == (True, 1, 1)
            history = find_history(NOWHERE, config, training.data)
            first = finish(training, history)
    for number in range(2):
        assert not is_finished(path, end_file="test.json")
        with RunFolder.open(path) as run:
            training = FinalTraining(config, run)
            training.run(finish=not number)
            assert training.cut is not bool(number)
            again = finish(training, history)
        if not number:
            assert again.whole.accuracy == first.whole.accuracy
    assert rows(path) == whole[0]
    assert is_finished(path, end_file="test.json")
    end = json.loads((path / "test.json").read_text())
    # Who goes on because of the test set has chosen by it.
    accuracy = first.whole.accuracy
    assert end["earlier_tests"] == [{"epochs": 1, "accuracy": accuracy}] * 2
    assert "3 times, see earlier_tests" in end["measured_on"]


def test_before_its_first_epoch_has_ended_there_is_nothing(tmp_path):
    with RunFolder.create(tmp_path / "run") as run:
        training = FinalTraining(CONFIG, run)
        with pytest.raises(NothingToTest, match="no epoch has ended") as stop:
            training.run(Terms(Limit(1e-9)))
    assert stop.value.resumable and "\n" not in str(stop.value)
