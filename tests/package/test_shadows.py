"""A user's own files that are called like packages of ours."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import batch

ROOT = Path(__file__).parents[2]


def start(*words, folder):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "name", ["flags.py", "enas.py", "nascore.py", "mlpnas/__init__.py"]
)
def test_one_line_names_the_file_in_the_way(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("print('somebody else is here')")
    done = start("-m", "experiments.search", "--help", folder=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {path} stands in the way of the package ")
    # As the line says.
    help_ = start("-P", "-m", "experiments.search", "--help", folder=tmp_path)
    assert help_.stderr == "" and "Searches with any method" in help_.stdout


def test_a_folder_of_experiments_is_in_nobodys_way(tmp_path):
    """Without `__init__.py`, that is; else Python itself says what it is."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "search.py").write_text("1 / 0")
    done = start("-m", "experiments.search", "--help", folder=tmp_path)
    assert done.stderr == "" and "Searches with any method" in done.stdout


def test_processes_of_a_comparison_do_not_look_there(tmp_path, monkeypatch):
    """It was started by a command, say, which does not, either."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flags.py").write_text("1 / 0")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "__init__.py").write_text("1 / 0")

    class Job:
        run_dir = tmp_path / "run"
        log = tmp_path / "run.log"
        finished = False
        clock = staticmethod(contextlib.nullcontext)

        def command(self):
            return ["experiments.search", "--method=none", "--run_dir=run"]

    outcome = batch.run_job(Job(), threads=0, share_gpu=False)
    assert outcome.exit_code == 2
    assert outcome.message.startswith("error: the method 'none' is not known")
