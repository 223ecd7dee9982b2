"""Candidates and policies whose numbers are not finite."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import mlpnas.perceptrons
from mlpnas.candidates.dense import initial_weights
from mlpnas.candidates.tasks import (
    EpochRows,
    Examples,
    Trained,
    TrainerSettings,
)
from mlpnas.candidates.trainer import Trainer, batch_order
from mlpnas.config import (
    CandidateConfig,
    FinetuneConfig,
    LengthConfig,
    MlpnasConfig,
    PolicyConfig,
    SpaceConfig,
)
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from mlpnas.search import make_search
from mlpnas.strategy import MlpnasStrategy
from mlpnas.trained_store import TrainedStore
from nascore.errors import RunStopped
from nascore.runs.folder import RunFolder
from nascore.spaces.perceptrons import HiddenLayer

CONFIG = MlpnasConfig(
    data=MlpDataConfig(train_examples=200),
    space=SpaceConfig(units="8,16", max_layers=3),
    policy=PolicyConfig(lstm_units=8, predictor=True, predictor_steps=2),
    training=CandidateConfig(child_epochs=2, one_shot=True, batch_size=64),
    finetune=FinetuneConfig(top=3),
    search=LengthConfig(epochs=3, architectures=3),
)
DATA = load(CONFIG.data)
BATCH = 8
ARCHITECTURE = (HiddenLayer(8, "relu"),)
RATES = {"policy": "controller_lr", "predictor": "predictor_lr"}


def search(path, resume=False):
    open_folder = RunFolder.open if resume else RunFolder.create
    with open_folder(path) as run:
        machine = make_search(CONFIG, run, DATA, jobs=1)
        machine.run()
        rows = [
            {k: v for k, v in row.items() if k != "seconds"}
            for row in run.read("evaluations")
        ]
    return machine, rows


def variables(machine):
    """Those of the policy, the predictor and their optimizers."""
    return [
        value
        for value in machine.strategy.state.values()
        if isinstance(value, tf.Variable)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_candidate_ends_at_the_step_that_spoils_it(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(60, 4)).astype(np.float32)
    labels = (features[:, 0] > 0).astype(np.int32)
    settings = TrainerSettings(3, BATCH, 0.01, 3, 0.0)
    trainer = Trainer(
        settings, Examples(features, labels), Examples(features, labels)
    )
    weights = initial_weights(ARCHITECTURE, 4, 3, tf.constant([seed, 1]))
    trainer.start(ARCHITECTURE, weights)
    key = tf.constant([seed, 2])
    good = trainer.run(key, 1)
    assert trainer.diverged_at is None
    place = int(rng.integers(60))
    features[place] = np.inf
    spoiled = Trainer(
        settings, Examples(features, labels), trainer.validation_examples
    )
    spoiled.start(ARCHITECTURE, weights)
    rows = spoiled.run(key, 5)
    order = batch_order(key, tf.constant(0), 60).numpy()
    step = int(np.flatnonzero(order == place)[0]) // BATCH
    assert spoiled.diverged_at == (0, step)
    assert spoiled.stopped_early
    # NaN is no class, though argmax of it is one.
    assert len(rows.loss) == 1 and rows.validation_accuracy[0] == 0
    assert good.validation_accuracy[0] > 0
    # The next one starts afresh.
    spoiled.start(ARCHITECTURE, weights)
    assert spoiled.diverged_at is None


def test_a_store_remembers_where_a_candidate_diverged():
    rows = EpochRows(*np.full((3, 2), np.nan, np.float32))
    weights = [(np.zeros((2, 3), np.float32), np.zeros(3, np.float32))]
    store, other = TrainedStore(), TrainedStore()
    store.entries = {
        4: Trained(weights, rows, 1.0, (2, 7)),
        5: Trained(weights, rows, 1.0),
    }
    other.deserialize(store.serialize())
    assert other.entries[4].diverged_at == (2, 7)
    assert other.entries[5].diverged_at is None
    assert other.entries[4].score("weighted") == 0.0


def test_one_that_diverges_is_noted_and_the_search_goes_on(
    tmp_path, monkeypatch, capsys
):
    spoiled = int(np.random.default_rng(3).integers(9))
    numbers = iter(range(100))

    def start(*arguments):
        weights = initial_weights(*arguments)
        if next(numbers) == spoiled:
            weights[0] = (weights[0][0] * np.nan, weights[0][1])
        return weights

    # Not from the bank, which would replace the spoiled weights.
    training = dataclasses.replace(CONFIG.training, one_shot=False)
    monkeypatch.setattr(mlpnas.perceptrons, "initial_weights", start)
    monkeypatch.setitem(
        globals(), "CONFIG", dataclasses.replace(CONFIG, training=training)
    )
    machine, rows = search(tmp_path / "run")
    assert len(rows) == 9
    for number, row in enumerate(rows):
        assert np.isfinite(float(row["reward"]))
        assert bool(row["note"]) == (number == spoiled)
    assert rows[spoiled]["note"] == "diverged in training epoch 1, step 1"
    assert float(rows[spoiled]["score"]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = [", 1 diverged (see evaluations.csv)" in line for line in lines]
    assert said == [epoch == spoiled // 3 for epoch in range(3)]
    assert int(machine.records.best[-1].row["number"]) == spoiled
    for variable in variables(machine):
        if variable.dtype.is_floating:
            assert np.isfinite(variable.numpy()).all()


def test_weights_that_diverged_do_not_enter_the_bank(tmp_path):
    class Diverging:
        processes_peak = 0

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def train(self, tasks):
            for place, task in enumerate(tasks):
                factor = np.nan if place == 1 else 1.0
                weights = [(w * factor, b) for w, b in task.weights]
                assert all(np.isfinite(w).all() for w, _ in task.weights)
                rows = EpochRows(*np.full((3, 2), 0.5 * factor, np.float32))
                where = (0, 1) if place == 1 else None
                yield place, Trained(weights, rows, 0.0, where)

    with RunFolder.create(tmp_path / "run") as run:
        machine = make_search(CONFIG, run, DATA, pool=Diverging())
        machine.run()
    bank = machine.evaluator.bank
    assert len(bank)
    for kernel, _ in bank._store.values():
        assert np.isfinite(kernel).all()


@pytest.mark.parametrize("what", ["policy", "predictor"])
def test_the_policy_takes_in_nothing_that_is_not_finite(
    what, tmp_path, monkeypatch
):
    epoch = int(np.random.default_rng(8).integers(3))
    whole, rows = search(tmp_path / "whole")
    method = {"policy": "_update_policy", "predictor": "_update_predictor"}[
        what
    ]
    original = getattr(MlpnasStrategy, method)
    updates = {
        "policy": CONFIG.policy.controller_steps,
        "predictor": CONFIG.policy.predictor_steps,
    }[what]
    calls = iter(range(100))

    def spoiled(self, sequences, values):
        if next(calls) == epoch * updates:
            values += np.nan
        return original.__get__(self, type(self))(sequences, values)

    with monkeypatch.context() as patch:
        patch.setattr(MlpnasStrategy, method, spoiled)
        with pytest.raises(RunStopped) as stop:
            search(tmp_path / "run")
    text = str(stop.value)
    assert f"the {what}'s loss is nan" in text and "update 1" in text
    assert f"in epoch {epoch + 1}, step 1 " in text
    assert f"Lower --{RATES[what]} in a new run" in text
    resumed, again = search(tmp_path / "run", resume=True)
    assert again == rows
    for one, other in zip(variables(resumed), variables(whole), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_if_all_diverge_the_run_says_so(tmp_path, monkeypatch):
    def start(*arguments):
        return [(w * np.nan, b) for w, b in initial_weights(*arguments)]

    monkeypatch.setattr(mlpnas.perceptrons, "initial_weights", start)
    with pytest.raises(
        RunStopped, match=r"all 9 .* lost, .* diverged .* --child_lr"
    ):
        search(tmp_path / "run")
