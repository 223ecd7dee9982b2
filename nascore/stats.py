"""Statistics of sequences of measurements."""

import numpy as np


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
