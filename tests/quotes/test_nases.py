"""The table of NASES in the docs, computed from the raw rows."""

import re
from pathlib import Path

import pandas as pd

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
