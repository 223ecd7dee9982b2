"""The tables of NAS-Bench-201 in the docs, computed from the raw rows."""

import re
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "benchmark.md").read_text("utf-8")
COLUMNS = {
    "CIFAR-10": ("cifar10valid_val_e200", "cifar10_test_e200"),
    "CIFAR-100": ("cifar100_val_e200", "cifar100_test_e200"),
    "ImageNet-16-120": ("imagenet16_val_e200", "imagenet16_test_e200"),
}
POLICIES = {
    "ENAS's": ("ienas", "enas3"),
    "the same, free": ("free_ienas", "free"),
    "a softmax an edge": ("reinforce_relative", "reinforce"),
}
# Folder and method of our rows.
OURS = {
    "RS": ("baselines", "random"),
    "REA": ("baselines108", "REA"),
    "REINFORCE": ("baselines90", "reinforce_0.1"),
    "BOHB": ("baselines", "bohb"),
}


def read(folder):
    """A row for each run at its last query, with what it found."""
    rows = ROOT / "results" / "nasbench201" / folder / "rows"
    runs = pd.read_csv(rows / "runs.csv.gz")
    last = runs[runs["queries"] == runs["queries"].max()]
    return last.merge(pd.read_csv(rows / "cells.csv.gz"), on="cell")


def rows_of(pattern):
    return [match.groups() for match in re.finditer(pattern, TEXT, re.M)]


def shown(runs, column, one, other):
    """A paired difference as the docs show it."""
    pivot = runs.pivot(index="seed", columns="method", values=column)
    values = pivot[one] - pivot[other]
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    mean = values.mean()
    return f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"


def test_ienas_against_enas():
    runs = read("ienas")
    quoted = rows_of(
        r"^\| (CIFAR-10|CIFAR-100|ImageNet-16-120) \| ([^|]+?) \| "
        r"([-+][^|]+\)) \| ([-+][^|]+\)) \|$"
    )
    assert len(quoted) == 9
    for data, policy, best, recent in quoted:
        searched, test = COLUMNS[data]
        own = runs[runs["searched"] == searched]
        one, other = POLICIES[policy]
        assert (own["method"] == one).sum() == 500
        assert shown(own, test, one, other) == best
        assert shown(own, "recent_mean", one, other) == recent


def test_twice_the_reward_and_no_learning():
    runs = read("ienas_control")
    validation, test = COLUMNS["CIFAR-100"]
    for one, other, most in (
        ("ienas_twice", "enas3", "0.06"),
        ("free_twice", "free", "0.10"),
    ):
        assert shown(runs, "recent_mean", one, other).startswith(f"+{most}")
        assert re.search(rf"{re.escape(most)} of the 0\.1[63]", TEXT)
    runs = read("ienas")
    runs = runs[runs["searched"] == validation]
    assert shown(runs, test, "untrained", "random").startswith("+0.43")
    assert shown(runs, test, "enas", "untrained").startswith("+0.00")


@pytest.mark.parametrize("name", OURS)
def test_the_rows_of_the_baselines(name):
    ((cells, *quoted),) = rows_of(
        rf"^\| {name}, ours \| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$"
    )
    (published,) = rows_of(
        rf"^\| {name}, published \| \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$"
    )
    folder, method = OURS[name]
    runs = read(folder)
    own = runs[runs["method"] == method]
    assert len(own) == 500 and set(own["queries"]) == {int(cells)}
    for columns, ours, theirs in zip(
        COLUMNS.values(), quoted, published, strict=True
    ):
        means = [own[column].mean() for column in columns]
        assert " / ".join(f"{mean:.2f}" for mean in means) == ours
        for mean, number in zip(means, theirs.split(" / "), strict=True):
            assert abs(mean - float(number)) < 0.15


def test_random_search_meets_its_expectation():
    folder = ROOT / "results" / "nasbench201" / "random" / "tables"
    table = pd.read_csv(folder / "accuracies.csv")
    keys = ["protocol", "queries", "dataset", "split"]
    exact, drawn = (
        table[table["method"] == method].set_index(keys)["mean"]
        for method in ("random search (exact)", "random")
    )
    assert len(exact) == len(drawn) == 36
    assert (exact - drawn).abs().max() < 0.04


@pytest.mark.parametrize(
    ("row", "method", "queries"),
    [
        ("L2NAS-500, ours", "l2nas", 500),
        ("L2NAS-1k, ours", "l2nas", 1000),
        ("its state alone, 500", "state", 500),
    ],
)
def test_the_rows_of_l2nas(row, method, queries):
    (quoted,) = rows_of(rf"^\| {row} \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$")
    rows = ROOT / "results" / "nasbench201" / "l2nas" / "rows"
    runs = pd.read_csv(rows / "runs.csv.gz")
    runs = runs[(runs["method"] == method) & (runs["queries"] == queries)]
    found = runs.merge(pd.read_csv(rows / "cells.csv.gz"), on="cell")
    for (validation, test), text in zip(COLUMNS.values(), quoted, strict=True):
        honest = found[found["searched"] == validation]
        leak = found[found["searched"] == test]
        assert len(honest) == len(leak) == 100
        assert text == (
            f"{honest[validation].mean():.2f} / {leak[test].mean():.2f} "
            f"({honest[test].mean():.2f})"
        )


def test_transfer():
    rows = ROOT / "results" / "nasbench201" / "transfer" / "rows"
    runs = pd.read_csv(rows / "runs.csv.gz")
    runs = runs.merge(pd.read_csv(rows / "cells.csv.gz"), on="cell")
    quoted = rows_of(
        r"^\| (CIFAR-100|ImageNet-16-120) \| ([\d,]+) \| ([^|]+) \| ([^|]+) "
        r"\| ([-+][^|]+\)) \| ([-+][^|]+\)) \|$"
    )
    assert len(quoted) == 6
    for data, queries, scratch, after, *differences in quoted:
        columns = list(COLUMNS[data])
        own = runs[
            (runs["searched"] == columns[0])
            & (runs["queries"] == int(queries.replace(",", "")))
        ]
        for method, numbers in (("equation7", scratch), ("transfer", after)):
            each = own[own["method"] == method]
            assert len(each) == 100
            means = " / ".join(f"{m:.2f}" for m in each[columns].mean())
            assert means == numbers
        assert differences == [
            shown(own, column, "transfer", "equation7") for column in columns
        ]
