"""Runs that are told to end, killed, or out of disk; all go on.

Together, for they share a search that nobody disturbed.
"""

import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.faults.equal_runs import differences
from tests.faults.full_disk import NAMESPACE, can_mount, fill
from tests.faults.kill_anywhere import ROOT, SCRIPTS, check, command

ENAS = SCRIPTS["enas"]
needs_mount = pytest.mark.skipif(
    not can_mount(), reason="this machine does not let us mount a small disk"
)


def start(words, environment):
    return subprocess.Popen(
        words,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def whole_search(tmp_path_factory, forked):
    """The folder of an ENAS search that nobody disturbed."""
    path = tmp_path_factory.mktemp("faults") / "whole"
    done = forked("search_enas", *ENAS.flags, f"--run_dir={path}")
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "code", "moment"),
    [
        (signal.SIGTERM, 0, "ranking"),
        (signal.SIGINT, 130, "epoch 1/4"),
    ],
)
def test_a_signal_saves_and_says_how_to_go_on(
    whole_search, user_environment, tmp_path, forked, signum, code, moment
):
    path = tmp_path / "run with a space"
    before = ("tests.faults.signalled", signum.name, moment)
    process = start(command(ENAS, path, *before), user_environment)
    _, error = process.communicate()
    assert process.returncode == code
    assert error.count("\n") == 1, error
    said = error.split("Continue with: ")[1].strip()
    words = shlex.split(said)
    assert words[:3] == ["python", "-m", "experiments.search_enas"]
    resumed = forked("search_enas", *words[3:])
    assert resumed.returncode == 0, resumed.stderr
    assert differences(whole_search, path) == []


def test_a_signal_before_anything_has_begun(user_environment, tmp_path):
    process = start(command(ENAS, tmp_path / "run"), user_environment)
    while not (tmp_path / "run" / ".lock").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate()
    if (tmp_path / "run" / "config.json").exists():
        pytest.skip("the signal came after the run had begun")
    assert out == ""
    assert "Traceback" not in error
    assert "nothing was begun" in error or error == "terminated\n"
    assert error.count("\n") == 1
    # And nothing is in the way of a run.
    assert not any((tmp_path / "run").glob("[!.]*"))


@pytest.mark.slow
def test_a_search_killed_at_random_ends_as_if_undisturbed(
    whole_search, tmp_path
):
    """A short part of what `kill_anywhere.py` does at length."""
    (tmp_path / "enas-whole").symlink_to(whole_search)
    rows = check("enas", 3, tmp_path, seed=11)
    assert sum(row["exit_code"] == -9 for row in rows) == 3
    assert rows[-1]["exit_code"] == 0
    assert [row["differences"] for row in rows if "differences" in row] == [""]


@needs_mount
@pytest.mark.slow
def test_a_full_disk_stops_a_run_that_then_goes_on(
    whole_search, user_environment, tmp_path
):
    filled = fill("enas", "60k", tmp_path, user_environment)
    assert filled.code == 1
    assert filled.error.count("\n") == 1, filled.error
    assert "No space left on device" in filled.error
    assert "Continue with: python -m experiments.search_enas" in filled.error
    assert filled.resumed == 0
    assert differences(whole_search, filled.copy) == []


@needs_mount
def test_a_disk_that_cannot_be_written_is_one_line(user_environment, tmp_path):
    words = [sys.executable, "-m", "experiments.search_enas"]
    words.append(f"--run_dir={tmp_path / 'run'}")
    shell = f"mount -t tmpfs -o ro tmpfs {tmp_path}; exec {shlex.join(words)}"
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", shell],
        cwd=ROOT,
        env=user_environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be made: Read-only file system" in done.stderr
