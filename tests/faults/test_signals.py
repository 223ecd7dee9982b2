"""Signals that reach the scripts as processes."""

import shlex
import signal
import subprocess
import time

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
    before = ("tests.faults.signalled", signum.name, moment)
    process = start(command(ENAS, path, *before), user_environment)
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
