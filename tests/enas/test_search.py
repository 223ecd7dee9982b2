import dataclasses
import signal

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from enas.config import ControllerConfig, EnasConfig
from enas.search import make_search
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.errors import InputError, RunStopped
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks.config import SupernetConfig
from nascore.protocols import Measured
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted
from nascore.runs.json_files import read_json
from nascore.search.config import SearchConfig
from tests.nascore.search.toy import interrupt_at, open_run, values_of
from tests.nascore.search.traced import Traced

CONFIG = EnasConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=1,
        # Each operation is traced in each slot, which takes most of the time.
        num_nodes=1,
        operations="sep_conv_3x3,identity",
    ),
    controller=ControllerConfig(num_aggregate=2, train_steps=4),
    weights=SharedWeightsConfig(
        batch_size=16, child_lr_period=1, child_lr_restart="half"
    ),
    search=SearchConfig(epochs=3, epoch_samples=3, derive_samples=4),
)
DATA = load(CONFIG.data)
TABLES = ("child", "evaluations", "samples", "epochs")


def search(path, config=CONFIG, resume=False, **arguments):
    open_folder = RunFolder.open if resume else RunFolder.create
    with open_folder(path) as run:
        machine = make_search(config, run, DATA, **arguments)
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


def change(part, **fields):
    """The configuration with some fields of a part changed."""
    changed = dataclasses.replace(getattr(CONFIG, part), **fields)
    return dataclasses.replace(CONFIG, **{part: changed})


def assert_equal(path, machine, whole):
    other_path, other = whole
    assert rows(path) == rows(other_path)
    ours, theirs = (values_of(m._state()) for m in (machine, other))
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, search(path)


def test_run_folder_holds_a_row_for_everything(whole):
    path, machine = whole
    written = rows(path)
    training, asking, scoring = machine.phases
    steps = training.steps_per_epoch
    assert len(written["child"]) == 3 * steps == 3 * 10
    assert len(written["evaluations"]) == 3 * 8
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
    for number, row in enumerate(written["evaluations"]):
        place = (int(row["epoch"]), int(row["step"]))
        assert place == divmod(number, 8)
        assert int(row["number"]) == number
        assert row["reward"] == row["accuracy"]
    traces = [
        training.train.experimental_get_tracing_count(),
        asking._run_graph.experimental_get_tracing_count(),
        scoring._measure.experimental_get_tracing_count(),
    ]
    assert traces == [1, 1, 1]


def test_baseline_and_rewards_follow_the_published_order(whole):
    path, _ = whole
    baseline = 0.0
    for row in rows(path)["evaluations"]:
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


def test_an_epoch_says_what_its_rows_come_to(whole):
    path, machine = whole
    written = rows(path)
    for epoch, row in enumerate(written["epochs"]):
        child, evaluated, samples = (
            [r for r in written[table] if int(r["epoch"]) == epoch]
            for table in TABLES[:3]
        )

        def column(table, name):
            return np.array([float(r[name]) for r in table])

        scores = column(evaluated, "accuracy")
        expected = {
            "learning_rate": column(child, "learning_rate")[-1],
            "child_loss": column(child, "loss").mean(),
            "child_accuracy": column(child, "accuracy").mean(),
            "accuracy_mean": scores.mean(),
            "accuracy_std": scores.std(),
            "accuracy_max": scores.max(),
            "reward_mean": column(evaluated, "reward").mean(),
            "entropy_mean": column(evaluated, "entropy").mean(),
            "baseline": column(evaluated, "baseline")[-1],
            "samples_max": column(samples, "accuracy").max(),
            "unique_architectures": len(
                {(r["normal_cell"], r["reduction_cell"]) for r in evaluated}
            ),
        }
        for name, value in expected.items():
            assert float(row[name]) == pytest.approx(value, rel=1e-6), name
        for name in ("validation_accuracy", "search_test_accuracy"):
            assert 0 < float(row[name]) < 1
    last = [float(r["accuracy"]) for r in written["evaluations"]][-10:]
    assert float(row["recent_mean"]) == pytest.approx(np.mean(last))


def test_best_list_is_ranked_distinct_and_from_the_samples(whole):
    path, machine = whole
    samples = rows(path)["samples"]
    best = machine.records.best
    accuracies = [entry.score for entry in best]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len({entry.architecture for entry in best}) == len(best)
    assert accuracies[0] == max(float(row["accuracy"]) for row in samples)


def test_tensorboard_shows_scalars_of_all_epochs_and_each_new_best(whole):
    path, _ = whole
    events = event_accumulator.EventAccumulator(
        str(path / "tensorboard"), {event_accumulator.TENSORS: 0}
    )
    events.Reload()
    shown = events.Tensors("child_loss")
    assert [event.step for event in shown] == [0, 1, 2]
    losses = [float(row["child_loss"]) for row in rows(path)["epochs"]]
    values = [float(tf.make_ndarray(event.tensor_proto)) for event in shown]
    assert values == pytest.approx(losses)
    new, best = [], -1.0
    for row in rows(path)["samples"]:
        if float(row["accuracy"]) > best:
            best = float(row["accuracy"])
            new.append(int(row["epoch"]))
    pictures = events.Tensors("best_architecture")
    assert [event.step for event in pictures] == sorted(set(new))


