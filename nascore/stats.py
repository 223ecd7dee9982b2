"""Statistics of sequences of measurements."""

import dataclasses
import math

import numpy as np

# What a value or a difference can be.
Limits = tuple[float, float]
UNLIMITED: Limits = (-math.inf, math.inf)
# Up to 14 differences are flipped in every way; of more, so many at random.
_FLIPS = 2**14
# Of values around 1 that are equal.
_ROUNDING = 1e-12


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
    values: np.ndarray, limits: Limits = UNLIMITED, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the first axis, with Student's t interval.

    Args:
      values: `[n, ...]`; where n = 1, or all are alike, the interval is not
        known (NaN): a spread of zero is luck, not certainty.
      limits: the least and the greatest that a mean can be, such as 0 and 1
        for accuracies; the interval is cut there.
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
    deviation = values.std(0, ddof=1)
    # Equal values may differ by their rounding.
    alike = deviation <= _ROUNDING * np.maximum(1.0, np.abs(mean))
    error = np.where(alike, np.nan, deviation) / np.sqrt(count)
    # Slow to import, and limits are asked for by scripts that only look.
    from scipy import stats

    reach = error * stats.t.ppf(0.5 + confidence / 2, count - 1)
    low, high = limits
    return mean, np.maximum(mean - reach, low), np.minimum(mean + reach, high)


@dataclasses.dataclass(frozen=True)
class PairedTest:
    """How much larger the first of paired measurements is.

    Attributes:
      count: pairs.
      mean: mean difference.
      low: lower end of its 95% t interval; NaN where that is not known, see
        `mean_interval`.
      high: upper end.
      p_value: sign-flip permutation test of the mean, two-sided, exact up to
        14 pairs; NaN below two pairs or if all differences are zero.
      least_p: the smallest p-value that so many pairs can give; those whose
        difference is zero do not count, for their sign changes nothing.
      effect_size: mean difference over the deviation of the differences
        (Cohen's d for pairs); NaN where the interval is not known.
    """

    count: int
    mean: float
    low: float
    high: float
    p_value: float
    least_p: float
    effect_size: float


def paired_test(
    first: np.ndarray, second: np.ndarray, limits: Limits = UNLIMITED
) -> PairedTest:
    """Compares paired measurements, such as two methods at equal seeds.

    Args:
      first: `[n]`.
      second: `[n]`.
      limits: the least and the greatest that a difference can be.
    """
    from scipy import stats

    differences = np.asarray(first, np.float64) - np.asarray(second)
    # Rounding makes neither a difference nor, below, an order of flips.
    differences[np.abs(differences) < _ROUNDING] = 0.0
    count = len(differences)
    mean, low, high = map(float, mean_interval(differences, limits))
    p_value = effect = math.nan
    if not math.isnan(low):
        effect = mean / float(differences.std(ddof=1))
    if count > 1 and np.any(differences):
        largest = np.abs(differences).max()
        # The seed is fixed: the same rows give the same report.
        p_value = float(
            stats.permutation_test(
                (differences / largest,),
                lambda flipped, axis: flipped.mean(axis).round(12),
                permutation_type="samples",
                vectorized=True,
                n_resamples=_FLIPS,
                rng=np.random.default_rng(0),
            ).pvalue
        )
    return PairedTest(
        count, mean, low, high, p_value, _least_p(differences), effect
    )


def _least_p(differences: np.ndarray) -> float:
    """What the sign-flip test gives if all differences have one sign."""
    ways = float(2 ** int(np.count_nonzero(differences)))
    if len(differences) > math.log2(_FLIPS):
        ways = min(ways, _FLIPS + 1.0)
    return float(min(1.0, 2.0 / ways))


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values of several comparisons, corrected for their number.

    S. Holm, A simple sequentially rejective multiple test procedure,
    Scandinavian Journal of Statistics 6 (1979): the chance that one or more
    of the values below a level are below it by chance is at most the level.

    Args:
      p_values: `[n]`; a comparison that could not be tested (NaN) counts as
        one of the n.

    Returns:
      `[n]`, at most 1; NaN where it was.
    """
    values = np.asarray(p_values, np.float64)
    known = np.nan_to_num(values, nan=1.0)
    order = np.argsort(known, kind="stable")
    factors = np.arange(len(known), 0, -1)
    stepped = np.maximum.accumulate(factors * known[order])
    corrected = np.empty_like(known)
    corrected[order] = np.minimum(stepped, 1.0)
    return np.where(np.isnan(values), np.nan, corrected)


def fisher_exact(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Two-sided p-value of Fisher's exact test of two success rates.

    Args:
      first: successes, and trials.
      second: likewise.
    """
    from scipy import stats

    table = [[wins, trials - wins] for wins, trials in (first, second)]
    return float(stats.fisher_exact(table).pvalue)
