"""Scoring after an epoch: what samples and the weights are worth by now."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.protocols import Columns, Evaluator, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.search.summaries import Scalars, column, show_score
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space

SAMPLES = "samples"


class Score(tf.Module):
    """Scores fresh samples after an epoch; see `nascore.protocols.Phase`.

    Samples are measured as rewards are, and the best of them are listed.
    Fresh ones share the whole validation set, and say what the weights are
    worth.

    Args:
      space: of the rows.
      sample: proposes rows, from a count and a seed; compiled.
      evaluator: measures.
      count: samples.
      seed: of the run.

    Attributes:
      seconds: that the whole validation set took last; 0 before.
    """

    name = SAMPLES
    stretch = 1
    timed = False

    def __init__(
        self,
        space: Space,
        sample: Callable[..., Any],
        evaluator: Evaluator,
        count: int,
        seed: int,
    ) -> None:
        super().__init__(name="score")
        self.space = space
        self.evaluator = evaluator
        self.weight = count
        self._sample = sample
        self._seed = seed
        self._measure: Callable[..., Any] = tf.function(
            lambda rows, seed: evaluator.measure(Proposals(rows), seed).score,
            autograph=False,
        )
        self._scalars = Scalars()
        self.seconds = 0.0

    @property
    def state(self) -> State:
        """What it found on the whole validation set."""
        return {"scored": self._scalars}

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return 1

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`."""
        count = tf.constant(self.weight)

        def seed(stream: Stream) -> tf.Tensor:
            return fold(self._seed, stream, epoch)

        rows = self._sample(count, seed(Stream.SAMPLE_ARCHITECTURES))
        scores = self._measure(rows, seed(Stream.SAMPLE_BATCH))
        fresh = self._sample(count, seed(Stream.EVALUATION_ARCHITECTURES))
        # Nothing of an evaluation is written before all of it is done.
        begin = time.monotonic()
        self._scalars.values = dict(self.evaluator.validate(fresh.numpy()))
        self.seconds = time.monotonic() - begin
        scores = scores.numpy()
        return {
            "row": rows.numpy(),
            self.evaluator.measures: scores,
            "healthy": np.isfinite(scores),
        }

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        best = float(np.max(column(rows, self.evaluator.measures)))
        return {"samples_max": best, **self._scalars.values}

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        first = next(iter(self._scalars.values.values()))
        best = summary[f"best_{self.evaluator.measures}"]
        return (
            f"best {show_score(self.evaluator, best)} on a batch, shared "
            f"weights {show_score(self.evaluator, first)} on validation"
        )

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        return self.evaluator.fault
