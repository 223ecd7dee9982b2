"""The course of many searches by evolution: who lived, and how it ended."""

from typing import NamedTuple

import numpy as np

# Of a search, by the fitness of what it trained in its last fifth.
SUCCESS, UNSTABLE, FAILURE = "success", "unstable", "failure"
OUTCOMES = (SUCCESS, UNSTABLE, FAILURE)
_LAST, _WINDOW = 0.2, 0.05
RULE = (
    "Over the last fifth of the models let m be the mean fitness, without "
    "noise. Success: m is at least half of the way from the mean of the first "
    "population to the best of the table, and no window of a twentieth of the "
    "models is below the mean of the first population. Failure: m is below "
    "that mean. Unstable: all others. The paper's figure 6 has no rule; this "
    "one is ours."
)
# Points of accuracy that a population may be below the best of the table.
CLOSE = 1.0
CLOSE_RULE = (
    f"Converged: the mean of the last population is within {CLOSE:g} point of "
    "the best of the table."
)


class Living(NamedTuple):
    """The population after each model, float64 `[runs, models]`.

    Attributes:
      mean: of the fitness of those that live.
      deviation: likewise.
    """

    mean: np.ndarray
    deviation: np.ndarray


def follow(fitness: np.ndarray, removed: np.ndarray) -> Living:
    """Who lives, from who left.

    Args:
      fitness: of each model, `[runs, models]`.
      removed: number of who left for it; below 0: nobody.
    """
    fitness = np.asarray(fitness, np.float64)
    numbers = np.maximum(removed, 0).astype(int)
    left = np.take_along_axis(fitness, numbers, axis=1)
    leaves = removed >= 0
    count = np.cumsum(np.where(leaves, 0, 1), axis=1)

    def total(power: int) -> np.ndarray:
        gone = np.where(leaves, left**power, 0.0)
        return np.cumsum(fitness**power - gone, axis=1)

    mean = total(1) / count
    variance = np.maximum(total(2) / count - mean**2, 0.0)
    return Living(mean, np.sqrt(variance))


def outcomes(fitness: np.ndarray, population: int, best: float) -> np.ndarray:
    """How each search ended, see `RULE`; texts, `[runs]`.

    Args:
      fitness: of each model, without noise, `[runs, models]`.
      population: how many come first.
      best: of the table.
    """
    models = fitness.shape[1]
    start = fitness[:, :population].mean(axis=1)
    last = fitness[:, models - max(1, round(_LAST * models)) :]
    mean = last.mean(axis=1)
    window = min(max(1, round(_WINDOW * models)), last.shape[1])
    windows = np.lib.stride_tricks.sliding_window_view(last, window, axis=1)
    lowest = windows.mean(axis=2).min(axis=1)
    rose = mean >= start + (best - start) / 2
    good = rose & (lowest >= start)
    return np.where(good, SUCCESS, np.where(mean < start, FAILURE, UNSTABLE))


def converged(living: Living, best: float) -> np.ndarray:
    """Whether each last population is close to the best, see `CLOSE`."""
    return living.mean[:, -1] >= best - CLOSE / 100
