"""Systems that are not POSIX, as far as Linux can be like one."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nascore import paths

ROOT = Path(__file__).parents[2]
TINY = (
    "--dataset=digits",
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_nodes=1",
    "--operations=sep_conv_3x3,identity",
    "--num_normal_cells=1",
    "--num_reduction_cells=1",
    "--batch_size=40",
    "--epochs=1",
    "--train_steps=1",
    "--num_aggregate=2",
    "--epoch_samples=2",
    "--derive_samples=2",
)


@pytest.mark.slow
def test_a_search_runs_without_what_windows_lacks(tmp_path):
    run = tmp_path / "a run"
    script = Path(__file__).with_name("elsewhere.py")
    start = [sys.executable, "-P", script, "search_enas"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def search(*flags):
        return subprocess.run(
            [*start, *flags, f"--run_dir={run}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    done = search(*TINY)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 200
    with (run / "epochs.csv").open(newline="") as file:
        (epoch,) = csv.DictReader(file)
    assert 0 < float(epoch["accuracy_mean"]) < 1
    assert list((run / "plots").iterdir()) and (run / "checkpoints").is_dir()


def test_words_of_a_command_are_quoted_for_the_shell(monkeypatch):
    folder = r"C:\my runs\a"
    assert paths.quote("/my runs") == "'/my runs'"
    assert paths.quote("runs/a") == "runs/a"
    monkeypatch.setattr(paths, "os", type("Windows", (), {"name": "nt"}))
    assert paths.quote(folder) == rf'"{folder}"'
    assert paths.quote(r"C:\runs\a") == r"C:\runs\a"
