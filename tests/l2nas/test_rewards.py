import numpy as np
import pytest

from l2nas.config import L2nasConfig
from l2nas.rewards import make_reward
from nascore.protocols import Measured


@pytest.mark.parametrize(
    ("form", "reference", "accuracies", "expected"),
    [
        # Equation 3, with the numbers that go with it.
        (
            "power",
            0.0,
            [0.0, 0.94, 0.735, 0.467, 1.0],
            [1, 75.86, 29.51, 8.59, 100],
        ),
        # Equation 7: nothing at the reference, less than nothing below.
        ("relative", 0.5, [0.5, 0.0, 0.25, 0.75], [0, -0.99, -0.9, 9]),
        ("relative", 0.0, [0.8, 0.4], [0, -0.9]),
        ("accuracy", 0.0, [0.3, 0.7], [0.3, 0.7]),
    ],
)
def test_rewards_of_accuracies(form, reference, accuracies, expected):
    config = L2nasConfig(reward_form=form, reference_accuracy=reference)
    reward = make_reward(config, 0.8)
    scores = np.array(accuracies, np.float32)
    np.testing.assert_allclose(
        reward(Measured(scores)), expected, rtol=1e-3, atol=1e-6
    )
    reward.restart()
    assert not reward.state
