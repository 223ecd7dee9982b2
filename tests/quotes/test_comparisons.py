"""The tables of comparisons in README and docs, computed from the raw rows."""

import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

ROOT = Path(__file__).parent.parent.parent
METHODS = {
    "ENAS": "enas",
    "I-ENAS (equation 1)": "ienas_paper",
    "I-ENAS (code rule)": "ienas_code",
    "random": "random",
}
ROW = re.compile(
    r"\| (?P<data>Fashion-MNIST|MNIST|CIFAR-10), (?P<one>.+?) - (?P<other>.+?) "
    r"\| (?P<seeds>\d+) "
    r"\| (?P<mean>\S+) \| (?P<low>\S+) to (?P<high>\S+) "
    r"\| (?P<p>\S+) \| (?P<holm>\S+) \|\n"
    r"(?:\| the same, in the last epoch \| \d+ \| (?P<last>\S+) "
    r"\| (?P<last_low>\S+) to (?P<last_high>\S+) \| (?P<last_p>\S+) \| \|)?"
)


def differences(table, one, other):
    pivot = table.pivot(index="seed", columns="method", values="accuracy_mean")
    return 100 * (pivot[METHODS[one]] - pivot[METHODS[other]]).to_numpy()


def interval(values):
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return values.mean(), values.mean() - half, values.mean() + half


def sign_flip_p(values):
    signs = np.array(list(itertools.product((1, -1), repeat=len(values))))
    return np.mean(abs(signs @ values) >= abs(values.sum()) - 1e-9)


@pytest.mark.parametrize(
    ("data", "folder"),
    [
        ("Fashion-MNIST", "fashion_mnist"),
        ("MNIST", "mnist"),
        ("CIFAR-10", "cifar10"),
    ],
)
def test_a_data_set_is_quoted_as_its_rows_say(data, folder):
    epochs = pd.read_csv(ROOT / "results" / folder / "rows" / "epochs.csv")
    quoted = []
    for name, count in (("README.md", 3), ("docs/comparing.md", 4)):
        text = (ROOT / name).read_text("utf-8")
        rows = [row for row in ROW.finditer(text) if row["data"] == data]
        assert len(rows) == count
        quoted += rows
    assert {int(row["seeds"]) for row in quoted} == {epochs["seed"].nunique()}
    # All epochs have as many evaluations.
    assert epochs.groupby(["method", "seed"]).size().eq(30).all()
    keys = ["method", "seed"]
    whole = epochs.groupby(keys)["accuracy_mean"].mean().reset_index()
    last = epochs[epochs["epoch"] == 29]
    every = {
        pair: sign_flip_p(differences(whole, *pair))
        for pair in (
            ("I-ENAS (equation 1)", "ENAS"),
            ("I-ENAS (code rule)", "ENAS"),
            ("ENAS", "random"),
            ("I-ENAS (equation 1)", "random"),
            ("I-ENAS (code rule)", "random"),
        )
    }
    ordered = sorted(every.items(), key=lambda item: item[1])
    corrected, largest = {}, 0.0
    for place, (pair, p) in enumerate(ordered):
        largest = max(largest, min(1.0, p * (len(ordered) - place)))
        corrected[pair] = largest
    for row in quoted:
        pair = (row["one"], row["other"])
        values = differences(whole, *pair)
        numbers = [float(row[name]) for name in ("mean", "low", "high")]
        assert numbers == pytest.approx(interval(values), abs=0.006)
        assert float(row["p"]) == pytest.approx(every[pair], abs=6e-4)
        assert float(row["holm"]) == pytest.approx(corrected[pair], abs=6e-4)
        if row["last"]:
            values = differences(last, *pair)
            numbers = [
                float(row[name]) for name in ("last", "last_low", "last_high")
            ]
            assert numbers == pytest.approx(interval(values), abs=0.006)
            p = sign_flip_p(values)
            assert float(row["last_p"]) == pytest.approx(p, abs=6e-4)


def test_the_rank_check_is_quoted_as_its_rows_say():
    file = ROOT / "results" / "fashion_mnist" / "rows" / "rank_check.csv"
    rows = pd.read_csv(file)
    assert rows.groupby(["method", "seed"]).size().eq(6).all()
    assert set(rows["epochs"]) == {3} and rows["seed"].nunique() == 3
    text = (ROOT / "docs" / "comparing.md").read_text("utf-8")
    (quoted,) = re.findall(
        r"tau of (\S+) \(ENAS\), (\S+) \(I-ENAS\), (\S+) \(code rule\) and "
        r"(\S+)\s+\(random\)",
        text,
    )
    for method, said in zip(
        ("enas", "ienas_paper", "ienas_code", "random"), quoted, strict=True
    ):
        taus = np.array(
            [
                stats.kendalltau(
                    run["shared_accuracy"], run["standalone_accuracy"]
                ).statistic
                for _, run in rows[rows["method"] == method].groupby("seed")
            ]
        )
        mean, low, high = interval(taus)
        assert float(said) == pytest.approx(mean, abs=0.006)
        assert low < 0 < high
