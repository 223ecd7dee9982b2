"""The script that checks the ranks of zero-cost proxies."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

SMALL = ("--dataset=digits", "--num_layers=1", "--filters=2")


@pytest.fixture(scope="module")
def run(forked):
    return lambda *words: forked("proxies", *SMALL, *words)


@pytest.fixture(scope="module")
def out(run, tmp_path_factory):
    """Of three cells, and then of two more."""
    out = tmp_path_factory.mktemp("proxies") / "out"
    for count in (3, 5):
        done = run(f"--count={count}", f"--out={out}", "--batch_size=8")
        assert done.returncode == 0, done.stderr
    return out


def test_what_is_there_is_not_measured_again(out, run, tmp_path):
    rows = pd.read_csv(out / "proxies.csv")
    assert len(rows) == rows["architecture"].nunique() == 5
    done = run("--count=5", f"--out={tmp_path / 'b'}", "--batch_size=8")
    assert done.returncode == 0, done.stderr
    whole = pd.read_csv(tmp_path / "b" / "proxies.csv")
    pd.testing.assert_frame_equal(
        rows.drop(columns="seconds"), whole.drop(columns="seconds")
    )


def test_taus_are_those_of_the_rows(out):
    rows = pd.read_csv(out / "proxies.csv")
    found = pd.read_csv(out / "taus.csv").set_index(["proxy", "accuracy"])
    for name in ("synflow", "parameters"):
        x = rows[name].replace(-np.inf, -1e9)
        expected = kendalltau(x, rows["table_cifar100"]).statistic
        row = found.loc[(name, "table_cifar100")]
        assert row["tau"] == pytest.approx(expected)
        assert row["low"] <= row["tau"] <= row["high"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seed=3",), "holds proxies with --seed=0, not 3"),
        (("--count=1",), "--count=1 must be a number from 2 to 15625"),
        (("--run=nowhere",), "nowhere is not a folder"),
    ],
)
def test_one_line_for_a_mistake(out, run, words, message):
    before = (out / "proxies.csv").read_bytes()
    done = run(f"--out={out}", "--batch_size=8", *words)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
    assert (out / "proxies.csv").read_bytes() == before


def test_a_folder_of_other_files_is_left_alone(run, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = run("--count=2", f"--out={tmp_path}")
    assert done.returncode == 2 and "holds other files" in done.stderr
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["mine.txt"]
