"""Tables and verdicts of searches by evolution, beside the first of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.evolution.course import (
    OUTCOMES,
    SUCCESS,
    Living,
    converged,
    follow,
    outcomes,
)
from experiments.evolution.searches import Searches
from nascore.stats import fisher_exact, holm, mean_interval, paired_test

# Models after which the tables look.
_LOOKS = (100, 300, 1000)
_LEVEL = 0.05
POPULATION, BEST, TEST, CHILDREN = (
    "population mean",
    "best so far",
    "test of the best",
    "mean model since the look before",
)


class EvolutionCourse(NamedTuple):
    """What is measured of the searches of a method.

    Attributes:
      label: of the method.
      fitness: of each model, without noise, `[runs, models]`.
      living: the population after each, or None.
      outcomes: see `experiments.evolution.course`, texts `[runs]`.
      converged: bool `[runs]`, or None.
      measures: name and look -> `[runs]`.
    """

    label: str
    fitness: np.ndarray
    living: Living | None
    outcomes: np.ndarray
    converged: np.ndarray | None
    measures: Mapping[tuple[str, int], np.ndarray]


def looks(models: int) -> list[int]:
    """Models after which the tables look at searches of so many."""
    return sorted({look for look in _LOOKS if look < models} | {models})


def make_course(
    found: Searches, searched: np.ndarray, test: np.ndarray, population: int
) -> EvolutionCourse:
    """Measures the searches of a method.

    Args:
      found: what they looked up.
      searched: fitness of each cell of the table.
      test: its test accuracy.
      population: models that come first, where the method has none.
    """
    fitness = searched[found.codes]
    living = None
    if found.removed is not None:
        living = follow(fitness, found.removed)
    measures = {}
    before = 0
    for look in looks(fitness.shape[1]):
        best = fitness[:, :look].argmax(axis=1)
        codes = np.take_along_axis(found.codes, best[:, None], axis=1)[:, 0]
        if living is not None:
            measures[POPULATION, look] = living.mean[:, look - 1]
        measures[CHILDREN, look] = fitness[:, before:look].mean(axis=1)
        measures[BEST, look] = searched[codes]
        measures[TEST, look] = test[codes]
        before = look
    first = found.population or population
    best_known = float(searched.max())
    return EvolutionCourse(
        found.label,
        fitness,
        living,
        outcomes(fitness, first, best_known),
        None if living is None else converged(living, best_known),
        measures,
    )


def accuracies(courses: Sequence[EvolutionCourse]) -> pd.DataFrame:
    """Mean and deviation over runs of each measure, in percent."""
    rows = []
    for course in courses:
        for (measure, look), values in course.measures.items():
            percent = 100 * values
            mean, low, high = map(float, mean_interval(percent))
            inside = np.nan
            if measure == POPULATION and course.living is not None:
                spread = course.living.deviation[:, look - 1]
                inside = 100 * float(spread.mean())
            rows.append(
                {
                    "method": course.label,
                    "measure": measure,
                    "models": look,
                    "mean": mean,
                    "deviation": float(percent.std(ddof=1))
                    if len(percent) > 1
                    else np.nan,
                    "low": low,
                    "high": high,
                    "inside": inside,
                }
            )
    return pd.DataFrame(rows)


def differences(courses: Sequence[EvolutionCourse]) -> pd.DataFrame:
    """The first method minus each other, at equal seeds, in points."""
    first, *others = courses
    rows = []
    for other in others:
        for key in first.measures:
            if key not in other.measures:
                continue
            test = paired_test(
                100 * first.measures[key], 100 * other.measures[key]
            )
            rows.append(
                {
                    "method": first.label,
                    "other": other.label,
                    "measure": key[0],
                    "models": key[1],
                    "difference": test.mean,
                    "low": test.low,
                    "high": test.high,
                    "p": test.p_value,
                }
            )
    frame = pd.DataFrame(rows)
    if len(frame):
        frame["holm"] = holm(frame["p"].to_numpy())
    return frame


def successes(courses: Sequence[EvolutionCourse]) -> pd.DataFrame:
    """How searches ended, and Fisher's exact test beside the first."""
    first = courses[0]
    rows = []
    for course in courses:
        runs = len(course.outcomes)
        row: dict[str, object] = {"method": course.label, "runs": runs}
        for name in OUTCOMES:
            row[name] = int(np.sum(course.outcomes == name))
        row["success_p"] = np.nan
        row["converged"] = row["converged_p"] = np.nan
        if course is not first:
            row["success_p"] = _fisher(
                first.outcomes == SUCCESS, course.outcomes == SUCCESS
            )
        if course.converged is not None:
            row["converged"] = int(course.converged.sum())
            if course is not first and first.converged is not None:
                row["converged_p"] = _fisher(first.converged, course.converged)
        rows.append(row)
    return pd.DataFrame(rows)


def _fisher(first: np.ndarray, second: np.ndarray) -> float:
    return fisher_exact(
        (int(first.sum()), len(first)), (int(second.sum()), len(second))
    )


def verdicts(pairs: pd.DataFrame, ends: pd.DataFrame) -> list[str]:
    """What the tables show, in sentences."""
    lines = []
    for row in pairs.itertuples():
        shown = row.holm < _LEVEL and (row.low > 0 or row.high < 0)
        lines.append(
            f"{row.measure} at {row.models:,} models, {row.method} - "
            f"{row.other}: {row.difference:+.2f} points "
            f"({row.low:+.2f} to {row.high:+.2f}), p {row.p:.2g}, Holm "
            f"{row.holm:.2g}: " + ("supported" if shown else "undecided")
        )
    first, *others = ends.to_dict("records")
    for other in others:
        for what, p in (("success", "success_p"), ("converged", "converged_p")):
            if pd.isna(other[p]):
                continue
            lines.append(
                f"{what}: {first['method']} {int(first[what])} of "
                f"{first['runs']}, {other['method']} {int(other[what])} of "
                f"{other['runs']}; Fisher's exact p {other[p]:.2g}"
            )
    return lines
