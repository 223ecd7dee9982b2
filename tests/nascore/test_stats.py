import itertools

import numpy as np
import pytest
from scipy import stats

from nascore.stats import holm, mean_interval, moving_average, paired_test


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


@pytest.mark.parametrize("count", [3, 6])
def test_the_interval_covers_the_mean_as_often_as_it_says(count):
    """A percentile bootstrap covers it in 75% (n = 3) and 86% (n = 6)."""
    values = np.random.default_rng(5).normal(0.3, 2, (count, 20_000))
    _, low, high = mean_interval(values)
    covered = np.mean((low <= 0.3) & (0.3 <= high))
    assert covered == pytest.approx(0.95, abs=0.015)


def test_intervals_stay_inside_what_can_be():
    values = np.array([0.99, 1.0, 0.8])
    mean, low, high = mean_interval(values, (0.0, 1.0))
    assert high == 1.0 and low == mean_interval(values)[1] > 0
    assert mean_interval(values)[2] > 1.0
    test = paired_test(np.array([1.0, 0.2]), np.zeros(2), (-1.0, 1.0))
    assert (test.low, test.high) == (-1.0, 1.0)


def test_equal_values_have_no_known_interval():
    # One column of alike values beside one that spreads.
    mean, low, high = mean_interval(np.array([[0.1, 1], [0.1, 2], [0.1, 3]]))
    assert mean[0] == pytest.approx(0.1)
    assert np.isnan(low[0]) and np.isnan(high[0]) and low[1] < 2 < high[1]
    # The same difference each time, but for rounding.
    first = np.array([0.11, 0.52, 0.93, 0.34])
    test = paired_test(first + 0.03, first)
    assert test.mean == pytest.approx(0.03)
    assert np.isnan(test.low) and np.isnan(test.high)
    assert np.isnan(test.effect_size)


def test_paired_interval_is_scipys():
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.6, 0.1, 6), rng.normal(0.5, 0.1, 6)
    test = paired_test(first, second)
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (test.low, test.high) == pytest.approx(tuple(expected))
    differences = first - second
    assert test.mean == pytest.approx(differences.mean())
    assert test.effect_size == pytest.approx(
        differences.mean() / differences.std(ddof=1)
    )


@pytest.mark.parametrize(
    ("differences", "p_value", "least"),
    [
        # Sums of +-1 +-2 +-4 are +-1, +-3, +-5, +-7.
        ([1, 2, 4], 2 / 8, 2 / 8),
        ([1, -2, 4], 6 / 8, 2 / 8),
        ([1, 2, -4], 8 / 8, 2 / 8),
        # A difference of zero has no sign to flip.
        ([0, 1, 2], 2 / 4, 2 / 4),
        ([0, 0, 0, 3], 1, 1),
        ([1, 2, 4, 8, 16, 0], 2 / 32, 2 / 32),
        ([0.01, 0.02, 0.03, 0.05, 0.08], 2 / 32, 2 / 32),
        # Rounded, these add up to 2.8e-17 or so: the least there can be.
        ([0.1, 0.2, -0.3], 1, 2 / 8),
        ([1 / 9, -1 / 9, 1 / 9, 1e-17 - 1 / 9], 1, 2 / 16),
        # 0.1 + 0.2 - 0.3 + 0.4 ties with 0.4 alone.
        ([0.1, 0.2, -0.3, 0.4, 1e-17], 10 / 16, 2 / 16),
    ],
)
def test_sign_flip_p_values_counted_by_hand(differences, p_value, least):
    test = paired_test(np.array(differences), np.zeros(len(differences)))
    assert test.p_value == pytest.approx(p_value)
    assert test.least_p == least
    assert test.count == len(differences)


def test_sign_flips_against_a_plain_loop():
    differences = np.random.default_rng(2).normal(0.5, 1, 9)
    sums = [
        abs(np.dot(signs, differences))
        for signs in itertools.product((1, -1), repeat=9)
    ]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)
    test = paired_test(differences, np.zeros(9))
    assert test.p_value == pytest.approx(expected)


def test_many_pairs_are_flipped_at_random_but_the_same_each_time():
    differences = np.random.default_rng(3).normal(0.4, 1, 30)
    test, again = (paired_test(differences, np.zeros(30)) for _ in range(2))
    assert test == again
    # With thirty pairs the t test says nearly the same.
    expected = stats.ttest_1samp(differences, 0).pvalue
    assert test.p_value == pytest.approx(expected, abs=0.02)
    large = paired_test(np.arange(1.0, 31), np.zeros(30))
    assert large.p_value == pytest.approx(large.least_p)


@pytest.mark.parametrize("count", [1, 4])
def test_equal_measurements_are_no_evidence(count):
    values = np.linspace(0.1, 0.4, count)
    result = paired_test(values, values)
    assert result.mean == 0
    assert np.isnan(result.p_value) and np.isnan(result.effect_size)
    assert np.isnan(result.low) and result.least_p == 1


def test_holm_by_hand():
    # In order: 4 x .005, 3 x .01, 2 x .03, then 1 x .04, but not below .06.
    corrected = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.03])), [0.03])
    np.testing.assert_allclose(holm(np.array([0.4, 0.5, 0.9])), 1)
    # What could not be tested was one of three all the same.
    np.testing.assert_allclose(
        holm(np.array([0.01, np.nan, 0.02])), [0.03, np.nan, 0.04]
    )
    assert holm(np.array([])).shape == (0,)


def test_holm_is_the_closed_bonferroni_test():
    """The largest |S| min p over all sets S that hold the comparison."""
    p_values = np.random.default_rng(4).random(5) / 5
    sets = [
        chosen
        for size in range(1, 6)
        for chosen in itertools.combinations(range(5), size)
    ]
    expected = [
        min(1, max(len(s) * min(p_values[list(s)]) for s in sets if k in s))
        for k in range(5)
    ]
    np.testing.assert_allclose(holm(p_values), expected)
