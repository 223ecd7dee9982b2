"""NaN, Inf and overflow in final training: caught there, named, and undone."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.errors import RunStopped
from nascore.networks.config import NetworkConfig
from nascore.runs.folder import RunFolder
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.gradients import Gradients
from nascore.training.loop import Loop
from nascore.training.run import FinalTraining, _describe_fault

STEPS, EPOCHS = 5, 2
FINAL = FinalConfig(
    DataConfig(
        train_examples=80,
        image_size=8,
        validation_fraction=0.03,
        search_test_fraction=0.03,
    ),
    NetworkConfig(
        num_nodes=1, filters=4, num_normal_cells=1, num_reduction_cells=0
    ),
    TrainingConfig(
        architecture="0 0 1 3 0 1 1 4", epochs=EPOCHS, batch_size=16
    ),
)


def final(path, config, resume=False):
    with (RunFolder.open if resume else RunFolder.create)(path) as folder:
        training = FinalTraining(config, folder)
        training.run()
        losses = [row["loss"] for row in folder.read("epochs")]
    return losses, [v.numpy() for v in training.network.variables]


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [1, 2])
def test_final_training_names_the_step(accumulate, tmp_path, monkeypatch):
    rng = np.random.default_rng(accumulate)
    epoch, step = 1, int(rng.integers(STEPS))
    training = dataclasses.replace(FINAL.training, accumulate=accumulate)
    config = dataclasses.replace(FINAL, training=training)
    original = Loop._step

    def spoiled(self, order, e, s):
        here = tf.logical_and(e == epoch, s == step)
        weight = self.network.trainable_variables[0].value
        weight.assign(tf.where(here, weight + np.nan, weight))
        return original(self, order, e, s)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_step", spoiled)
        with pytest.raises(RunStopped) as stop:
            final(tmp_path / "run", config)
    assert f"epoch {epoch + 1}, step {step + 1}:" in str(stop.value)
    assert "--lr_max" in str(stop.value)
    resumed = final(tmp_path / "run", config, resume=True)
    straight = final(tmp_path / "other", config)
    assert resumed[0] == straight[0]
    for one, other in zip(resumed[1], straight[1], strict=True):
        np.testing.assert_array_equal(one, other)


def scaled_loop(path, monkeypatch, overflows):
    """Float16's loss scaling on a float32 network; overflows at will."""
    factor = tf.Variable(1.0)

    @tf.custom_gradient
    def guard(loss):
        return loss, lambda upstream: upstream * factor

    step_of, loss_of = Loop._step, Gradients._loss

    def step(self, order, epoch, number):
        factor.assign(tf.where(overflows(number), np.inf, 1.0))
        return step_of(self, order, epoch, number)

    monkeypatch.setattr(Loop, "_step", step)
    monkeypatch.setattr(
        Gradients, "_loss", lambda self, *args: guard(loss_of(self, *args))
    )
    training = dataclasses.replace(FINAL.training, precision="float16")
    config = dataclasses.replace(FINAL, training=training)
    strategy = tf.distribute.get_strategy()
    return FinalTraining(config, RunFolder.create(path), strategy=strategy)


def test_skipped_steps_are_no_explosion(tmp_path, monkeypatch):
    first, second = sorted(np.random.default_rng(5).choice(9, 2, False) + 1)
    monkeypatch.setattr("nascore.training.run.set_precision", lambda name: None)
    training = scaled_loop(
        tmp_path / "run", monkeypatch, lambda n: (n == first) | (n == second)
    )
    loop = training.loop
    ended = loop.train(*(tf.constant(n) for n in (0, 0, int(first))))
    before = [v.numpy() for v in loop.network.trainable_variables]
    numbers = (0, int(first), int(first) + 1)
    ended = loop.train(*(tf.constant(n) for n in numbers))
    assert bool(ended.healthy) and not np.isfinite(ended.norm)
    for variable, old in zip(
        loop.network.trainable_variables, before, strict=True
    ):
        np.testing.assert_array_equal(variable.numpy(), old)
    ended = loop.train(*(tf.constant(n) for n in (0, int(first) + 1, 10)))
    assert bool(ended.healthy) and int(ended.step) == 10
    assert int(loop.optimizer.iterations) == 8
    assert float(loop.gradients.loss_scale) == 2.0**13
    assert training._count_skipped(1) == {"skipped_steps": 2}


def test_endless_skipping_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("nascore.training.run.set_precision", lambda name: None)
    training = scaled_loop(tmp_path / "run", monkeypatch, lambda n: n >= 0)
    ended = training.loop.train(*(tf.constant(n) for n in (0, 0, 40)))
    # From 2**15 it is halved fifteen times; at 1 it is not the scale.
    assert (int(ended.step), bool(ended.healthy)) == (16, False)
    text = _describe_fault(training.config.training, tmp_path, 0, ended)
    assert "step 16 the gradient overflows float16" in text
    assert "--precision=bfloat16" in text


def test_clipping_does_not_see_the_loss_scale(tmp_path, monkeypatch):
    monkeypatch.setattr("nascore.training.run.set_precision", lambda name: None)
    weights = []
    for precision in ("float32", "float16"):
        training = dataclasses.replace(
            FINAL.training, precision=precision, clip_norm=0.1, epochs=1
        )
        config = dataclasses.replace(FINAL, training=training)
        strategy = tf.distribute.get_strategy()
        with RunFolder.create(tmp_path / precision) as folder:
            machine = FinalTraining(config, folder, strategy=strategy)
            machine.run()
        weights.append([v.numpy() for v in machine.network.variables])
    # The scale is a power of two: but for rounding nothing changes.
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
