"""Searches with images, over shared weights and with weights of their own."""

import dataclasses
import json

import numpy as np
import pytest

from nascore.baselines.config import AskingConfig
from nascore.data import images
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.standalone_weights import StandaloneWeights
from nascore.networks.config import SupernetConfig
from nascore.runs.interrupts import Interrupted
from nascore.schedules import CosineRestarts
from nascore.search.config import SearchConfig
from nases.config import ChildConfig, EmbeddingConfig, NasesConfig
from nases.search import estimate, make_search
from tests.nascore.search.toy import (
    interrupt_at,
    open_run,
    read_rows,
    values_of,
)

CONFIG = NasesConfig(
    data=DataConfig(train_examples=160, image_size=8),
    child=SupernetConfig(
        filters=4,
        num_normal_cells=1,
        num_reduction_cells=0,
        num_nodes=1,
        # Each operation is traced in each edge, which takes most of the time.
        operations="sep_conv_3x3,max_pool_3x3",
    ),
    strategy=EmbeddingConfig(
        hidden_units=4, pretrain_steps=120, pretrain_batch=8
    ),
    weights=SharedWeightsConfig(batch_size=16),
    asking=AskingConfig(num_aggregate=2, train_steps=2),
    search=SearchConfig(epochs=3, epoch_samples=2, derive_samples=2),
)
OWN = dataclasses.replace(
    CONFIG,
    own=ChildConfig(inherit="none", child_passes=2, derive_epochs=3),
    asking=AskingConfig(num_aggregate=1, train_steps=2),
    search=SearchConfig(epochs=2, derive_samples=1),
)
DATA = images.load(CONFIG.data)


def search(path, config, resume=False):
    with open_run(path, resume) as run:
        machine = make_search(config, run, DATA)
        return machine.run(), machine


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    path = tmp_path_factory.mktemp("nases") / "shared"
    return (path, *search(path, CONFIG))


def test_shared_weights_learn_after_the_autoencoder(shared):
    path, ranked, machine = shared
    assert isinstance(machine.evaluator, SharedWeights)
    assert [p.name for p in machine.phases] == [
        "pretraining",
        "child",
        "evaluations",
        "samples",
    ]
    trained = [int(r["trained"]) for r in read_rows(path, "pretraining")]
    assert trained == [0, 100, 120]
    rows = read_rows(path, "evaluations")
    assert len(rows) == 12 and set(machine.strategy.columns) <= set(rows[0])
    best = machine.strategy.finalists(2, np.array([1, 2], np.int32))[0]
    accuracies = [float(row["accuracy"]) for row in rows]
    space = machine.space
    first = space.parse_columns(rows[int(np.argmax(accuracies))])
    np.testing.assert_array_equal(space.encode(first), best)
    assert 1 <= len(ranked) <= 2
    assert json.loads((path / "config.json").read_text())["method"] == "nases"


def test_a_search_that_is_cut_and_resumed_equals_the_whole(
    shared, tmp_path, monkeypatch
):
    path, ranked, machine = shared
    with monkeypatch.context() as patch:
        interrupt_at(patch, "evaluations", 1)
        with pytest.raises(Interrupted, match="everything is saved"):
            search(tmp_path / "parts", CONFIG)
    again, resumed = search(tmp_path / "parts", CONFIG, resume=True)
    assert resumed.resumed and again == ranked
    for name in ("pretraining", "child", "evaluations", "samples"):
        assert read_rows(tmp_path / "parts", name) == read_rows(path, name)
    ours, theirs = (values_of(m._state()) for m in (machine, resumed))
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], name)


def test_each_architecture_is_trained_for_itself(tmp_path, monkeypatch):
    rates = []
    train = StandaloneWeights._train

    def watched(self, row, epoch, start, rate):
        rates.append(rate)
        return train(self, row, epoch, start, rate)

    monkeypatch.setattr(StandaloneWeights, "_train", watched)
    ranked, machine = search(tmp_path / "own", OWN)
    rows = read_rows(tmp_path / "own", "evaluations")
    assert [float(row["inherited"]) for row in rows] == [0.0] * 4
    assert [int(row["images"]) for row in rows] == [320] * 4
    # Rates begin anew with each architecture, and with the final training.
    weights = OWN.weights
    cosine = CosineRestarts(
        weights.child_lr_max, weights.child_lr_min, weights.child_lr_period
    )
    passes = [float(cosine(turn, 1)) for turn in range(3)]
    assert rates == [*passes[:2] * 4, *passes]
    # The best one alone is trained for longer.
    (best,) = ranked
    accuracies = [float(row["fitness"]) for row in rows]
    first = rows[int(np.argmax(accuracies))]
    assert best.architecture == machine.space.parse_columns(first)


@pytest.mark.parametrize(
    ("part", "changed", "words"),
    [
        ("strategy", {"embedding": 1000}, "--embedding=1000 is more than"),
        ("strategy", {"policy": "code"}, "--num_aggregate=2 would measure"),
        ("strategy", {"reward_form": "margin"}, "needs training accuracies"),
        ("own", {"child_passes": 3}, "--child_passes=3 means nothing"),
        (
            "own",
            {"inherit": "none", "weights_learn": "random"},
            "--weights_learn=random means nothing",
        ),
    ],
)
def test_refused_settings(part, changed, words):
    values = dataclasses.replace(getattr(CONFIG, part), **changed)
    with pytest.raises(InputError, match=words) as error:
        dataclasses.replace(CONFIG, **{part: values})
    assert "\n" not in str(error.value)


def test_memory_names_the_networks():
    need = estimate(CONFIG, DATA, 0)
    assert "simulator, decoder and controller" in need.host
    assert "--hidden_units" in need.turn_down
