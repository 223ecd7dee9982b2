"""A final training that is stopped anywhere equals one that is not."""

import csv
import dataclasses
import signal

import numpy as np
import pytest

from nascore.config import DataConfig
from nascore.errors import InputError, RunStopped
from nascore.final.config import FinalConfig, NetworkConfig, TrainingConfig
from nascore.final.images import load_final
from nascore.final.run import FinalTraining
from nascore.interrupts import Interrupted
from nascore.runs import RunFolder

CONFIG = FinalConfig(
    DataConfig(image_size=8, train_examples=160, pad_crop=1, cutout=2),
    NetworkConfig(num_nodes=1, filters=4, num_layers=1),
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


# Before, in the middle of and after an epoch's steps.
@pytest.mark.parametrize("stops", [(2, 7), (4,)])
def test_resumed_training_equals_uninterrupted(whole, stops, tmp_path):
    path = tmp_path / "run"
    for stop in (*stops, None):
        make = RunFolder.create if stop == stops[0] else RunFolder.open
        with make(path) as run:
            training = FinalTraining(CONFIG, run)
            if stop is None:
                training.run()
                break
            after = training._after_stretch

            def interrupt(training=training, after=after, stop=stop):
                if training.epoch * 4 + training.step >= stop:
                    training._stop.signum = signal.SIGTERM
                after()

            training._after_stretch = interrupt
            with pytest.raises(Interrupted, match="is saved"):
                training.run()
    table, values = whole
    assert rows(path) == table
    for name, value in state(training).items():
        np.testing.assert_array_equal(value, values[name], name)


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
