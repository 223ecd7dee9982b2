"""The first run: small where nothing is asked for, up to trained cells."""

import csv
import json
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from enas.config import EnasConfig
from experiments.batch import _Bar
from experiments.support.then_train import (
    BEST,
    RANDOM,
    Row,
    _configure,
    verdict,
)
from flags import methods
from nascore.config import flatten
from nascore.data.config import DataConfig
from nascore.runs.config import TRAINED
from nascore.search.config import AfterConfig

ROOT = Path(__file__).parent.parent.parent
TINY = (
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_nodes=1",
    "--num_normal_cells=1",
    "--num_reduction_cells=1",
    "--batch_size=16",
    "--epochs=1",
    "--train_steps=2",
    "--num_aggregate=2",
    "--epoch_samples=3",
    "--derive_samples=3",
    "--then_train=2",
)


def start(words, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory, forked):
    """A run that was stopped in the training of its best cell, and went on."""
    folder = tmp_path_factory.mktemp("a first")
    path = folder / "my run"
    module = "experiments.search_ienas"
    stopped = start(
        # The first epoch that has a validation loss is of a final training.
        ["tests.faults.signalled", "SIGTERM", "validation loss", module]
        + [*TINY, f"--run_dir={path}"],
        folder,
    )
    assert stopped.returncode == 0, stopped.stderr
    assert f"--run_dir='{path}' --resume" in stopped.stderr
    assert len(rows(path / "final-best" / "epochs.csv")) == 1
    assert not (path / TRAINED).exists()
    finish = forked("search_ienas", f"--run_dir={path}", "--finish")
    assert finish.returncode == 2
    assert "two architectures are still to be trained" in finish.stderr
    assert f"--run_dir='{path}' --resume" in finish.stderr
    done = start([module, f"--run_dir={path}", "--resume"], folder)
    assert done.returncode == 0, done.stderr
    return path, done.stdout


def test_both_cells_and_logistic_regression_are_tested(run):
    path, said = run
    table = rows(path / TRAINED)
    names = ["best cell found", "random cell", "logistic regression"]
    assert [row["name"] for row in table] == names
    for row, name in zip(table, ("final-best", "final-random"), strict=False):
        test = json.loads((path / name / "test.json").read_text())
        assert float(row["accuracy"]) == test["accuracy"]
        assert test["images"] == int(row["images"]) == 360
        assert len(rows(path / name / "epochs.csv")) == int(row["epochs"]) == 2
        assert (path / name / "model" / "network.keras").is_file()
        assert (path / name / "plots" / "learning_curve.png").is_file()
    for row in table:
        low, accuracy, high = (
            float(row[name]) for name in ("low", "accuracy", "high")
        )
        assert low < accuracy < high
        line = next(
            x for x in said.splitlines() if x.startswith(f"  {row['name']}")
        )
        assert f"{accuracy:.2%}  (95% interval {low:.2%} to {high:.2%})" in line
    assert 0.9 < float(table[2]["accuracy"]) < 1
    ranking = json.loads((path / "derived_architectures.json").read_text())
    best = ranking["architectures"][0]["architecture"]
    assert table[0]["architecture"] == best != table[1]["architecture"]
    assert "resumed in epoch 2 after 0 of" in said


def test_its_next_commands_can_be_pasted(run, forked):
    path, said = run
    lines = said.split("\nnext:\n")[1].splitlines()
    commands = [shlex.split(line) for line in lines]
    assert [words[2] for words in commands] == [
        "experiments.train_final",
        "experiments.plot_run",
        "experiments.describe_architecture",
    ]
    for words in commands:
        assert words[:2] == ["python", "-m"]
        assert any(str(path) in word for word in words)
    _, _, module, *arguments = commands[2]
    done = forked(module.removeprefix("experiments."), *arguments)
    assert done.returncode == 0, done.stderr
    assert "parameters: " in done.stdout
    _, _, _, *arguments = commands[0]
    folder = path / "config.json" / "never"
    refused = forked("train_final", *arguments, f"--run_dir={folder}")
    assert "cannot be made" in refused.stderr


def test_afterwards_it_is_finished(run, forked):
    path, _ = run
    for flag in ("--resume", "--finish"):
        done = forked("search_ienas", f"--run_dir={path}", flag)
        assert done.returncode == 2
        assert "is finished after 1 epochs" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "script, arguments, preset",
    [
        ("search_ienas", [], "fashion_mnist"),
        ("search_enas", ["--seed=3", "--max_hours=2"], "cifar10"),
        ("search", ["--method=random"], "cifar10"),
        ("compare", ["--methods=enas", "--seeds=2"], "cifar10"),
    ],
)
def test_without_settings_the_small_preset_runs(
    forked, tmp_path, script, arguments, preset
):
    (tmp_path / "file").write_text("")
    flag = "out" if script == "compare" else "run_dir"
    place = f"--{flag}={tmp_path / 'file' / 'run'}"
    done = forked(script, *arguments, place)
    assert done.returncode == 2 and str(tmp_path / "file") in done.stderr
    lines = [x for x in done.stdout.splitlines() if "no settings" in x]
    assert len(lines) == 1
    assert re.search(r"preset digits runs; the published protocol: ", lines[0])
    assert lines[0].endswith(f"--preset={preset}")


