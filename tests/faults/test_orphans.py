"""What a killed process leaves running."""

import os
import signal
import subprocess
import sys
import time

from tests.faults.kill_anywhere import ROOT

# A pool's process that follows its parent, and says when it does.
_WORKER = """
import multiprocessing, time
from nascore.interrupts import follow_parent

def work():
    follow_parent()
    print("ready", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    print(process.pid, flush=True)
    process.join()
"""


def is_running(pid):
    """Whether it runs; one that ended and that nobody waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


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
    os.kill(child, signal.SIGINT)
    time.sleep(0.5)
    assert is_running(child)
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not is_running(child):
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("the process has survived its parent")
