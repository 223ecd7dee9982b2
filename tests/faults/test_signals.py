"""Signals that reach the scripts as processes."""

import shlex
import signal
import subprocess

import pytest

from tests.faults.equal_runs import differences
from tests.faults.kill_anywhere import ROOT, SCRIPTS, command

ENAS = SCRIPTS["enas"]


def start(words, environment):
    return subprocess.Popen(
        words,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process, text):
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(process.stderr.read())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "code", "moment"),
    [
        (signal.SIGTERM, 0, "ranking"),
        (signal.SIGINT, 130, "epoch 1/4"),
    ],
)
def test_a_signal_saves_and_says_how_to_go_on(
    whole_search, user_environment, tmp_path, signum, code, moment
):
    path = tmp_path / "run with a space"
    process = start(command(ENAS, path), user_environment)
    wait_for(process, moment)
    process.send_signal(signum)
    _, error = process.communicate()
    assert process.returncode == code
    assert error.count("\n") == 1, error
    said = error.split("Continue with: ")[1].strip()
    words = shlex.split(said)
    assert words[:3] == ["python", "-m", "experiments.search_enas"]
    # Word for word what it said, by this Python.
    resumed = start([*command(ENAS, path)[:1], *words[1:]], user_environment)
    _, error = resumed.communicate()
    assert resumed.returncode == 0, error
    assert differences(whole_search, path) == []


def test_a_signal_before_anything_has_begun(user_environment, tmp_path):
    process = start(command(ENAS, tmp_path / "run"), user_environment)
    while not (tmp_path / "run" / ".lock").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, error = process.communicate()
    assert out == ""
    assert "Traceback" not in error
    assert "nothing was begun" in error or error == "terminated\n"
    assert error.count("\n") == 1
    # And nothing is in the way of a run.
    assert not any((tmp_path / "run").glob("[!.]*"))
