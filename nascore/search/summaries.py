"""What the rows of an epoch come to, for epochs.csv."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.protocols import Evaluator, Strategy
from nascore.runs.tables import Row

# Time that a row took.
_SECONDS = "seconds"


class Scalars(tf.train.experimental.PythonState):
    """Numbers of the epoch under way, as a part of a checkpoint.

    Attributes:
      values: by name.
    """

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def serialize(self) -> bytes:
        """The numbers in JSON."""
        return json.dumps(self.values).encode()

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        self.values = json.loads(string_value)


def column(rows: Sequence[Row], name: str) -> np.ndarray:
    """Numbers of one column."""
    return np.array([float(row[name]) for row in rows])


def finite_mean(values: np.ndarray) -> float:
    """Mean of those that are finite; NaN if none is."""
    values = values[np.isfinite(values)]
    return float(np.mean(values)) if len(values) else math.nan


def show_score(
    evaluator: Evaluator, score: float, spread: float | None = None
) -> str:
    """A score for people: in percent, or as its evaluator has it.

    Args:
      evaluator: what measured it.
      score: of one architecture, or a mean.
      spread: deviation of what it is the mean of.
    """
    own = getattr(evaluator, "show", None)
    if own is not None:
        return own(score, spread)
    digits = evaluator.decimals
    text = f"{score:.{digits}%}"
    return text if spread is None else f"{text} +- {spread:.{digits}%}"


def summarize_scores(rows: Sequence[Row], measures: str) -> dict[str, float]:
    """Mean, deviation and greatest of the scores that were not lost."""
    scores = column(rows, measures)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        scores = np.array([math.nan])
    return {
        f"{measures}_mean": float(np.mean(scores)),
        f"{measures}_std": float(np.std(scores)),
        f"{measures}_max": float(np.max(scores)),
    }


def summarize_notes(
    rows: Sequence[Row], evaluator: Evaluator, strategy: Strategy
) -> dict[str, float]:
    """Means of all columns of numbers but the seconds, which add up.

    Of a running value the last is taken.

    Args:
      rows: of the epoch.
      evaluator: whose columns are among them.
      strategy: likewise.
    """
    found: dict[str, float] = {}
    for name in (*evaluator.columns, *strategy.columns):
        left_out = name == _SECONDS or name in evaluator.texts
        if left_out or not all(_is_number(row[name]) for row in rows):
            continue
        values = column(rows, name)
        if name in strategy.lasting:
            known = values[np.isfinite(values)]
            found[name] = float(known[-1]) if len(known) else math.nan
        else:
            found[f"{name}_mean"] = float(np.mean(values))
    return found


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
