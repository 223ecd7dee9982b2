"""The MLPNAS scripts; in this process where that makes no difference."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from absl import flags

from experiments import mlpnas_tables, plot_mlpnas, search_mlpnas
from nascore.runs.folder import RunFolder
from tests.mlpnas.former import contents, make_former

ROOT = Path(__file__).parent.parent.parent
TINY = (
    "--train_examples=300",
    "--units=8,16,32",
    "--max_layers=4",
    "--lstm_units=16",
    "--epochs=2",
    "--architectures=3",
    "--child_epochs=2",
    "--batch_size=32",
    "--one_shot",
    "--predictor",
    "--finetune_epochs=2",
)


@pytest.fixture
def script(monkeypatch, capfd):
    """Runs a script; returns exit code, stdout and stderr."""
    before = set(flags.FLAGS)

    def forget():
        for name in set(flags.FLAGS) - before:
            delattr(flags.FLAGS, name)

    def run(module, *arguments):
        forget()
        monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            module.cli()
        return end.value.code or 0, *capfd.readouterr()

    yield run
    forget()


def start(path, *arguments):
    """Runs the script as a user starts it, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "experiments.search_mlpnas",
            *TINY,
            *arguments,
            f"--run_dir={path}",
        ],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run as a user starts it, with candidates in two processes."""
    path = tmp_path_factory.mktemp("runs") / "run"
    return path, start(path, "--jobs=2", "--compare=logistic,random")


def test_a_tiny_run_searches_tests_compares_and_draws(finished):
    path, done = finished
    assert done.returncode == 0, done.stderr
    # No warnings, no start-up noise, from no process.
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "digits: 240 training, 60 validation, 360 test examples of 64 "
        "numbers, 10 classes"
    )
    assert sum(line.startswith("epoch ") for line in lines) == 4
    assert sum(line.startswith("fine-tuning epoch") for line in lines) == 2
    final = json.loads((path / "final.json").read_text())
    assert final["architecture"] in done.stdout
    names = [entry["name"] for entry in final["competitors"]]
    assert names == ["logistic", "random"]
    assert final["competitors"][0]["test_accuracy"] > 0.8
    for name in ("learning_curve", "predictor", "accuracies"):
        assert (path / "plots" / f"{name}.png").stat().st_size > 5000
    # Random search had the same budget.
    for folder in (path, path / "random"):
        assert len(pd.read_csv(folder / "evaluations.csv")) == 6
    config = json.loads((path / "random" / "config.json").read_text())
    assert config["method"] == "mlpnas_random"
    # A fair rival shares weights as the search does.
    assert config["config"]["one_shot"]
    assert not config["config"]["predictor"]


def test_the_exported_model_has_the_accuracy_that_was_printed(finished):
    from nascore.data.config import DataConfig
    from nascore.data.images import load_raw

    path, done = finished
    model = keras.models.load_model(path / "model.keras", safe_mode=True)
    raw = load_raw(DataConfig(image_size=8))
    chosen = np.argmax(model(tf.constant(raw.test.images)), 1)
    accuracy = np.mean(chosen == raw.test.labels)
    final = json.loads((path / "final.json").read_text())
    assert final["finetuned"]["test_accuracy"] == pytest.approx(accuracy)
    assert f"{accuracy:.2%} after 2 more epochs" in done.stdout


def test_one_process_gives_the_results_of_two(finished, tmp_path):
    path, _ = finished
    # Not in this process, where TensorFlow has begun with several threads:
    # a script takes one, and the same sums come in the same order.
    done = start(tmp_path / "run", "--jobs=1", "--compare=none")
    assert done.returncode == 0, done.stderr
    tables = [
        pd.read_csv(folder / "evaluations.csv").drop(columns="seconds")
        for folder in (path, tmp_path / "run")
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_finished_run_is_not_overwritten_and_can_go_on(
    finished, script, tmp_path
):
    path, _ = finished
    before = (path / "evaluations.csv").read_bytes()
    code, _, error = script(search_mlpnas, *TINY, f"--run_dir={path}")
    assert code == 2 and "already holds a run; add --resume" in error
    resume = (f"--run_dir={path}", "--resume")
    code, _, error = script(search_mlpnas, *resume)
    assert code == 2 and "is finished after 2 epochs; give it more" in error
    assert (path / "evaluations.csv").read_bytes() == before
    with RunFolder.open(path):
        code, _, error = script(search_mlpnas, *resume, "--epochs=3")
    assert code == 2 and "is in use by process" in error


def test_a_run_that_drew_other_depths_is_not_continued(
    finished, script, tmp_path
):
    path, _ = finished
    settings = json.loads((path / "config.json").read_text())
    # As runs were before their prior over depths was a setting.
    assert settings["config"].pop("depth_prior") == "uniform"
    del settings["random_streams"]
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps(settings))
    code, _, error = script(search_mlpnas, f"--run_dir={run}", "--resume")
    assert code == 2
    assert "draws other random numbers" in error.splitlines()[-1]


def ends(*folders):
    """What `final.json` says, without times."""
    found = []
    for folder in folders:
        final = json.loads((folder / "final.json").read_text())
        final["finetuned"].pop("seconds")
        for competitor in final["competitors"]:
            competitor.pop("seconds")
        found.append(final)
    return found


def test_a_run_that_lost_its_end_makes_it_again(
    finished, script, tmp_path, monkeypatch
):
    from mlpnas.candidates.trainer import Trainer

    path, _ = finished
    run = tmp_path / "run"
    shutil.copytree(path, run)
    (run / "final.json").unlink()
    resume = (f"--run_dir={run}", "--resume")
    train = Trainer.run

    def signalled(self, seed, stop):
        signal.raise_signal(signal.SIGINT)
        return train(self, seed, stop)

    # Stopped while it fine-tunes: the first epoch is the last.
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", signalled)
        code, _, error = script(search_mlpnas, *resume)
    assert code == 130
    assert "interrupted while fine-tuning; the search is saved" in error
    assert len(pd.read_csv(run / "finetune.csv")) == 1
    assert not (run / "final.json").exists()
    code, out, error = script(search_mlpnas, *resume)
    assert code == 0, error
    # The searches are done; what follows them is the same.
    assert "epoch 1/2" not in out
    mine, theirs = ends(run, path)
    assert mine == theirs


def test_a_former_run_is_drawn_and_not_continued(finished, script, tmp_path):
    path, _ = finished
    run = make_former(path, tmp_path / "run")
    code, _, error = script(plot_mlpnas, run)
    assert code == 0, error
    for name in ("learning_curve", "predictor", "accuracies"):
        drawn = (run / "plots" / f"{name}.png").read_bytes()
        assert drawn == (path / "plots" / f"{name}.png").read_bytes()
    before = contents(run)
    resume = (f"--run_dir={run}", "--resume")
    code, _, error = script(search_mlpnas, *resume)
    assert code == 2 and "is finished after 2 epochs; give it more" in error
    said = (
        "was begun by a version that keeps the state of a search otherwise, "
        "so this one cannot continue it; plots, scores, comparisons and "
        "models of what is there still work"
    )
    code, _, error = script(search_mlpnas, *resume, "--epochs=3")
    assert code == 2 and said in error and error.count("\n") == 1
    assert contents(run) == before
    # Nor one that has not ended, though nothing was measured yet.
    for name in ("final.json", "derived_architectures.json", "candidates.csv"):
        (run / name).unlink()
        before = contents(run)
        code, _, error = script(search_mlpnas, *resume)
        assert code == 2 and said in error and error.count("\n") == 1
        assert contents(run) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset=imagenet"], "--dataset=imagenet"),
        (["--epochs=0"], "--epochs=0 must be"),
        (["--units=8,x"], "--units=8,x must be whole numbers"),
        (["--units=8,8"], "must not repeat a value"),
        (["--activations=swish"], "--activations=swish must be of"),
        (["--max_layers=1"], "--max_layers=1"),
        (["--depth_prior=deep"], "--depth_prior"),
        (["--score=last"], "--score"),
        (["--dropout_rate=1"], "--dropout_rate=1.0"),
        (["--child_lr=nan"], "--child_lr=nan"),
        (["--compare=svm"], "--compare=svm must be none, or of"),
        (["--dataset=table"], "--dataset=table needs --data_file"),
        (
            ["--dataset=table", "--data_file=x.csv"],
            "--dataset=table needs --label_column",
        ),
        (
            ["--dataset=table", "--data_file=/nowhere.csv", "--label_column=y"],
            "--data_file=/nowhere.csv is not an existing file",
        ),
        (["--data_file=x.csv"], "needs --dataset=table"),
        (["--label_column=y"], "need --dataset=table"),
        (["--leaky"], "--leaky is for --dataset=wine_quality only"),
        (["--train_examples=5"], "--train_examples=5 must be from 20"),
        (["--resume"], "--resume needs --run_dir"),
        (["--run_dir=/nowhere/run", "--resume"], "holds no run to resume"),
        (["extra"], "unexpected argument 'extra'"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, words, script, tmp_path):
    if not any("run_dir" in a or a == "--resume" for a in arguments):
        arguments = [*arguments, f"--run_dir={tmp_path / 'run'}"]
    code, _, error = script(search_mlpnas, *arguments)
    assert code == 2, error
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_plots_in_the_formats_that_are_asked_for(finished, script):
    path, _ = finished
    code, out, _ = script(plot_mlpnas, str(path), "--format=svg,pdf")
    assert code == 0
    assert (path / "plots" / "accuracies.svg").is_file()
    assert str(path / "plots" / "learning_curve.pdf") in out
    for arguments, words in (
        ([], "name one run folder"),
        (["/nowhere"], "config.json does not exist"),
        ([str(path), "--format=bmp"], "--format=bmp must be of"),
    ):
        code, _, error = script(plot_mlpnas, *arguments)
        assert code == 2 and words in error and error.count("\n") == 1


def test_tables_plan_a_run_of_each_kind_for_each_seed(tmp_path):
    common = {
        "data_dir": "DATA",
        "train_examples": 4000,
        "files": {"wine": "wine.csv", "speakers": ""},
    }
    names = mlpnas_tables.variants_of([1, 2, 3, 4, 6])
    assert len(names) == 10
    jobs = mlpnas_tables.plan_jobs(names, 3, tmp_path, common)
    assert len(jobs) == 30
    large = jobs["mnist_large", 2]
    words = set(large.command())
    assert {
        "--seed=2",
        "--epochs=15",
        "--architectures=30",
        "--one_shot=true",
        "--predictor=true",
        "--train_examples=4000",
        "--depth_prior=paper",
        "--controller_steps=1",
        "--compare=none",
        "--jobs=1",
        "--method=mlpnas",
    } <= words
    wine = set(jobs["wine", 1].command())
    assert {"--lstm_units=512", "--data_file=wine.csv"} <= wine
    rival = jobs["wine_random_one_shot", 1].command()
    assert "--method=mlpnas_random" in rival and "--one_shot=true" in rival
    # Random search evaluates as many as its rival.
    lengths = {name: jobs[name, 1].config.search for name in names}
    budget = {
        name: length.epochs * length.architectures
        for name, length in lengths.items()
    }
    for name in names:
        assert budget[name] == (450 if "large" in name else 100)