@pytest.mark.parametrize(
    "arguments", [["--dataset=digits"], ["--epochs=3"], ["--reward_rule=code"]]
)
def test_a_setting_keeps_the_published_protocol(forked, tmp_path, arguments):
    (tmp_path / "file").write_text("")
    place = f"--run_dir={tmp_path / 'file' / 'run'}"
    done = forked("search_ienas", *arguments, place)
    assert done.returncode == 2 and "no settings" not in done.stdout


def test_a_training_of_few_images_is_small_without_settings(run, forked):
    path, _ = run
    place = f"--run_dir={path / 'config.json' / 'never'}"
    done = forked("train_final", f"--from_run={path}", place, "--seed=2")
    (line,) = done.stdout.splitlines()
    assert "the small preset final/quick runs" in line
    assert f"--from_run='{path}' --epochs=630" in line
    done = forked("train_final", f"--from_run={path}", place, "--epochs=630")
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--finish"], "--finish needs --run_dir=FOLDER, the run to end"),
        (["--finish", "--run_dir=/nowhere/run"], "holds no run to resume"),
        (["--max_hours=-1"], "--max_hours=-1.0 must be a number from 0"),
        (["--max_hours=nan"], "--max_hours=nan must be"),
        (
            ["--finish", "--run_dir=x", "--max_hours=1"],
            "--finish trains no further; leave --max_hours=1 out",
        ),
        (["--then_train=-1"], "--then_train=-1 must be"),
    ],
)
def test_bad_input_is_one_clear_line(forked, arguments, words):
    done = forked("search_ienas", *arguments)
    assert done.returncode == 2
    assert words in done.stderr and done.stderr.count("\n") == 1


def test_a_run_of_a_comparison_trains_nothing_after_it():
    """The preset of a comparison is that of a search."""
    cells = [
        method
        for method in methods.METHODS.values()
        if "then_train" in flatten(method.config)
    ]
    assert len(cells) >= 17
    assert all(method.alone == {"then_train": 0} for method in cells)


def test_pictures_are_fitted_as_the_search_fitted_them(tmp_path):
    data = DataConfig(
        dataset="folder", data_dir=str(tmp_path), fit="pad", image_size=16
    )
    config = EnasConfig(data=data, after=AfterConfig(then_train=2))
    architecture = str(config.child.space.draw(np.random.default_rng(0)))
    final = _configure(config, architecture)
    for name in ("dataset", "data_dir", "fit", "image_size"):
        assert getattr(final.data, name) == getattr(data, name), name


def row(name, accuracy, low, high):
    return Row(name, "", 1, 1.0, 100, accuracy, low, high)


@pytest.mark.parametrize(
    "drawn, words",
    [
        (0.95, "as good as the one found, within the interval"),
        (0.99, "as good as the one found, within the interval"),
        (0.80, "better than this one random cell; one pair decides nothing"),
        (1.00, "this random cell is better than the one found"),
    ],
)
def test_the_verdict_claims_no_more_than_there_is(drawn, words):
    best = row(BEST, 0.97, 0.93, 0.99)
    assert words in verdict(best, row(RANDOM, drawn, 0.0, 1.0))


def test_a_batch_takes_as_long_as_its_first_runs_say(tmp_path, capsys):
    """One was resumed with half of it left, one says nothing yet."""
    shares = {"a": (3600, 1.0, 0), "b": (3600, 0.5, 5), "c": (0, 0, 0)}
    jobs = []
    for name, (seconds, share, done) in shares.items():
        file = tmp_path / name
        if seconds:
            cost = {"unit": "seconds", "seconds": seconds, "share": share}
            file.write_text(json.dumps(cost))
        jobs.append(
            SimpleNamespace(
                name=name,
                total=10,
                done=done,
                cost_file=file,
                most_seconds=math.inf,
            )
        )
    with _Bar(jobs, "epochs", 2, "take less") as bar:
        bar._tell()
    # One hour, half of two, and the mean of one and two, two at a time.
    (line,) = capsys.readouterr().out.splitlines()
    assert line == ("cost: about 1.8 hours in all on this machine; take less")
