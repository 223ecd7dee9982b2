"""Tables and verdicts from run folders with known numbers."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from experiments import mlpnas_report
from mlpnas.competitors import Compared
from mlpnas.config import MlpnasConfig
from mlpnas.data_config import MlpDataConfig
from nascore.config import flatten

TEST = {
    ("wine", 1): 0.70,
    ("wine", 2): 0.72,
    ("wine_random", 1): 0.69,
    ("wine_random", 2): 0.70,
}


def make_run(path, variant, seed):
    path.mkdir()
    test = TEST[variant, seed]
    config = flatten(MlpnasConfig(data=MlpDataConfig(train_examples=100)))
    settings = {
        "config": config,
        "data": {"fingerprint": "f", "train": 80},
        "starts": [{"git_commit": "abc"}],
    }
    ranking = [
        {"score": 0.9 - n / 10, "validation_accuracy": 0.8 - n / 10}
        for n in range(6)
    ]
    final = {
        "architecture": "8 relu | softmax",
        "finetuned": {"test_accuracy": test, "searched_test_accuracy": 0.5},
    }
    for name, content in (
        ("config", settings),
        ("derived_architectures", {"architectures": ranking}),
        ("final", final),
    ):
        (path / f"{name}.json").write_text(json.dumps(content))
    known = variant == "wine"
    pd.DataFrame(
        {
            "score_mean": [0.2, 0.4, 0.6],
            "architectures": [1, 1, 1],
            "predictor_correlation": [-1, 0.2, 0.4] if known else np.nan,
            "seconds": [1, 2, 3],
        }
    ).to_csv(path / "epochs.csv", index=False)
    pd.DataFrame(
        {
            "epoch": [0, 1, 2],
            "step": 0,
            "architecture": "8 relu | softmax",
            "score": [0.2, 0.4, 0.6],
            "accuracy": 0.5,
            "epochs_trained": 3,
            "parameters": 9,
            "shared_layers": 0,
            "predicted": np.nan,
        }
    ).to_csv(path / "candidates.csv", index=False)
    return path


@pytest.fixture
def report(tmp_path, monkeypatch):
    fitted = []

    def fit(name, data, seed):
        fitted.append((name, seed, len(data.train.labels)))
        return Compared(name, 0.5, 0.6 + seed / 100, 1.0)

    monkeypatch.setattr(mlpnas_report, "compare", fit)
    runs = {
        key: make_run(tmp_path / f"{key[0]}-{key[1]}", *key) for key in TEST
    }
    mlpnas_report.write(tmp_path, runs)
    return tmp_path, runs, fitted


def test_tables_stand_beside_the_published_numbers(report, capsys):
    path, _, fitted = report
    text = (path / "tables.md").read_text()
    assert (
        "| 6 | wine quality, one-shot and predictor, LSTM of 512 | 3 | "
        "40.0 +- 0.0 (64) | 80.0 +- 0.0 (66) | 71.0 +- 1.4 (64) | "
        "61.5 +- 0.7 (69) |"
    ) in text
    assert "LSTM of 512 | +0.30, +0.30 | +0.30 |" in text
    # Once for each seed, not for each run.
    assert len(fitted) == 2 * 3
    assert {entry[2] for entry in fitted} == {80}
    rows = pd.read_csv(path / "runs.csv")
    assert rows["score_last"].tolist() == [0.6] * 4
    assert rows["test"].tolist() == list(TEST.values())
    with gzip.open(path / "candidates.csv.gz", "rt") as file:
        assert len(pd.read_csv(file)) == 12


def test_competitors_that_were_fitted_are_not_fitted_again(report):
    path, runs, fitted = report
    first = (path / "tables.md").read_bytes()
    packed = (path / "candidates.csv.gz").read_bytes()
    mlpnas_report.write(path, runs)
    assert len(fitted) == 6
    assert (path / "tables.md").read_bytes() == first
    assert (path / "candidates.csv.gz").read_bytes() == packed


def test_differences_are_paired_by_seed(report):
    path, _, _ = report
    rows = pd.read_csv(path / "differences.csv").set_index("measure")
    assert rows.loc["test", "difference"] == pytest.approx(0.015)
    assert rows.loc["score_best", "difference"] == 0
    text = (path / "tables.md").read_text()
    assert "after fine-tuning: +1.50 points (95% bootstrap interval" in text


@pytest.mark.parametrize(
    ("low", "high", "p_value", "least", "words"),
    [
        (-0.1, 0.2, 0.5, 0.25, "no difference shown"),
        (0.1, 0.2, 0.25, 0.25, "3 seeds cannot reach p = 0.05 (least 0.25)"),
        (0.1, 0.2, 0.03, 0.03, ": better."),
        (0.1, 0.2, 0.06, 0.03, "no difference shown"),
        (np.nan, np.nan, np.nan, 1.0, "one seed decides nothing"),
    ],
)
def test_a_verdict_says_no_more_than_the_seeds_allow(
    low, high, p_value, least, words
):
    row = {
        "variant": "wine",
        "measure": "test",
        "seeds": 3,
        "difference": 0.15,
        "low": low,
        "high": high,
        "p_value": p_value,
        "least_p": least,
    }
    assert words in mlpnas_report.verdict(row)
