"""Inheritance slot by slot, training, and a search that is cut in a child."""

import dataclasses
import signal

import numpy as np
import pytest
import tensorflow as tf

from experiments import fitness_check, plot_run
from experiments.figures import populations
from experiments.train_final import settings_of_run
from nascore.data import images
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators import standalone_weights
from nascore.evaluators.config import InheritanceConfig, SharedWeightsConfig
from nascore.evaluators.inheritance import EDGES, ENDS, PLAIN
from nascore.evaluators.standalone_weights import StandaloneWeights
from nascore.networks.config import NetworkConfig
from nascore.protocols import Proposals
from nascore.runs.interrupts import Interrupted
from nascore.search.config import SearchConfig
from renas.config import (
    EACH_NODE,
    ModelsConfig,
    MutationConfig,
    OneCellConfig,
    RenasConfig,
)
from renas.search import estimate, make_search
from tests.nascore.search.toy import open_run, read_rows, values_of

CONFIG = RenasConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=OneCellConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=2,
        # Each operation is traced in each edge, which takes most of the time.
        operations="sep_conv_3x3,max_pool_3x3",
    ),
    strategy=MutationConfig(
        population=3, sample=2, mutator=EACH_NODE, embedding_units=3
    ),
    inheritance=InheritanceConfig(derive_epochs=2, inherited_lr=0.01),
    weights=SharedWeightsConfig(batch_size=16),
    models=ModelsConfig(epoch_models=4),
    search=SearchConfig(epochs=2, derive_samples=2),
)
DATA = images.load(CONFIG.data)
STEPS = 10
# Node 0 reads tensors 0 and 1, node 1 tensors 2 and 0: of both kinds.
PARENT = np.array([0, 0, 1, 1, 2, 0, 0, 0], np.int32)


