"""Disks that are full or cannot be written, tried with small real ones."""

import shlex
import subprocess
import sys

import pytest

from tests.faults.equal_runs import differences
from tests.faults.full_disk import NAMESPACE, can_mount, fill
from tests.faults.kill_anywhere import ROOT

needs_mount = pytest.mark.skipif(
    not can_mount(), reason="this machine does not let us mount a small disk"
)


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
