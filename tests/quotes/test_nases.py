"""The table of NASES in the docs, computed from the raw rows."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from nascore.evaluators.nasbench201.table import FOLDER, PER_PERCENT, read

ROOT = Path(__file__).parent.parent.parent
METHODS = {
    "random search": "random",
    "REINFORCE": "reinforce",
    "regularised evolution": "evolution",
    "L2NAS": "l2nas",
    "NASES, one-hot, n = m/3": "nases",
    "n = m/2": "half",
    "n = m": "whole",
    "not pre-trained": "fresh",
    "ordered numbers, the space's order": "ordered",
    "ordered numbers, another order": "another",
    "the public code's update, the space's order": "code",
    "the public code's update, another order": "code_another",
    "uniform points of the embedding": "nases_points",
}
AUTOENCODERS = {
    "one-hot, n = m/3": "third",
    "n = m/2": "half",
    "n = m": "whole",
    "LSTMs, n = m/3": "lstm",
    "ordered numbers, any order": "ordered",
}


def test_the_reach_of_decoders():
    rows = pd.read_csv(ROOT / "results" / "nases" / "reach.csv")
    text = (ROOT / "docs" / "nases.md").read_text("utf-8")
    quoted = re.findall(
        r"^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) \| (0\.\d+) \|$", text, re.M
    )
    assert {name for name, *_ in quoted} == set(AUTOENCODERS)
    means = rows.groupby(["autoencoder", "trained"]).mean()
    for name, before, after, error in quoted:
        key = AUTOENCODERS[name]
        assert before == f"{means.loc[(key, 0), 'reach']:,.0f}"
        assert after == f"{means.loc[(key, 1000), 'reach']:,.0f}"
        assert error == f"{means.loc[(key, 1000), 'held_out_loss']:.4f}"


def test_the_table_of_searches():
    rows = ROOT / "results" / "nases" / "table" / "rows"
    runs = pd.concat(
        [
            pd.read_csv(rows / name)
            for name in ("best_of_300.csv.gz", "runs.csv.gz")
        ]
    )
    columns = read(FOLDER / "accuracy.npz")
    text = (ROOT / "docs" / "nases.md").read_text("utf-8")
    number = r"([\d.]+ / [\d.]+)"
    quoted = re.findall(rf"^\| ([^|]+) \| {number} \| {number} \|$", text, re.M)
    assert {name for name, *_ in quoted} == set(METHODS)
    for name, *numbers in quoted:
        own = runs[runs["method"] == METHODS[name]]
        for queries, words in zip((300, 1000), numbers, strict=True):
            cells = own[own["queries"] == queries]["cell"]
            assert len(cells) == 200
            means = " / ".join(
                f"{columns[key][cells].mean() / PER_PERCENT:.2f}"
                for key in ("cifar10valid_val_e200", "cifar10_test_e200")
            )
            assert means == words


IMAGES = ROOT / "results" / "nases" / "images"
ON_IMAGES = {"ENAS": "enas", "random": "random", "NASES": "nases"}


def difference(numbers):
    """Mean of NASES's minus random search's with its t interval, points."""
    found = 100 * (numbers["nases"] - numbers["random"])
    assert len(found) == 5
    error = stats.t.ppf(0.975, 4) * found.std(ddof=1) / np.sqrt(5)
    return found.mean(), found.mean() - error, found.mean() + error


def test_the_table_of_images():
    # Epochs count alike: the mean of the epochs' means is that of all.
    epochs = pd.read_csv(IMAGES / "rows" / "epochs.csv")
    sampled = epochs.groupby(["method", "seed"])["score_mean"].mean()
    proposals = pd.read_csv(IMAGES / "rows" / "proposals.csv")
    best = proposals[proposals["rank"] == 1].set_index("method")
    trained = pd.read_csv(IMAGES / "trained.csv").set_index(["method", "seed"])
    text = (ROOT / "docs" / "nases.md").read_text("utf-8")
    quoted = re.findall(
        r"^\| (\w+) \| ([\d.]+%) \| ([\d.]+%) \| ([\d.]+%) \|$", text, re.M
    )
    assert [name for name, *_ in quoted] == list(ON_IMAGES)
    for name, *words in quoted:
        method = ON_IMAGES[name]
        tests = trained.loc[method, "test_accuracy"]
        assert len(tests) == len(best.loc[method]) == 5
        numbers = (
            sampled[method].mean(),
            best.loc[method, "validation_accuracy"].mean(),
            tests.mean(),
        )
        assert words == [f"{number:.1%}" for number in numbers]
    text = " ".join(text.split())
    shared = re.search(r"was (\S+) points above .*? \((\S+) to (\S+)\)", text)
    assert list(shared.groups()) == [f"{n:.1f}" for n in difference(sampled)]
    alone = re.search(r"not: (\S+) points \((\S+) to (\S+)\)", text)
    tests = trained["test_accuracy"]
    assert list(alone.groups()) == [f"{n:+.1f}" for n in difference(tests)]
    # Of what NASES proposed three of four were new.
    table = pd.read_csv(IMAGES / "tables" / "diversity.csv")
    (new,) = table.loc[table["method"] == "nases", "unique"]
    assert 0.7 < new < 0.77


def test_the_sentences_on_chains():
    folder = ROOT / "results" / "nases" / "chain"
    text = " ".join((folder.parent / "README.md").read_text("utf-8").split())
    times, means, tests = [], [], []
    for method in ("nases_chain", "chain_random"):
        rows = pd.read_csv(folder / f"{method}_evaluations.csv")
        assert len(rows) == 40
        seconds = round(rows["seconds"].sum())
        times.append(f"{seconds // 60} min {seconds % 60} s")
        means.append(f"{100 * rows['fitness'].mean():.1f}")
        found = json.loads((folder / f"{method}_test.json").read_text("utf-8"))
        low, high = found["accuracy_interval_95"]
        tests.append(f"{found['accuracy']:.1%} ({low * 100:.1f} to {high:.1%})")
    assert f"in {times[0]} (NASES) and {times[1]} of" in text
    assert f"a mean fitness of {means[0]} and {means[1]}%" in text
    assert f"{tests[0]} and {tests[1]}." in text
    page = (ROOT / "docs" / "nases.md").read_text("utf-8")
    assert f"{tests[0].split()[0]} and {tests[1].split()[0]} of the" in page
