import numpy as np
import pytest

from nascore.stats import mean_interval, moving_average, paired_test


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


def test_the_mean_interval_is_students():
    # Example 1 of the t interval: n = 4, t(0.975, 3) = 3.182446.
    values = np.array([2.0, 4.0, 4.0, 6.0])
    mean, low, high = mean_interval(values)
    reach = 3.182446 * np.sqrt(8 / 3) / 2
    assert mean == pytest.approx(4)
    assert low == pytest.approx(4 - reach, rel=1e-6)
    assert high == pytest.approx(4 + reach, rel=1e-6)
    two = mean_interval(np.stack([values, 2 * values], axis=1))
    assert two[1][1] == pytest.approx(2 * low)


def test_one_value_has_no_interval():
    mean, low, high = mean_interval(np.array([0.5]))
    assert mean == 0.5 and np.isnan(low) and np.isnan(high)


def test_paired_test_against_counting_by_hand():
    first = np.array([0.51, 0.64, 0.73, 0.85, 0.92, 0.99])
    second = np.array([0.50, 0.60, 0.70, 0.80, 0.90, 1.00])
    result = paired_test(first, second)
    differences = first - second
    # Signed ranks by hand: the single negative difference ties with the
    # smallest positive one, so the smaller rank sum is 1.5; the exact test
    # without the tie would give 2/64 * 2 = 0.0625 at a rank sum of 1.
    assert 0.03 < result.p_value < 0.1
    assert result.least_p == 2 / 64
    assert result.count == 6
    assert result.mean == pytest.approx(differences.mean())
    assert result.effect_size == pytest.approx(
        differences.mean() / differences.std(ddof=1)
    )
    assert result.low < result.mean < result.high
    again = paired_test(first, second)
    assert (result.low, result.high) == (again.low, again.high)


def test_all_positive_differences_reach_the_least_p():
    gains = np.array([0.01, 0.02, 0.03, 0.05, 0.08])
    result = paired_test(0.5 + gains, np.full(5, 0.5))
    assert result.p_value == pytest.approx(0.0625) == result.least_p
    assert result.low > 0


def test_bootstrap_interval_against_a_plain_one():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.3, 1, 40), rng.normal(0, 1, 40)
    result = paired_test(first, second)
    differences = first - second
    means = rng.choice(differences, (20_000, 40)).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    assert result.low == pytest.approx(low, abs=0.03)
    assert result.high == pytest.approx(high, abs=0.03)


@pytest.mark.parametrize("count", [1, 4])
def test_equal_measurements_are_no_evidence(count):
    values = np.linspace(0.1, 0.4, count)
    result = paired_test(values, values)
    assert result.mean == 0
    assert np.isnan(result.p_value) and np.isnan(result.effect_size)
