"""What searches found after each query, and what random search must find."""

from typing import NamedTuple

import numpy as np

from experiments.benchmark.store import NONE


def best_so_far(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The best cell after each query; of equal ones the first stays.

    Args:
      codes: uint16 `[runs, queries]`, cells or `NONE`.
      values: of each cell.

    Returns:
      uint16 `[runs, queries]`.
    """
    asked = codes != NONE
    scores = np.where(asked, values[np.where(asked, codes, 0)], -np.inf)
    highest = np.maximum.accumulate(scores, axis=1)
    better = np.ones(codes.shape, bool)
    better[:, 1:] = scores[:, 1:] > highest[:, :-1]
    places = np.where(better, np.arange(codes.shape[1]), 0)
    places = np.maximum.accumulate(places, axis=1)
    return np.take_along_axis(codes, places, axis=1)


def distinct_so_far(labels: np.ndarray) -> np.ndarray:
    """How many different labels there were after each query.

    Args:
      labels: int `[runs, queries]`; negative ones do not count.

    Returns:
      int64 `[runs, queries]`.
    """
    order = np.argsort(labels, axis=1, kind="stable")
    ordered = np.take_along_axis(labels, order, axis=1)
    first = np.ones(labels.shape, bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    new = np.empty(labels.shape, bool)
    np.put_along_axis(new, order, first, axis=1)
    return np.cumsum(new & (labels >= 0), axis=1)


def recent_means(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the last queries after each query.

    Args:
      values: float64 `[runs, queries]`; NaN where nothing was asked.
      window: most queries of a mean.

    Returns:
      float64 `[runs, queries]`; NaN where a window is empty.
    """
    known = np.isfinite(values)
    sums, counts = (
        np.pad(np.cumsum(each, axis=1), ((0, 0), (1, 0)))
        for each in (np.where(known, values, 0.0), known)
    )
    ends = np.arange(1, values.shape[1] + 1)
    starts = np.maximum(ends - window, 0)
    with np.errstate(invalid="ignore"):
        return (sums[:, ends] - sums[:, starts]) / (
            counts[:, ends] - counts[:, starts]
        )


class Expected(NamedTuple):
    """A number over all runs of random search.

    Attributes:
      mean: of it.
      deviation: standard deviation over runs.
    """

    mean: float
    deviation: float


def chances(values: np.ndarray, draws: int) -> np.ndarray:
    """How likely each cell is the best of uniform draws with replacement.

    Of n sorted cells the k-th is the best of N draws with probability
    (k/n)^N - ((k-1)/n)^N. Equal ones share what they have together, for any
    of them may be met first.

    Args:
      values: that are searched on, `[cells]`.
      draws: N.

    Returns:
      float64 `[cells]`; their sum is 1.
    """
    _, places, counts = np.unique(
        values, return_inverse=True, return_counts=True
    )
    upto = np.cumsum(counts) / len(values)
    below = upto - counts / len(values)
    return ((upto**draws - below**draws) / counts)[places]


def expect(chance: np.ndarray, values: np.ndarray) -> Expected:
    """What random search comes to.

    Args:
      chance: of each cell, as `chances`.
      values: what is told of a cell.
    """
    mean = float(chance @ values)
    variance = float(chance @ (values - mean) ** 2)
    return Expected(mean, variance**0.5)


def expect_distinct(sizes: np.ndarray, draws: int) -> float:
    """How many different ones uniform draws meet on average.

    Args:
      sizes: how many cells each one stands for.
      draws: with replacement.
    """
    share = sizes / sizes.sum()
    return float(np.sum(1 - (1 - share) ** draws))
