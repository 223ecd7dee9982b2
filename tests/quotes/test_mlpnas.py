"""What the docs and results say of MLPNAS's tables, from the raw rows."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parent.parent.parent
TABLES = ROOT / "results" / "mlpnas" / "tables"
# Rows of the table of the docs, by their searches.
SEARCHES = {
    "MNIST": "mnist",
    "predictor": "mnist_predictor",
    "one-shot": "mnist_one_shot",
    "one-shot and predictor": "mnist_both",
    "random search": "mnist_random",
    "random search, one-shot": "mnist_random_one_shot",
    "both, 15 x 30": "mnist_large",
    "random search, one-shot, 15 x 30": "mnist_large_random_one_shot",
    "Japanese vowels, both": "speakers",
    "wine quality, both": "wine",
}
PAIRS = {
    "one-shot minus plain": ("mnist_one_shot", "mnist"),
    "predictor minus plain": ("mnist_predictor", "mnist"),
    "one-shot and predictor minus predictor": ("mnist_both", "mnist_predictor"),
    "one-shot and predictor minus one-shot": ("mnist_both", "mnist_one_shot"),
    "random search, one-shot minus plain": (
        "mnist_random_one_shot",
        "mnist_random",
    ),
}
# Each search and its rival.
RIVALS = {
    "mnist": "mnist_random",
    "mnist_predictor": "mnist_random",
    "mnist_one_shot": "mnist_random_one_shot",
    "mnist_both": "mnist_random_one_shot",
    "mnist_large": "mnist_large_random_one_shot",
    "speakers": "speakers_random_one_shot",
    "wine": "wine_random_one_shot",
}


@pytest.fixture(scope="module")
def runs():
    return pd.read_csv(TABLES / "runs.csv").set_index(["variant", "seed"])


def differences(runs, first, second, column):
    found = 100 * (runs.loc[first, column] - runs.loc[second, column])
    assert len(found) == 3
    return found


def test_the_table(runs):
    text = (ROOT / "docs" / "mlpnas.md").read_text("utf-8")
    rows = re.findall(
        r"^\| [\d-] \| ([^|]+) \| ([\d.]+) \+- ([\d.]+) \|", text, re.M
    )
    assert len(rows) == 12
    # The last two rivals have the name of MNIST's.
    rivals = iter(("speakers_random_one_shot", "wine_random_one_shot"))
    seen = set()
    for name, mean, deviation in rows:
        variant = next(rivals) if name in seen else SEARCHES[name]
        seen.add(name)
        tests = 100 * runs.loc[variant, "test"]
        assert len(tests) == 3
        assert (mean, deviation) == (
            f"{tests.mean():.1f}",
            f"{tests.std():.1f}",
        )


def test_the_pairs(runs):
    text = (TABLES.parent / "README.md").read_text("utf-8")
    number = r"([+-][\d.]+)"
    rows = re.findall(
        rf"^\| ([^|]+) \| {number} \({number} to {number}\) \|", text, re.M
    )
    assert {name for name, *_ in rows} == set(PAIRS)
    for name, *numbers in rows:
        found = differences(runs, *PAIRS[name], "test")
        computed = found.mean(), found.min(), found.max()
        assert numbers == [f"{value:+.2f}" for value in computed]
    hours, minutes = re.search(r"(\d) hours (\d+) minutes", text).groups()
    seconds = runs["seconds"].sum()
    assert round(seconds / 60) == int(hours) * 60 + int(minutes)


def test_the_sentences(runs):
    text = (ROOT / "docs" / "mlpnas.md").read_text("utf-8")
    text = " ".join(text.split())
    means = [
        differences(runs, first, second, "test").mean()
        for first, second in RIVALS.items()
    ]
    quoted = re.search(r"fine-tuning (\S+) to (\S+) points. The", text).groups()
    assert quoted == (f"{min(means):+.1f}", f"{max(means):+.1f}")
    scores = [
        differences(runs, first, second, "score_mean")
        for first, second in RIVALS.items()
        if first.startswith("mnist")
    ]
    assert all((found > 0).all() for found in scores)
    means = [found.mean() for found in scores]
    quoted = re.search(r"was (\d) to (\d) points above", text).groups()
    assert quoted == (f"{min(means):.0f}", f"{max(means):.0f}")