def search(path, config=CONFIG, resume=False):
    with open_run(path, resume) as run:
        machine = make_search(config, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A finished search, whose graph the other tests use."""
    path = tmp_path_factory.mktemp("runs") / "whole"
    ranked, machine = search(path)
    return path, ranked, machine, values_of(machine._state())


@pytest.fixture
def training(whole):
    return whole[2].evaluator.training


def cells(row):
    return np.asarray(row, np.int32).reshape(1, 2, 4)


def differing(training, parent, child, moved=True):
    """Rows of each weight that are a parent's, as plain loops say."""
    found = []
    for part, weight in zip(
        training.parts, training.shared.weights, strict=True
    ):
        if part.kind == PLAIN:
            found.append([True])
        elif part.kind == EDGES:
            rows = []
            for edge in range(4):
                index, op = child[2 * edge], child[2 * edge + 1]
                same = op == part.operation == parent[2 * edge + 1]
                if not moved:
                    same = same and index == parent[2 * edge]
                rows.append(same)
            found.append(rows)
        else:
            loose = [
                [t not in row[::2] for t in range(4)] for row in (parent, child)
            ]
            found.append([a and b for a, b in zip(*loose, strict=True)])
        assert len(found[-1]) in (1, weight.shape[0])
    return found


CHILDREN = {
    "the same": PARENT,
    "an operation changed": [0, 0, 1, 0, 2, 0, 0, 0],
    "an input moved": [1, 0, 1, 1, 2, 0, 0, 0],
    "loose ends changed": [0, 0, 1, 1, 1, 0, 0, 0],
}


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("kind", CHILDREN)
def test_weights_are_taken_over_slot_by_slot(training, kind, moved):
    child = np.array(CHILDREN[kind], np.int32)
    kinds = {part.kind for part in training.parts}
    assert kinds == {PLAIN, EDGES, ENDS}
    training.begin(cells(PARENT), None, True, 10.0)
    start = [weight.numpy() for weight in training.shared.weights]
    for number, weight in enumerate(training.shared.weights):
        weight.assign_add(tf.fill(weight.shape, 1.0 + number))
    parent = training.take(cells(PARENT))
    for momentum in training.momenta:
        momentum.assign_add(tf.ones_like(momentum))
    share = training.begin(cells(child), parent, moved, 10.0)
    expected = differing(training, PARENT, child, moved)
    for number, rows in enumerate(expected):
        weight = training.shared.weights[number].numpy()
        factors = np.ravel(training._factors[number])
        np.testing.assert_array_equal(factors, np.where(rows, 1, 10))
        if len(rows) == 1:
            weight, first = weight[None], start[number][None]
        else:
            first = start[number]
        for row, inherited in enumerate(rows):
            added = 1.0 + number if inherited else 0.0
            np.testing.assert_allclose(
                weight[row], first[row] + np.float32(added), rtol=1e-6
            )
        assert not training.momenta[number].numpy().any()
    whole_share = kind == "the same" or (kind == "an input moved" and moved)
    assert (share == 1) == whole_share
    # An individual is what is needed and nothing else.
    whole_size = sum(w.size for w in start)
    assert 0 < sum(w.size for w in parent.weights) < whole_size


def test_new_weights_learn_ten_times_as_fast(training):
    """Against one step of a rate that is ten times as large."""
    row = tf.constant(np.repeat(PARENT[None], STEPS, 0))

    def step(factor, rate, steps=2):
        training.begin(cells(PARENT), None, True, factor)
        training.train(
            row, *(tf.constant(n) for n in (0, 0, steps)), tf.constant(rate)
        )
        return [weight.numpy() for weight in training.shared.weights]

    for one, other in zip(step(10.0, 0.001), step(1.0, 0.01), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    training.begin(cells(PARENT), None, True, 1.0)
    parent = training.take(cells(PARENT))
    child = np.array(CHILDREN["an operation changed"])
    before = [weight.numpy() for weight in training.shared.weights]
    moved = {}
    for factor in (1.0, 10.0):
        training.begin(cells(child), parent, True, factor)
        rows = tf.constant(np.repeat(child[None].astype(np.int32), STEPS, 0))
        training.train(
            rows, *(tf.constant(n) for n in (0, 0, 1)), tf.constant(1e-3)
        )
        moved[factor] = [
            w.numpy() - b
            for w, b in zip(training.shared.weights, before, strict=True)
        ]
    for rows, one, ten in zip(
        differing(training, PARENT, child), moved[1.0], moved[10.0], strict=True
    ):
        if len(rows) == 1:
            np.testing.assert_array_equal(one, ten)
            continue
        for row, inherited in enumerate(rows):
            scale = 1.0 if inherited else 10.0
            np.testing.assert_allclose(
                ten[row], scale * one[row], rtol=2e-2, atol=2e-6
            )


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
        patch.setattr(standalone_weights, "next_stretch", lambda *_: 3)
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


def test_over_shared_weights(tmp_path):
    config = dataclasses.replace(
        CONFIG,
        inheritance=InheritanceConfig(inherit="shared"),
        search=SearchConfig(epochs=1, epoch_samples=2, derive_samples=2),
    )
    ranked, machine = search(tmp_path / "shared", config)
    rows = read_rows(tmp_path / "shared", "evaluations")
    assert len(rows) == 4 and "inherited" not in rows[0]
    assert float(rows[3]["parent"]) >= 0
    living = machine.strategy.population.rows[0].numpy()
    texts = {machine.space.format(machine.space.decode(r)) for r in living}
    assert {machine.space.format(e.architecture) for e in ranked} <= texts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sample=30"], "cannot be drawn from --population=20"),
        (["--population=1"], "--population=1 must be a number from 2"),
        (["--slot_init=code"], "is for weights that are shared"),
        (["--child_lr_max=0.1"], "is for weights that are shared"),
        (["--epoch_samples=9"], "is for weights that are shared"),
        (
            ["--inherit=shared", "--derive_epochs=5"],
            "--derive_epochs=5 means nothing with --inherit=shared",
        ),
        (["--epoch_models=3", "--num_aggregate=2"], "must be a multiple"),
    ],
)
def test_bad_input_is_one_clear_line(forked, words, said):
    done = forked("search", "--method=renas", *words)
    assert done.returncode == 2
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_a_table_has_no_weights_to_inherit(forked):
    done = forked("search", "--method=bench201_renas", "--inherit=parent")
    assert done.returncode == 2
    assert "inherit" in done.stderr and done.stderr.count("\n") == 1


def test_a_batch_that_is_too_large_is_refused():
    weights = dataclasses.replace(CONFIG.weights, batch_size=500)
    config = dataclasses.replace(CONFIG, weights=weights)
    with pytest.raises(InputError, match="more than the 160 training images"):
        make_search(config, None)
