"""The evaluator of MLPNAS, in searches without training."""

import dataclasses

import numpy as np
import pytest

from mlpnas.candidates.pool import WorkerDied
from mlpnas.candidates.tasks import EpochRows, Trained, epoch_weighted_mean
from mlpnas.config import PolicyConfig, SpaceConfig
from mlpnas.perceptrons import Perceptrons
from nascore.errors import InputError
from nascore.protocols import Proposals
from nascore.runs.json_files import read_json
from tests.mlpnas.toys import CONFIG, DATA, Toy, assert_same_state, rows, search


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "toy"
    return path, search(path, pool=Toy())


def test_weights_of_known_pairs_are_taken_from_the_epoch_before(toy):
    path, machine = toy
    by_epoch = {}
    for row in rows(path)["evaluations"]:
        by_epoch.setdefault(row["epoch"], []).append(int(row["shared_layers"]))
    assert sum(by_epoch["0"]) == 0
    assert sum(by_epoch["1"]) + sum(by_epoch["2"]) > 0
    assert 0 < machine.evaluator.bank.size < 1e6


def test_others_cannot_be_scored_with_weights_that_are_not_shared(toy):
    _, machine = toy
    architecture = machine.records.best[0].architecture
    with pytest.raises(InputError, match="no shared weights to score others"):
        machine.measure(architecture)


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
        for row in rows(tmp_path / "run")["evaluations"]
    ]
    # Nothing is stored before the first epoch's four.
    assert len(shared) == 12 and shared[:4] == [0] * 4
    assert (max(shared) > 0) is one_shot


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
        written = rows(tmp_path / rule)["evaluations"]
        for row in written:
            first, last = map(float, row["accuracies"].split())
            score = max(first, last)
            if rule == "weighted":
                score = (first + 2 * last) / 3
            assert float(row["score"]) == pytest.approx(score, abs=1e-5)
        ranking = read_json(tmp_path / rule / "derived_architectures.json")
        best = max(float(row["score"]) for row in written)
        assert ranking["architectures"][0]["score"] == best


def test_scores_weigh_later_epochs_more():
    values = np.array([0.1, 0.2, 0.6], np.float32)
    expected = (0.1 + 2 * 0.2 + 3 * 0.6) / 6
    assert epoch_weighted_mean(values) == pytest.approx(expected)


def test_what_was_trained_before_a_process_died_is_kept(toy, tmp_path):
    path, machine = toy

    class Dying(Toy):
        def train(self, tasks):
            for number, result in enumerate(super().train(tasks)):
                if number == 2:
                    raise WorkerDied("a process died")
                yield result

    with pytest.raises(WorkerDied):
        search(tmp_path / "run", pool=Dying())
    pool = Toy()
    resumed = search(tmp_path / "run", resume=True, pool=pool)
    assert len(pool.seen) == 12 - 2
    assert rows(tmp_path / "run") == rows(path)
    assert_same_state(resumed, machine)


def test_the_best_stay_trained_and_those_that_diverged_come_last():
    """Of equals the one that was measured first."""
    accuracies = [0.0, 0.5, 0.0, 0.75, 0.5]

    class Given(Toy):
        def train(self, tasks):
            for place, task in enumerate(tasks):
                value = accuracies[place]
                lost = place in (0, 3)
                rows = EpochRows(*np.full((3, 1), value, np.float32))
                where = (0, 0) if lost else None
                yield place, Trained(list(task.weights), rows, 0.0, where)

    config = dataclasses.replace(
        CONFIG, finetune=dataclasses.replace(CONFIG.finetune, top=4)
    )
    evaluator = Perceptrons(config, DATA, Given())
    texts = ["8 relu", "8 tanh", "8 elu", "16 relu", "16 tanh"]
    space = evaluator.space
    proposed = np.stack(
        [space.encode(space.parse(f"{text} | softmax")) for text in texts]
    )
    measured = evaluator.measure(Proposals(proposed, first=10), None)
    assert measured.score.tolist() == accuracies
    assert list(evaluator.best.entries) == [11, 14, 12, 13]
    assert [bool(note) for note in measured.notes["note"]] == [
        place in (0, 3) for place in range(5)
    ]


def test_a_training_follows_from_the_number_of_its_evaluation():
    """Whatever was measured before, and however many at the same time."""
    training = dataclasses.replace(CONFIG.training, one_shot=False)
    config = dataclasses.replace(CONFIG, training=training)
    seen = {}
    for firsts in ((0, 1, 2), (0,)):
        pool = Toy()
        evaluator = Perceptrons(config, DATA, pool)
        space = evaluator.space
        row = space.encode(space.parse("8 relu | 16 elu | softmax"))
        each = 3 // len(firsts)
        for first in firsts:
            proposals = Proposals(np.stack([row] * each), first=first)
            evaluator.measure(proposals, None)
        tasks = pool.seen if each == 1 else pool.seen[::-1]
        seen[each] = [
            (task.seed, task.weights[0][0].tobytes()) for task in tasks
        ]
    assert seen[1] == seen[3]
    assert len(set(seen[1])) == 3
