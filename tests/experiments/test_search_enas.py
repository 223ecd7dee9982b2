"""The scripts, started as a user starts them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nascore.runs.folder import RunFolder

ROOT = Path(__file__).parent.parent.parent
TINY = (
    "--dataset=digits",
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_nodes=2",
    "--operations=sep_conv_3x3,max_pool_3x3,identity",
    "--num_normal_cells=1",
    "--num_reduction_cells=1",
    "--batch_size=16",
    "--epochs=2",
    "--train_steps=2",
    "--num_aggregate=2",
    "--epoch_samples=3",
    "--derive_samples=3",
)


def script(name, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # As in a terminal of a user who has set nothing.
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, "-m", f"experiments.{name}", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return path, script("search_enas", *TINY, f"--run_dir={path}")


def test_a_tiny_search_prints_and_draws_everything(run):
    path, done = run
    assert done.returncode == 0, done.stderr
    # No warnings, no start-up noise of libraries.
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("memory: about ")
    assert lines[1].startswith("digits: 160 training, 144 validation")
    assert sum(line.startswith("epoch ") for line in lines) == 2
    assert any("in the first epoch" in line for line in lines)
    assert "  output = concat(" in done.stdout
    assert "measured with shared weights" in done.stdout
    ranking = json.loads((path / "derived_architectures.json").read_text())
    best = ranking["architectures"][0]
    assert best["architecture"] in done.stdout
    for name in (
        "accuracy",
        "reward",
        "entropy",
        "child",
        "epochs",
        "operations",
        "best_cell_1",
    ):
        assert (path / "plots" / f"{name}.png").stat().st_size > 5000
    config = json.loads((path / "config.json").read_text())
    assert config["config"]["filters"] == 4
    assert config["starts"][0]["versions"]["tensorflow"]
    assert config["data"]["train"] == 160


def test_a_finished_run_is_never_overwritten(run, forked):
    path, _ = run
    before = (path / "evaluations.csv").read_bytes()
    again = forked("search_enas", *TINY, f"--run_dir={path}")
    assert again.returncode == 2
    assert "already holds a run; add --resume" in again.stderr
    resumed = forked("search_enas", f"--run_dir={path}", "--resume")
    assert resumed.returncode == 2
    assert "is finished after 2 epochs; give it more" in resumed.stderr
    assert (path / "evaluations.csv").read_bytes() == before


def test_resuming_with_other_settings_names_them(run, forked):
    path, _ = run
    other = forked(
        "search_enas",
        f"--run_dir={path}",
        "--resume",
        "--epochs=3",
        "--filters=6",
        "--seed=9",
    )
    assert other.returncode == 2
    assert "filters: 4 -> 6; seed: 1 -> 9" in other.stderr
    assert other.stderr.count("\n") == 1


def test_plot_run_draws_what_is_asked(run, tmp_path, forked):
    path, _ = run
    done = forked("plot_run", str(path), "--format=svg,pdf", "--top=1")
    assert done.returncode == 0, done.stderr
    assert (path / "plots" / "accuracy.svg").is_file()
    assert (path / "plots" / "best_cell_1.pdf").is_file()
    assert not (path / "plots" / "best_cell_2.pdf").exists()


def test_given_architectures_are_scored_as_the_search_scored_them(run, forked):
    path, _ = run
    before = {
        file: file.read_bytes() for file in path.rglob("*") if file.is_file()
    }
    ranking = json.loads((path / "derived_architectures.json").read_text())
    best, *_, last = ranking["architectures"]
    texts = [best["architecture"], last["architecture"]]
    done = forked("score_architecture", str(path), *texts)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for entry in (best, last):
        assert (
            f"shared weights: {entry['validation_accuracy']:.1%} on the "
            f"validation set, {entry['search_test_accuracy']:.1%} on the "
            "search-test set"
        ) in done.stdout
        assert entry["architecture"] in done.stdout
    for file, content in before.items():
        assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 1 two", "word 3 of the architecture must be an integer"),
        ("0 1 0 1", "an architecture has 16 integers"),
        (" ".join("0" * 99), "Received: 99 integers"),
        ("2" + " 0" * 15, "integer 1 of the architecture (index_1 of node 0"),
        ("0 5" + " 0" * 14, "must be from 0 to 2. Received: 5"),
    ],
)
def test_a_bad_architecture_is_one_clear_line(forked, run, text, words):
    done = forked("score_architecture", str(run[0]), text)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_in_use_is_refused(forked, run):
    path, _ = run
    with RunFolder.open(path):
        done = forked("search_enas", f"--run_dir={path}", "--resume")
    assert done.returncode == 2
    assert f"is in use by process {os.getpid()}" in done.stderr


def unwritable(tmp_path):
    """A folder nobody can write to, not even root: a file stands there."""
    (tmp_path / "file").write_text("")
    return f"--run_dir={tmp_path / 'file' / 'run'}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset=imagenet"], "--dataset=imagenet"),
        (["--datset=digits"], "Did you mean: dataset"),
        (["--epochs=many"], "--epochs=many"),
        (["--epochs=-3"], "--epochs=-3 must be a number from 1"),
        (["--child_lr_max=nan"], "--child_lr_max=nan must be"),
        (["--weight_decay=-1"], "--weight_decay=-1"),
        (["--filters=7"], "--filters=7 must be even"),
        (["--operations=identity,warp"], "unknown operation 'warp'"),
        (["--image_size=30"], "multiples of 8: set --image_size=32"),
        (["--batch_size=5000"], "more than the 1149 training images"),
        (["--train_examples=9999"], "must be from 10"),
        (["--validation_fraction=0.6"], "more than the 430 training"),
        (["--dataset=folder"], "--dataset=folder needs --data_dir"),
        (
            ["--dataset=folder", "--data_dir=/nowhere"],
            "--data_dir=/nowhere is not an existing folder",
        ),
        (["--resume"], "--resume needs --run_dir"),
        (["--run_dir=/nowhere/run", "--resume"], "holds no run to resume"),
        (["extra"], "unexpected argument 'extra'"),
        (["--flagfile=/nowhere.flags"], "/nowhere.flags"),
    ],
)
def test_bad_input_is_one_clear_line(forked, arguments, words, tmp_path):
    if not any("run_dir" in a or a == "--resume" for a in arguments):
        arguments = [*arguments, f"--run_dir={tmp_path / 'run'}"]
    done = forked("search_enas", *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_folder_that_cannot_be_made(forked, tmp_path):
    done = forked("search_enas", *TINY, unwritable(tmp_path))
    assert done.returncode == 2
    assert "cannot be made" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name one run folder"),
        (["/nowhere"], "/nowhere is not a folder"),
        ([str(ROOT)], "config.json does not exist"),
        (["a", "b"], "name one run folder"),
        (["/nowhere", "--format=bmp"], "--format=bmp must be of"),
        (["/nowhere", "--window=0"], "--window"),
    ],
)
def test_plot_run_bad_input(forked, arguments, words):
    done = forked("plot_run", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--dataset is missing"),
        (["--dataset=mnist"], "--source is missing"),
        (["--dataset=mnist", "--source=/nowhere"], "/nowhere does not exist"),
        (["--dataset=mnist", "--source=."], "holds no file train-images"),
        (["--dataset=cifar10", "--source=."], "no complete cifar10"),
    ],
)
def test_prepare_data_bad_input(forked, arguments, words, tmp_path):
    done = forked("prepare_data", *arguments, f"--data_dir={tmp_path}")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "preset", sorted((ROOT / "flags" / "presets").glob("*.flags")), ids=str
)
def test_presets_parse_and_open_with_their_command(preset):
    lines = preset.read_text().splitlines()
    command = re.match(
        r"# python -m experiments\."
        r"(search_(?P<alone>enas|ienas|darts|nases)|compare"
        r"|search --method=(?P<method>\w+)) ",
        lines[0],
    )
    method = command["method"] or command["alone"] or "enas"
    code = (
        "from absl import flags; from flags import base, methods; "
        "from nascore.runs.config import RunConfig; "
        f"config = methods.find('{method}').config; "
        "base.define(config); base.define(RunConfig()); "
        f"flags.FLAGS(['x', '--flagfile={preset}']); base.read(config)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
