import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two_devices():
    done = subprocess.run(
        [sys.executable, "-m", "tests.enas.two_devices"],
        cwd=ROOT,
        # OneDNN takes other kernels for half a batch, whose rounding grows
        # from step to step.
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_weights_follow_the_mean_of_the_half_batches_gradients(two_devices):
    assert two_devices["start_difference"] == 0
    assert two_devices["healthy"]
    assert two_devices["losses"] == pytest.approx(
        two_devices["expected_losses"], rel=1e-4
    )
    assert two_devices["norms"] == pytest.approx(
        two_devices["expected_norms"], rel=1e-3
    )
    # Each gradient was clipped, and the weights have moved far.
    assert min(two_devices["norms"]) > 1
    assert two_devices["moved"] > 0.02
    assert two_devices["difference"] < 1e-4


def test_all_devices_hold_the_same_weights_and_momenta(two_devices):
    assert set(two_devices["copies"]) == {2}
    assert two_devices["copies_equal"]


def test_the_step_is_traced_once(two_devices):
    assert two_devices["traces"] == 1


def test_accuracies_are_those_of_the_same_weights_on_one_device(two_devices):
    # Weights differ by rounding, so that an image may fall on the other side.
    assert two_devices["scores"] == pytest.approx(
        two_devices["expected_scores"], abs=1.1 / 32
    )


def test_a_batch_that_cannot_be_shared_is_refused(two_devices):
    assert "--batch_size=33 must be a multiple" in two_devices["refusal"]
