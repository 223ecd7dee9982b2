"""NaN, Inf and overflow at random steps: caught there, named, and undone."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import enas.controller
from enas.config import ControllerConfig, EnasConfig
from enas.search import make_search
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.errors import RunStopped
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.weights import TrainWeights
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.strategies.rewards import ScoreReward
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.gradients import Gradients
from nascore.training.loop import Loop
from nascore.training.run import FinalTraining, _describe_fault

STEPS, UPDATES, COUNT, EPOCHS = 5, 3, 2, 2
SMALL = DataConfig(
    train_examples=80,
    image_size=8,
    validation_fraction=0.03,
    search_test_fraction=0.03,
)
CONFIG = EnasConfig(
    data=SMALL,
    child=SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=2,
        # Each operation is traced in each slot, which takes most of the time.
        operations="sep_conv_3x3,max_pool_3x3,identity",
    ),
    controller=ControllerConfig(num_aggregate=COUNT, train_steps=UPDATES),
    weights=SharedWeightsConfig(batch_size=16),
    search=SearchConfig(epochs=EPOCHS, epoch_samples=2, derive_samples=2),
)
DATA = load(CONFIG.data)
FINAL = FinalConfig(
    SMALL,
    NetworkConfig(num_nodes=1, filters=4, num_layers=1),
    TrainingConfig(
        architecture="0 0 1 3 0 1 1 4", epochs=EPOCHS, batch_size=16
    ),
)
TABLES = ("child", "evaluations", "samples", "epochs")


def make(path, resume=False):
    folder = (RunFolder.open if resume else RunFolder.create)(path)
    return folder, make_search(CONFIG, folder, DATA)


def search(path, resume=False):
    folder, machine = make(path, resume)
    with folder:
        machine.run()
        tables = {
            name: [
                {k: v for k, v in row.items() if k != "seconds"}
                for row in folder.read(name)
            ]
            for name in TABLES
        }
    values = {
        name: value.numpy()
        for name, value in machine._state().items()
        if hasattr(value, "numpy")
    }
    return tables, values


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return search(tmp_path_factory.mktemp("numerics") / "run")


def assert_resumes(path, whole):
    """With the fault gone, the run ends as one that never had it."""
    tables, values = search(path, resume=True)
    assert tables == whole[0]
    for name, value in values.items():
        np.testing.assert_array_equal(value, whole[1][name], name)


def spoil(variable, here, value=np.nan):
    variable.assign(tf.where(here, variable + value, variable))


@pytest.mark.slow
@pytest.mark.parametrize("seed, when", [(0, "before"), (1, "after")])
def test_a_ruined_weight_is_named_at_its_step(
    seed, when, whole, tmp_path, monkeypatch
):
    rng = np.random.default_rng(seed)
    epoch, step = int(rng.integers(EPOCHS)), int(rng.integers(STEPS))
    if when == "after":
        # By the last update: no later step of the epoch would show it.
        step = STEPS - 1
    place = int(rng.integers(-2, 2))
    original = TrainWeights._train_step

    def train_step(self, architecture, order, e, s, rate):
        here = tf.logical_and(e == epoch, s == step)
        if when == "before":
            spoil(self.shared.weights[place], here)
        rows = original(self, architecture, order, e, s, rate)
        if when == "after":
            spoil(self.shared.weights[place], here, np.inf)
        return rows

    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(TrainWeights, "_train_step", train_step)
        folder, machine = make(path)
        with folder, pytest.raises(RunStopped) as stop:
            machine.run()
        row = folder.read("child")[-1]
    assert (int(row["epoch"]), int(row["step"])) == (epoch, step)
    text = str(stop.value)
    assert f"epoch {epoch + 1}, step {step + 1} " in text
    assert f"{row['normal_cell']} {row['reduction_cell']}" in text
    assert "--child_lr_max" in text and "\n" not in text
    assert_resumes(path, whole)


class Spoiled:
    """An evaluator whose scores something happens to."""

    def __init__(self, evaluator, change):
        self.evaluator = evaluator
        self.change = change

    def __getattr__(self, name):
        return getattr(self.evaluator, name)

    def measure(self, proposals, seed):
        measured = self.evaluator.measure(proposals, seed)
        return measured._replace(score=self.change(measured.score))


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed, what", [(0, "reward"), (1, "loss"), (2, "logits")]
)
def test_the_controller_takes_in_nothing_that_is_not_finite(
    seed, what, whole, tmp_path, monkeypatch
):
    rng = np.random.default_rng(10 + seed)
    number = int(rng.integers(EPOCHS * UPDATES * COUNT))
    epoch, step = divmod(number, UPDATES * COUNT)
    calls = tf.Variable(0)

    def spoiled(values):
        """NaN for the one; of a number that is of a whole update, for that."""
        places = calls + tf.range(COUNT)
        with tf.control_dependencies([places]):
            calls.assign_add(COUNT)
        here = places == number
        if values.shape.rank == 0:
            here = tf.reduce_any(here)
        return tf.where(here, np.nan, values)

    def wrap(function):
        return lambda *arguments: spoiled(function(*arguments))

    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        if what == "reward":
            call = wrap(ScoreReward.__call__)
            patch.setattr(ScoreReward, "__call__", call)
        elif what == "loss":
            loss = wrap(enas.controller.policy_gradient_loss)
            patch.setattr(enas.controller, "policy_gradient_loss", loss)
            step -= step % COUNT
        folder, machine = make(path)
        if what == "logits":
            # Where the controller is told; the samples are another case.
            asking = machine.phases[1]
            asking.evaluator = Spoiled(asking.evaluator, spoiled)
        weights = machine.strategy.variables_to_train
        start = [v.numpy() for v in weights]
        with folder, pytest.raises(RunStopped) as stop:
            machine.run()
        rows = folder.read("evaluations")
    text = str(stop.value)
    assert f"epoch {epoch + 1}, step {step + 1} " in text
    place = step + 1 - COUNT * (len(rows) == 0)
    row = next(
        r for r in rows if (int(r["epoch"]), int(r["step"])) == (epoch, step)
    )
    assert f"{row['normal_cell']} {row['reduction_cell']}" in text
    # Rows end with the update that was not made.
    assert int(rows[-1]["step"]) // COUNT == step // COUNT, place
    for variable, old in zip(weights, start, strict=True):
        assert np.isfinite(variable.numpy()).all()
        if number < COUNT:
            np.testing.assert_array_equal(variable.numpy(), old)
    assert_resumes(path, whole)


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
        spoil(self.network.trainable_variables[0].value, here)
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
