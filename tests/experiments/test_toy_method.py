"""A method and a space that the project does not know, as a user adds them.

A package of theirs names them in entry points; nothing of ours is touched.
"""

import csv
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ENTRY_POINTS = """\
[ienas.methods]
toy = tests.toy.config:TOY
toy_random = tests.toy.config:TOY_RANDOM

[ienas.spaces]
necklace = tests.toy.space:Necklace
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of packages in which the package is installed."""
    folder = tmp_path_factory.mktemp("site")
    about = folder / "toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture(scope="module")
def script(site, forked):
    return functools.partial(forked, packages=(site,))


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def without_times(rows):
    return [
        {name: value for name, value in row.items() if "seconds" not in name}
        for row in rows
    ]


@pytest.fixture(scope="module")
def run(script, tmp_path_factory):
    path = tmp_path_factory.mktemp("toy") / "run"
    done = script("search", "--method=toy", f"--run_dir={path}")
    assert done.returncode == 0, done.stderr
    return path, done.stdout


def test_it_searches(run):
    path, said = run
    rows = rows_of(path / "evaluations.csv")
    assert [int(row["number"]) for row in rows] == list(range(3 * 4 * 2))
    assert [int(row["epoch"]) for row in rows] == [0] * 8 + [1] * 8 + [2] * 8
    for row in rows:
        beads = row["architecture"].split("-")
        assert len(beads) == 5
        assert all(a != b for a, b in zip(beads, beads[1:], strict=False))
        blue = beads.count("blue") / 5
        assert 0 <= float(row["accuracy"]) - 0.9 * blue <= 0.01 + 1e-6
        assert row["reward"] == row["accuracy"]
    # One bead of the best so far is another, but for the first two.
    best = rows[0]
    for first in range(0, len(rows), 2):
        for row in rows[first : first + 2] if first else []:
            pairs = zip(
                row["architecture"].split("-"),
                best["architecture"].split("-"),
                strict=True,
            )
            assert sum(a != b for a, b in pairs) == 1
        told = rows[first : first + 2]
        best = max([best, *told], key=lambda row: float(row["accuracy"]))
    ranking = json.loads((path / "derived_architectures.json").read_text())
    assert ranking["architectures"][0]["architecture"] == best["architecture"]
    settings = json.loads((path / "config.json").read_text())
    assert settings["space"] == {"kind": "necklace", "beads": 5}
    assert settings["method"] == "toy"
    assert "a drawer of beads" in said
    assert "note: the beads are made of glass" in said
    assert "beads on a string" in said


def test_it_is_drawn(run, script):
    path, said = run
    for name in ("accuracy", "reward", "epochs"):
        assert (path / "plots" / f"{name}.png").stat().st_size > 5000
        assert f"wrote {path / 'plots' / name}.png" in said
    done = script("plot_run", str(path), "--format=pdf")
    assert done.returncode == 0, done.stderr
    assert (path / "plots" / "accuracy.pdf").exists()


def test_it_goes_on_where_it_was_stopped(run, script, site, tmp_path):
    whole = tmp_path / "whole"
    length = "--epochs=60"
    done = script("search", "--method=toy", length, f"--run_dir={whole}")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "stopped"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "experiments.search", "--method=toy"),
            *(length, f"--run_dir={path}"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    table = path / "evaluations.csv"
    while process.poll() is None and not (
        table.exists() and len(rows_of(table)) > 20
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate()
    begun = len(rows_of(table))
    # The run says what it is of.
    again = script("search", "--resume", f"--run_dir={path}")
    assert again.returncode == 0, again.stderr
    if begun < 60 * 8:
        assert "resumed in epoch" in again.stdout
    for name in ("evaluations.csv", "epochs.csv"):
        ours, theirs = (rows_of(folder / name) for folder in (path, whole))
        assert without_times(ours) == without_times(theirs)


def test_it_is_compared(script, tmp_path):
    out = tmp_path / "out"
    arguments = ["--methods=toy,toy_random", "--seeds=1", f"--out={out}"]
    done = script("compare", *arguments, "--epochs=4")
    assert done.returncode == 0, done.stderr
    metrics = rows_of(out / "tables" / "metrics.csv")
    # By hand: the mean over epochs of each run's mean.
    for row in metrics:
        folder = out / "runs" / f"{row['method']}-seed{row['seed']}"
        means = [
            float(epoch["accuracy_mean"])
            for epoch in rows_of(folder / "epochs.csv")
        ]
        assert len(means) == 4
        assert float(row["curve_mean"]) == pytest.approx(
            sum(means) / 4, abs=1e-5
        )
    compared = [row["method"] for row in metrics]
    assert compared == ["toy", "toy_random"]
    (difference,) = [
        row
        for row in rows_of(out / "tables" / "differences.csv")
        if row["metric"] == "curve_mean"
    ]
    assert (difference["first"], difference["second"]) == ("toy", "toy_random")
    assert "toy climber sampled were on average" in done.stdout
    page = (out / "report.html").read_text()
    assert "toy climber" in page and "toy random" in page
    before = (out / "tables" / "metrics.csv").read_bytes()
    again = script("plot_comparison", str(out))
    assert again.returncode == 0, again.stderr
    assert (out / "tables" / "metrics.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "--method=magic"], "'magic' is not known; there are: enas"),
        (["search"], "name a method, such as"),
        (
            ["search", "--method=toy_random", "--climb"],
            "--climb=True contradicts the method toy_random",
        ),
        (
            ["compare", "--methods=toy,mlpnas"],
            "rank architectures by different measures",
        ),
        (
            ["compare", "--methods=toy,enas"],
            "the methods would search other data sets",
        ),
        (
            ["compare", "--methods=toy,toy_random", "--rank_check=2"],
            "--rank_check trains networks of cells and macro networks",
        ),
    ],
)
def test_bad_input_is_one_clear_line(script, tmp_path, arguments, words):
    if arguments[0] == "compare":
        arguments = [*arguments, f"--out={tmp_path / 'out'}"]
    done = script(*arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_its_package_its_runs_are_refused_in_one_line(run, forked):
    path, _ = run
    done = forked("plot_run", str(path))
    assert done.returncode == 2
    assert "the kind of space 'necklace' is not installed" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "holds no run to resume"),
        ("{", "config.json cannot be read"),
        ('{"method": "final training"}', "is a final training; go on with"),
        ('{"method": ["enas"]}', "is not known; there are: enas"),
        ('{"method": "enas", "space": {}}', "lacks 'config'"),
    ],
)
def test_what_cannot_be_resumed_is_one_line(forked, tmp_path, content, words):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    done = forked("search", "--resume", f"--run_dir={tmp_path}")
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
