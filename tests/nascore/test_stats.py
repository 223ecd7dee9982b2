import numpy as np
import pytest

from nascore.stats import moving_average


@pytest.mark.parametrize("window", [1, 2, 7, 100])
def test_moving_average_equals_a_plain_loop(window):
    values = np.random.default_rng(0).random(30)
    expected = [
        np.mean(values[max(0, place - window + 1) : place + 1])
        for place in range(len(values))
    ]
    np.testing.assert_allclose(moving_average(values, window), expected)


def test_nothing_averages_to_nothing():
    assert moving_average(np.array([]), 5).shape == (0,)
