"""Two hundred epochs hold no more memory than fifty.

What grows with a run must be on disk. The first epochs compile, fill caches
and widen the heap; after them the growth is held against `BOUND`. Measured on
two cores: 3 to 10 MiB for the search, 1.4 MiB for final training. Single
samples go up and down by 12 MiB: over 500 epochs of the search they lie
between 895 and 909 from the 50th on. A leak of 0.11 MiB in each epoch is
noticed.
"""

import subprocess
import sys

import pytest

from tests.faults.kill_anywhere import ROOT

# MiB.
BOUND = 16.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["search", "final_training", "mlpnas"])
def test_memory_does_not_grow(kind, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.growth", kind, tmp_path / "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < BOUND
