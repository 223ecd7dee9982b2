"""Outputs that are closed, end early, are full, or lack letters."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from tests.faults.kill_anywhere import ROOT

# A script that opens a file, prints, and writes into the file at its end.
PRINT = """
import sys
from experiments import launch
from nascore.errors import InputError

def main(args):
    if args:
        raise InputError(f"{args[0]} is wrong")
    with open("file", "w", encoding="utf-8") as file:
        for number in range(3):
            print("printed", number, flush=True)
            print("warned", number, file=sys.stderr)
        file.write("done")

launch.run(main)
"""
WORDS = [sys.executable, "-c", PRINT]
# No UTF-8 anywhere: not for outputs, not for names of files.
ASCII = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
}


@pytest.fixture(scope="module")
def environment():
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    variables.pop("PYTHONUNBUFFERED", None)
    return variables


def shell(line, words, folder, environment):
    """Runs words where the line has "$@"; the code is that of its first."""
    return subprocess.run(
        ["/bin/bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}", "bash", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "line",
    [
        '"$@" >&-',
        '"$@" 2>&-',
        '"$@" <&- >&- 2>&-',
        '"$@" | head -n 0',
        '"$@" 2>&1 | head -n 1',
    ],
)
def test_nobody_who_listens_ends_nothing(tmp_path, environment, line):
    done = shell(line, WORDS, tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    # What was printed has not gone into a file that was opened later.
    assert (tmp_path / "file").read_text() == "done"


@pytest.mark.parametrize(
    "line",
    ['"$@" >&-', '"$@" 2>&-', '"$@" 2>&1 | head -n 0', '"$@" 2>/dev/full'],
)
def test_refusals_without_a_listener(tmp_path, environment, line):
    done = shell(line, [*WORDS, "this"], tmp_path, environment)
    assert done.returncode == 2
    assert done.stderr in ("", "error: this is wrong\n")


@pytest.mark.parametrize("more", [[], ["--help"]])
def test_a_full_disk_behind_the_output_is_one_line(tmp_path, environment, more):
    done = shell('"$@" >/dev/full', [*WORDS, *more], tmp_path, environment)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    if not more:
        assert done.returncode == 2
        assert done.stderr == (
            "error: standard output: No space left on device\n"
        )


@pytest.mark.parametrize(("value", "said"), [("", ""), ("1", "printed")])
def test_what_is_not_buffered_stays_so(tmp_path, environment, value, said):
    code = (
        "import os; from experiments import launch;"
        "launch.run(lambda args: print('printed', end='') or os._exit(0))"
    )
    words = [sys.executable, "-c", code]
    variables = {**environment, "PYTHONUNBUFFERED": value}
    done = shell('"$@" | cat', words, tmp_path, variables)
    assert (done.returncode, done.stdout) == (0, said)


def test_processes_that_are_started_have_outputs_too(tmp_path, environment):
    code = (
        "import nascore, subprocess, sys;"
        "out = open('file', 'w');"
        "subprocess.run([sys.executable, '-c', 'print(1)'], check=True);"
        "print(2); out.write('3')"
    )
    line = '"$@" >&- 2>&- <&-'
    done = shell(line, [sys.executable, "-c", code], tmp_path, environment)
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == "3"


def test_a_search_without_a_listener_comes_to_its_end(
    tmp_path, user_environment
):
    words = [sys.executable, "-m", "experiments.search"]
    words += ["--method=bench201_random", "--epochs=2", "--epoch_queries=5"]
    words.append(f"--run_dir={tmp_path / 'run'}")
    shell('"$@" 2>&- | head -n 1', words, ROOT, user_environment)
    assert (tmp_path / "run" / "derived_architectures.json").exists()
    assert (tmp_path / "run" / "plots" / "accuracy.png").exists()


BAR = """
from experiments import launch
from nascore.runs.progress import Progress

def main(args):
    progress = Progress(3, 0, "steps")
    for number in range(3):
        progress.advance(1, "works", best="1%")
        progress.line(f"line {number}")
    progress.close()

launch.run(main)
"""


@pytest.mark.parametrize("more", [[], ["--help"]])
def test_a_terminal_of_no_width(tmp_path, environment, more):
    """As of an editor, or of a tool that made it and set nothing."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("4H", 0, 0, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", BAR, *more],
        env={**environment, "TERM": "dumb", "COLUMNS": "0"},
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    said = b""
    while True:
        try:
            said += os.read(parent, 1 << 16)
        except OSError:  # The other end was closed: the process has ended.
            break
    os.close(parent)
    code = process.wait()
    assert b"Traceback" not in said, said
    assert code == 0
    assert (b"flags" if more else b"line 2") in said


@pytest.mark.parametrize(
    "variables",
    [ASCII, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"}],
    ids=lambda variables: " ".join(variables),
)
def test_names_that_the_encoding_lacks(search_run, environment, variables):
    run = search_run.rename(search_run.with_name("köpfe 猫"))
    settings = json.loads((run / "config.json").read_text())
    settings["config"]["dataset"] = "köpfe"
    (run / "config.json").write_text(json.dumps(settings))
    words = [sys.executable, "-m", "experiments.plot_run", str(run)]
    done = subprocess.run(
        words, cwd=ROOT, env={**environment, **variables}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert b"accuracy.png" in done.stdout
    assert (run / "plots" / "accuracy.png").exists()
    if "PYTHONIOENCODING" in variables:
        assert rb"\u732b" in done.stdout
    # Of a refusal, too, and then the name is as it was given.
    words = [*WORDS, "ничего"]
    done = subprocess.run(
        words, cwd=run, env={**environment, **variables}, capture_output=True
    )
    assert done.returncode == 2
    name = "ничего".encode(
        variables.get("PYTHONIOENCODING", "utf-8"), "backslashreplace"
    )
    assert done.stderr == b"error: " + name + b" is wrong\n"
