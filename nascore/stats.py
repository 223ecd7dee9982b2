"""Statistics of sequences of measurements."""

import dataclasses
import math

import numpy as np
from scipy import stats


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of each value and the `window - 1` before it.

    The first values are averaged over as many as there are.

    Args:
      values: `[n]`.
      window: at least 1.

    Returns:
      float64 `[n]`.
    """
    sums = np.cumsum(np.asarray(values, np.float64))
    counts = np.minimum(np.arange(1, len(sums) + 1), window)
    sums[window:] = sums[window:] - sums[:-window]
    return sums / counts


def mean_interval(
    values: np.ndarray, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the first axis, with Student's t interval.

    Args:
      values: `[n, ...]`; with n = 1 the interval is not known (NaN).
      confidence: how often such an interval covers the mean.

    Returns:
      Mean, lower and upper end, each `[...]`.
    """
    values = np.asarray(values, np.float64)
    count = len(values)
    mean = values.mean(0)
    if count < 2:
        unknown = np.full_like(mean, np.nan)
        return mean, unknown, unknown
    error = values.std(0, ddof=1) / np.sqrt(count)
    reach = error * stats.t.ppf(0.5 + confidence / 2, count - 1)
    return mean, mean - reach, mean + reach


@dataclasses.dataclass(frozen=True)
class PairedTest:
    """How much larger the first of paired measurements is.

    Attributes:
      count: pairs.
      mean: mean difference.
      low: lower end of its 95% bootstrap interval; NaN below two pairs.
      high: upper end.
      p_value: Wilcoxon's signed-rank test, two-sided, exact where it can be;
        NaN below two pairs or if all differences are zero.
      least_p: the smallest p-value that so many pairs can give.
      effect_size: mean difference over the deviation of the differences
        (Cohen's d for pairs); NaN if that is zero.
    """

    count: int
    mean: float
    low: float
    high: float
    p_value: float
    least_p: float
    effect_size: float


def paired_test(first: np.ndarray, second: np.ndarray) -> PairedTest:
    """Compares paired measurements, such as two methods at equal seeds.

    Args:
      first: `[n]`.
      second: `[n]`.
    """
    differences = np.asarray(first, np.float64) - np.asarray(second)
    count = len(differences)
    least = min(1.0, 2.0 ** (1 - count))
    mean = float(differences.mean())
    low = high = p_value = effect = math.nan
    deviation = float(differences.std(ddof=1)) if count > 1 else 0.0
    if count > 1 and deviation < 1e-12 * max(1.0, abs(mean)):
        low = high = mean
    elif count > 1:
        # The seed is fixed: the same rows give the same report.
        interval = stats.bootstrap(
            (differences,),
            np.mean,
            n_resamples=9999,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
        effect = mean / deviation
    if count > 1 and np.any(differences):
        p_value = float(stats.wilcoxon(differences).pvalue)
    return PairedTest(count, mean, low, high, p_value, least, effect)
