"""Tables and verdicts from run folders with known numbers."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from experiments import mlpnas_report, mlpnas_rows
from experiments.mlpnas_variants import VARIANTS, variants_of
from experiments.reports import perceptrons
from mlpnas.competitors import Compared
from mlpnas.config import MlpnasConfig
from mlpnas.data.config import MlpDataConfig
from nascore.config import flatten
from nascore.errors import InputError

RIVAL = "wine_random_one_shot"
TEST = {
    ("wine", 1): 0.70,
    ("wine", 2): 0.72,
    (RIVAL, 1): 0.69,
    (RIVAL, 2): 0.70,
}


def make_run(path, variant, seed):
    """A run; that of seed 1 lies as such runs did before."""
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
    ).to_csv(
        path / ("candidates.csv" if seed == 1 else "evaluations.csv"),
        index=False,
    )
    return path


@pytest.fixture
def report(tmp_path, monkeypatch):
    fitted = []

    def fit(name, data, seed):
        fitted.append((name, seed, len(data.train.labels)))
        return Compared(name, 0.5, 0.6 + seed / 100, 1.0)

    monkeypatch.setattr(mlpnas_rows, "compare", fit)
    runs = {
        key: make_run(tmp_path / f"{key[0]}-{key[1]}", *key) for key in TEST
    }
    mlpnas_rows.write_rows(tmp_path, runs)
    perceptrons.write(tmp_path)
    return tmp_path, runs, fitted


def test_tables_stand_beside_the_published_numbers(report, capsys):
    path, _, fitted = report
    text = (path / "tables.md").read_text()
    assert (
        "| 6 | wine quality, one-shot and predictor, LSTM of 512 | 80 (not "
        "given) | 3 | 40.0 +- 0.0 (64) | 80.0 +- 0.0 (66) | 71.0 +- 1.4 (64) | "
        "61.5 +- 0.7 (69) |"
    ) in text
    assert "LSTM of 512 | +0.30, +0.30 | +0.30 |" in text
    assert (
        "| wine | scikit-learn MLPClassifier | 80 | 50.0 +- 0.0 | 61.5 +- 0.7 |"
    ) in text
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
    mlpnas_rows.write_rows(path, runs)
    perceptrons.write(path)
    assert len(fitted) == 6
    assert (path / "tables.md").read_bytes() == first
    assert (path / "candidates.csv.gz").read_bytes() == packed


def test_differences_are_paired_by_seed(report):
    path, _, _ = report
    rows = pd.read_csv(path / "differences.csv").set_index("measure")
    assert rows.loc["test", "mean"] == pytest.approx(0.015)
    assert rows.loc["score_best", "mean"] == 0
    text = (path / "tables.md").read_text()
    assert (
        "MLPNAS minus random search with one-shot, test accuracy of the best, "
        "after fine-tuning, 2 seeds: +1.50 points (95% t interval -4.85 to "
        "+7.85, sign-flip p = 0.5); undecided: the interval includes 0."
    ) in text
    # Equal scores: a width of zero would be no certainty.
    assert (
        "score of the best, 2 seeds: +0.00 points (95% t interval not known); "
        "undecided: no pair differs."
    ) in text


def compared(rows):
    table = pd.DataFrame(rows, columns=["variant", "seed", "test"])
    for name in perceptrons.MEASURES:
        table[name] = table["test"]
    return perceptrons.compare_variants(table), table


def test_runs_are_paired_by_seed_and_not_by_place():
    found, table = compared(
        [
            ("wine", 3, 0.80),
            ("wine", 1, 0.70),
            ("wine", 2, 0.60),
            (RIVAL, 1, 0.69),
            (RIVAL, 3, 0.76),
            (RIVAL, 4, 0.10),
        ]
    )
    row = found.set_index("measure").loc["test"]
    # Seeds 1 and 3 alone: 0.01 and 0.04.
    assert row["count"] == 2
    assert row["mean"] == pytest.approx(0.025)
    assert perceptrons.list_unpaired(table) == [
        "Not compared, for wine quality, random search, one-shot has no run "
        "of the same seed: wine quality, one-shot and predictor, LSTM of 512, "
        "seed 2.",
        "Not compared, for wine quality, one-shot and predictor, LSTM of 512 "
        "has no run of the same seed: wine quality, random search, one-shot, "
        "seed 4.",
    ]


def test_a_search_without_its_rival_is_not_compared():
    found, table = compared([("wine", 1, 0.7), ("wine_random", 1, 0.6)])
    assert found.empty
    assert len(perceptrons.list_unpaired(table)) == 1


def test_the_correction_is_over_the_searches():
    seeds = range(1, 7)
    found, _ = compared(
        [(name, n, 0.5 + n / 100) for name in ("wine", "mnist") for n in seeds]
        + [(RIVAL, n, 0.4) for n in seeds]
        + [("mnist_random", n, 0.5 + n / 100 + (-1) ** n / 9) for n in seeds]
    )
    rows = found[found["measure"] == "test"].set_index("variant")
    assert rows.loc["wine", "p_value"] == pytest.approx(2 / 64)
    assert rows.loc["wine", "p_holm"] == pytest.approx(4 / 64)
    assert rows.loc["mnist", "p_value"] == rows.loc["mnist", "p_holm"] == 1
    assert "cannot give a corrected p below 0.0625; 7 could" in (
        perceptrons.verdict({"variant": "wine", **rows.loc["wine"]})
    )


def test_a_report_is_made_again_from_its_rows_alone(
    report, tmp_path_factory, capsys
):
    path, _, _ = report
    copy = tmp_path_factory.mktemp("copy")
    for name in ("runs.csv", "competitors.csv"):
        (copy / name).write_bytes((path / name).read_bytes())
    mlpnas_report.main([str(copy)])
    for name in ("tables.md", "differences.csv"):
        assert (copy / name).read_bytes() == (path / name).read_bytes()
    rows = pd.read_csv(copy / "runs.csv")
    for changed, words in (
        (rows.assign(variant="magic"), "the unknown search 'magic'"),
        (pd.concat([rows, rows]), "two rows of wine with seed 1"),
        (rows[:0], "has no rows"),
        (rows.drop(columns="test"), "lacks the column test"),
    ):
        changed.to_csv(copy / "runs.csv", index=False)
        with pytest.raises(InputError, match=words):
            mlpnas_report.main([str(copy)])
    for arguments in ([], ["/nowhere"]):
        with pytest.raises(InputError, match="folder"):
            mlpnas_report.main(arguments)


def test_rivals_share_weights_as_their_searches_do():
    """Equal budget and equal sharing: only what proposes differs."""
    for name, variant in VARIANTS.items():
        if not variant.rival:
            assert variant.settings["controller"] == "random", name
            continue
        rival = VARIANTS[variant.rival]
        assert rival.data == variant.data
        assert rival.settings["controller"] == "random"
        for setting in ("one_shot", "epochs", "architectures"):
            own, other = (
                kind.settings.get(setting) for kind in (variant, rival)
            )
            assert own == other, (name, setting)
    for tables in ([3], [4], [5], [6], [1, 2, 3, 4, 5, 6]):
        names = variants_of(tables)
        assert {VARIANTS[name].rival for name in names} - {""} <= set(names)
