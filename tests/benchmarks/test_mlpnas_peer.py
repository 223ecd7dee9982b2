"""The comparison with KerasTuner, with next to nothing to train."""

import contextlib

import numpy as np
import pandas as pd
import pytest

from benchmarks import mlpnas_peer, peer_searches
from benchmarks.peer_searches import Found, Plan
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from nascore.errors import InputError
from nascore.runs.tables import Table

TINY = Plan(1, 3, 3, batch_size=32, max_layers=4, peer_layers=2)
DIGITS = MlpDataConfig(train_examples=200)


@pytest.fixture(scope="module")
def data():
    return load(DIGITS)


def test_ours_is_the_best_epoch_of_the_best_candidate(
    data, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        peer_searches.tempfile,
        "TemporaryDirectory",
        lambda: contextlib.nullcontext(str(tmp_path)),
    )
    found = peer_searches.search_ours(TINY, data, "random", 1)
    table = pd.read_csv(tmp_path / "run" / "evaluations.csv")
    assert found.candidates == len(table) == 3
    curves = {
        row.architecture: max(map(float, row.accuracies.split()))
        for row in table.itertuples()
    }
    # Trained to that epoch again, it has the accuracy that was written.
    assert found.validation_accuracy == pytest.approx(
        max(curves.values()), abs=1e-5
    )
    assert curves[found.architecture] == max(curves.values())
    right = found.test_accuracy * len(data.test.labels)
    assert right == pytest.approx(round(right), abs=1e-3) and right > 0


def test_the_peer_has_the_accuracy_of_its_weights(data, monkeypatch):
    keras_tuner = pytest.importorskip("keras_tuner")
    models = []
    get_best = keras_tuner.RandomSearch.get_best_models
    monkeypatch.setattr(
        keras_tuner.RandomSearch,
        "get_best_models",
        lambda self, count: models.extend(get_best(self, count)) or models,
    )
    found = peer_searches.search_peer(TINY, data, "tuner", 1)
    assert found.candidates == 3
    for part, accuracy in (
        (data.validation, found.validation_accuracy),
        (data.test, found.test_accuracy),
    ):
        x = part.features
        *hidden, last = models[0].layers
        for layer in hidden:
            x = layer(x)
        kernel, bias = (np.asarray(v) for v in last.trainable_variables)
        chosen = np.argmax(np.asarray(x) @ kernel + bias, axis=1)
        assert accuracy == pytest.approx(np.mean(chosen == part.labels))
    words = found.architecture.split(" | ")
    assert len(words) - 1 <= TINY.peer_layers and words[-1] == "softmax"


def test_rows_that_are_there_are_not_measured_again(tmp_path, monkeypatch):
    calls = []

    def search(plan, data, method, seed):
        calls.append((method, seed))
        gain = {"lstm": 0.02 * seed, "random": 0.0, "tuner": 0.0}[method]
        return Found(0.5 + gain, 0.4 + gain / 2, 7.0, 3, "8 relu | softmax")

    for method in mlpnas_peer.METHODS:
        monkeypatch.setitem(peer_searches.SEARCHES, method, search)
    table = Table(tmp_path / "peer.csv")
    mlpnas_peer.measure(table, TINY, {"digits": DIGITS}, 1)
    assert len(calls) == 3
    mlpnas_peer.measure(table, TINY, {"digits": DIGITS}, 3)
    assert calls == [
        (method, seed)
        for seed in (1, 2, 3)
        for method in ("lstm", "random", "tuner")
    ]
    text = mlpnas_peer.report(pd.read_csv(table.path))
    # Mean of 2, 4 and 6 points, and half of them.
    assert "| digits | lstm - tuner, validation | 3 | +4.00 |" in text
    assert "| digits | lstm - tuner, test | 3 | +2.00 |" in text
    assert "| digits | random - tuner, validation | 3 | +0.00 |" in text
    assert "| digits | lstm | 3 | 54.00% | 42.00% | 7 |" in text
    with pytest.raises(InputError, match="rows of other settings"):
        mlpnas_peer.measure(table, Plan(), {"digits": DIGITS}, 3)
