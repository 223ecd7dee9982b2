"""What a killed process leaves running."""

import os
import signal
import subprocess
import sys

from tests.faults.kill_anywhere import ROOT

# A pool's process that follows its parent, and says when it does.
_WORKER = """
import multiprocessing, time
from nascore.runs.interrupts import follow_parent

def work():
    follow_parent()
    print("ready", flush=True)
    time.sleep(600)
    print("survived", flush=True)

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    print(process.pid, flush=True)
    process.join()
"""


def ignores(pid, signum):
    """Whether a process ignores a signal."""
    with open(f"/proc/{pid}/status") as file:
        (line,) = (line for line in file if line.startswith("SigIgn:"))
    return bool(int(line.split()[1], 16) >> (signum - 1) & 1)


def test_processes_of_a_pool_end_with_a_killed_parent(tmp_path):
    (tmp_path / "pool.py").write_text(_WORKER)
    parent = subprocess.Popen(
        [sys.executable, "pool.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(parent.stdout.readline())
    assert parent.stdout.readline() == "ready\n"
    # Ctrl-C is the parent's affair.
    assert ignores(child, signal.SIGINT)
    parent.kill()
    parent.wait()
    # Ends when the last process that holds the pipe has ended.
    assert parent.stdout.read() == ""