def test_another_seed_gives_other_rows(whole, tmp_path):
    """The same gives the same ones: see the search that is stopped."""
    path, _ = whole
    with RunFolder.create(tmp_path / "other") as run:
        training = make_search(change("search", seed=2), run, DATA).phases[0]
        loss = training.run(0, 0, 1)["loss"]
    first = rows(path)["child"][0]
    assert float(loss[0]) != pytest.approx(float(first["loss"]), rel=1e-4)


def test_stopped_in_every_phase_and_resumed_equals_uninterrupted(
    whole, tmp_path, monkeypatch
):
    path, _ = whole
    with RunFolder.create(tmp_path / "made") as run:
        traced = Traced(make_search(CONFIG, run, DATA))

    def go(resume):
        with open_run(tmp_path / "run", resume) as run:
            machine = traced.begin(run)
            assert machine.resumed is resume
            machine.run()
            return machine

    places = [("child", 0), ("evaluations", 1), ("samples", 1), ("ranking", 2)]
    for number, (place, epoch) in enumerate(places):
        with monkeypatch.context() as patch:
            interrupt_at(patch, place, epoch)
            if place == "samples":
                stop_in_validation(patch)
            with pytest.raises(Interrupted) as stop:
                go(resume=number > 0)
        assert stop.value.exit_code == 130
    assert_equal(tmp_path / "run", go(resume=True), whole)
    for name in ("best_architectures.json", "derived_architectures.json"):
        ours, theirs = (folder / name for folder in (tmp_path / "run", path))
        assert ours.read_text() == theirs.read_text()


def stop_in_validation(monkeypatch):
    """Asks to stop in the middle of scoring, whose rows are not written."""
    validate = SharedWeights.validate

    def asked(self, cells):
        self.lifecycle._stop.signum = signal.SIGINT
        return validate(self, cells)

    monkeypatch.setattr(SharedWeights, "validate", asked)


def test_other_settings_are_named_on_resuming(whole):
    path, _ = whole
    with pytest.raises(InputError) as error:
        search(path, change("child", filters=6), resume=True)
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
            make_search(CONFIG, run, other)
    fingerprints = f"{DATA.fingerprint} -> {other.fingerprint}. Bring"
    assert "was begun on other examples" in str(error.value)
    # Only what differs is named.
    assert f"(run -> now): fingerprint: {fingerprints}" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_exploding_loss_names_the_architecture(tmp_path):
    with pytest.raises(RunStopped) as stop:
        search(tmp_path / "run", change("weights", loss_limit=2.0))
    row = rows(tmp_path / "run")["child"][-1]
    assert row["normal_cell"] in str(stop.value)
    assert row["reduction_cell"] in str(stop.value)
    assert float(row["loss"]) > 2.0
    assert stop.value.exit_code == 1


def test_random_policy_is_the_baseline(tmp_path):
    path = tmp_path / "run"
    config = change("controller", controller="random")
    with RunFolder.create(path) as run:
        machine = make_search(config, run, DATA)
        columns = machine.phases[1].run(0, 0, 4)
    log_size = np.log(float(machine.space.size()))
    np.testing.assert_allclose(columns["entropy"], log_size, rtol=1e-5)
    assert len(columns["entropy"]) == 8
    assert read_json(path / "config.json")["method"] == "random"


def test_training_the_controller_raises_a_rewarded_operation(
    tmp_path, monkeypatch
):
    """REINFORCE through the whole controller phase, with a known optimum."""
    config = change(
        "controller",
        num_aggregate=10,
        train_steps=60,
        controller_lr=0.02,
        baseline_decay=0.9,
        tanh_constant=5.0,
        conv_bias=0.0,
    )
    child = SupernetConfig(
        filters=4, num_normal_cells=1, num_reduction_cells=0, num_nodes=2
    )
    config = dataclasses.replace(config, child=child)
    wanted = child.space.operations.index("identity")

    def share(self, proposals, seed):
        ops = proposals.rows[:, 1::2]
        hits = tf.cast(ops == wanted, tf.float32)
        return Measured(tf.reduce_mean(hits, axis=1))

    monkeypatch.setattr(SharedWeights, "measure", share)
    with RunFolder.create(tmp_path / "run") as run:
        asking = make_search(config, run, DATA).phases[1]
        accuracy = asking.run(0, 0, 60)["accuracy"]
    assert accuracy[:50].mean() < 0.3
    assert accuracy[-50:].mean() > accuracy[:50].mean() + 0.2
