"""The density model of BOHB (Falkner et al., 2018, section 3.2); any space.

As its code has it, on one budget: kernel densities of the good and of the bad
ones, candidates around good ones, and of these the one that good ones are
most and bad ones least like. The places of a row are categories.
"""

from typing import Any

import numpy as np

from nascore.protocols import Proposals
from nascore.spaces.space import Space
from nascore.strategies.config import BohbConfig
from nascore.strategies.host import HostStrategy, stack

_LEAST = 1e-32


class Density:
    """A product of Aitchison and Aitken's kernels, one for each place.

    What statsmodels makes (`KDEMultivariate` with bandwidths by the normal
    reference), for many points at once. As there, a density can be negative
    or infinite: nothing keeps a bandwidth below 1, and a place where one value
    alone was seen divides by zero.

    Args:
      rows: int `[n, length]`.
      least: bandwidth.
      values: int `[length]`, how many each place can have; those that it has
        in the rows if None.
    """

    def __init__(
        self, rows: np.ndarray, least: float, values: np.ndarray | None = None
    ) -> None:
        self.rows = rows
        count, length = rows.shape
        rule = 1.06 * rows.std(axis=0) * count ** (-1.0 / (4 + length))
        self.bandwidths = np.maximum(rule, least)
        if values is None:
            ordered = np.sort(rows, axis=0)
            values = 1 + (np.diff(ordered, axis=0) > 0).sum(axis=0)
        self._same = 1 - self.bandwidths
        with np.errstate(divide="ignore"):
            self._other = self.bandwidths / (values - 1)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """The density at points `[m, length]`, float64 `[m]`."""
        same = points[:, None] == self.rows
        with np.errstate(invalid="ignore"):
            return np.where(same, self._same, self._other).prod(2).mean(1)


class Bohb(HostStrategy):
    """The strategy.

    Args:
      space: to search.
      config: its constants.
    """

    def __init__(self, space: Space, config: BohbConfig) -> None:
        super().__init__(space)
        self.config = config
        self._allowed = space.allowed
        self._values = self._allowed.any(axis=1).sum(axis=1)

    def ask(self, count: int, seed: Any) -> Proposals:
        """Promising candidates; random rows until there is a model."""
        rng = np.random.default_rng(np.asarray(seed))
        model = self._fit()
        rows = []
        for _ in range(int(count)):
            if model is None or rng.random() < self.config.random_fraction:
                rows.append(self.space.sample(rng, 1)[0])
            else:
                rows.append(self._promising(*model, rng))
        return Proposals(stack(rows, self.space))

    def _fit(self) -> tuple[Density, Density] | None:
        """Densities of the good and the bad; None while these are too few."""
        number, least = len(self.history), self.space.length + 1
        percent = self.config.good_percent
        good = max(least, percent * number // 100)
        bad = max(least, (100 - percent) * number // 100)
        # So many must be measured, and as many be bad.
        if number - good < least:
            return None
        order = np.argsort(-np.array(self.history.scores), kind="stable")
        rows = np.array(self.history.rows)
        floor = self.config.min_bandwidth
        values = self._values if self.config.categories == "all" else None
        return (
            Density(rows[order[:good]], floor, values),
            Density(rows[order[good : good + bad]], floor, values),
        )

    def _promising(
        self, good: Density, bad: Density, rng: np.random.Generator
    ) -> np.ndarray:
        """The best of some candidates."""
        count = self.config.density_samples
        centres = good.rows[rng.integers(len(good.rows), size=count)]
        drawn = rng.random(centres.shape) >= 1 - good.bandwidths
        candidates = self._redraw(centres, drawn, rng)
        like_good, like_bad = good(candidates), bad(candidates)
        with np.errstate(invalid="ignore"):
            ratios = np.maximum(like_bad, _LEAST)
            ratios /= np.maximum(like_good, _LEAST)
        # A value that no bad one has is tried at once.
        ratios[np.isinf(like_bad) & np.isfinite(like_good)] = -np.inf
        ratios[np.isnan(ratios)] = np.inf
        return candidates[np.argmin(ratios)]

    def _redraw(
        self, rows: np.ndarray, drawn: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Draws some places anew, and those that became illegal by it."""
        rows = rows.copy()
        before = np.zeros(len(rows), np.int32)
        for place in range(self.space.length):
            legal = self._allowed[place, before]
            kept = (
                ~drawn[:, place] & legal[np.arange(len(rows)), rows[:, place]]
            )
            fresh = np.where(legal, rng.random(legal.shape), -1).argmax(axis=1)
            before = np.where(kept, rows[:, place], fresh)
            rows[:, place] = before
        return rows
