"""What the parts of a search are to each other.

A method is a space (`nascore.spaces.space`), an evaluator, a strategy and a
reward. A strategy is asked for rows, an evaluator measures them, a reward
makes of the scores what the strategy is told. `n` is the number of rows.
A tensor is one in a graph; outside of one NumPy arrays do.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from nascore.runs.checkpoints import State
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.tables import Row

# Columns of a table, `[rows, ...]` each: tensors, or NumPy arrays. `healthy` is
# among them, and `row` where they are about architectures.
Columns = Mapping[str, Any]


class Proposals(NamedTuple):
    """What a strategy wants to have measured.

    Attributes:
      rows: int32 `[n, length]`, architectures of the space.
      notes: float32 `[n]` each, such as `log_prob`; outside of a graph of
        any kind, and a scalar goes into epochs.csv.
      first: number of the first row's evaluation in the run; the phase that
        asked sets it.
      budgets: int32 `[n]`, training epochs; None takes the evaluator's own.
      parents: int32 `[n]`, number of the evaluation whose weights are
        inherited; -1 means none.
      keep: int32 `[m]`, numbers of those that may become parents; weights
        of others are dropped.
      memo: what a strategy hands from `ask` to `tell`; nobody else looks.
      places: int32 `[n]`, which of the rows that were asked for these are,
        where some were lost; None: all of them.
    """

    rows: Any
    notes: Mapping[str, Any] = {}
    first: Any = 0
    budgets: Any = None
    parents: Any = None
    keep: Any = None
    memo: Any = None
    places: Any = None


class Measured(NamedTuple):
    """What an evaluator found.

    Attributes:
      score: float32 `[n]`, higher is better, raw; NaN if not finite.
      notes: as those of `Proposals`: costs, curves as text.
    """

    score: Any
    notes: Mapping[str, Any] = {}


class Strategy(Protocol):
    """Which rows to try next.

    Attributes:
      in_graph: whether `ask` and `tell` are TensorFlow alone.
      columns: all that `ask` notes and `tell` returns for each row, in the
        order of the CSV file.
      lasting: those of the columns that hold a running value, of which an
        epoch has the last, not the mean.
    """

    in_graph: bool
    columns: tuple[str, ...]
    lasting: tuple[str, ...]

    @property
    def state(self) -> State:
        """Its variables by name."""

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Proposes at most `count` rows; outside a graph fewer, or none.

        A function of state and seed that changes nothing: a resumed run asks
        again and gets the same rows.

        Args:
          count: how many.
          seed: int32 `[2]`.
        """

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: Any
    ) -> Mapping[str, Any]:
        """Learns from what was measured.

        Args:
          proposals: as asked for, but for those that were lost; `memo` is
            whole.
          measured: of them.
          rewards: float32 `[n]`.

        Returns:
          Columns `[n]`, scalars for epochs.csv, and `healthy`, a bool scalar:
          whether the update was finite and made. Of stacked searches it may
          be `[n]`.
        """

    def finalists(self, count: int, seed: tf.Tensor) -> Any:
        """Rows for the final ranking, int32 `[m, length]`.

        None stands for the best that were measured.
        """

    def explain(self, row: Row) -> tuple[str, str]:
        """What is wrong with an update that was not made; what to change.

        Args:
          row: the first of its evaluations.
        """


class Evaluator(Protocol):
    """What an architecture is worth.

    One whose score is no share of 1 also has a method `show`, see
    `nascore.search.summaries.show_score`.

    Attributes:
      in_graph: whether `measure` is TensorFlow alone.
      columns: what it notes for each row, in the order of the CSV file.
      measures: what the score is, and its column.
      texts: those of the columns that hold text.
      loses: whether a score that is not finite is a lost candidate, which
        is not told and whose column `note` says why; otherwise it stops the
        run.
      budgets: epochs that it can train for; empty if it knows no budget.
      where: with what it measures, in brackets, or nothing.
      caveat: what its numbers are not; empty for nothing.
      measured_on: what scores are measured on, for people.
      decimals: of a score in percent that say something.
      ranked_on: what `validate` measures on, likewise.
      fault: what a score that is not finite means, and what to change.
      ranked: what a ranking of measured ones says of each, and from which
        columns; empty where finalists are measured anew.
      lifecycle: to pause in long work; Search sets it.
    """

    in_graph: bool
    columns: tuple[str, ...]
    measures: str
    texts: tuple[str, ...]
    loses: bool
    budgets: tuple[int, ...]
    where: str
    caveat: str
    measured_on: str
    decimals: int
    ranked_on: str
    fault: tuple[str, str]
    ranked: Mapping[str, str]
    lifecycle: Lifecycle | None

    @property
    def about(self) -> str:
        """It, in some words for people."""

    @property
    def state(self) -> State:
        """Its variables by name."""

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """Measures in the search, perhaps on one batch.

        Args:
          proposals: what to measure.
          seed: int32 `[2]`.
        """

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """Measures on whole sets; the first number ranks.

        Args:
          rows: int32 `[m, length]`; several take the batches by turns.
        """


class Reward(Protocol):
    """What becomes of a score before the strategy is told."""

    @property
    def state(self) -> State:
        """Its variables by name."""

    def __call__(self, measured: Measured) -> tf.Tensor:
        """Maps scores to rewards, float32 `[n]`; TensorFlow alone.

        They come in the order of evaluation.
        """


class Phase(Protocol):
    """A stretch of work in an epoch.

    Attributes:
      name: of its table `<name>.csv` and of its place in the bar.
      stretch: most steps that one call takes; 0 is any number, 1 where a
        step may pause.
      weight: rows of a step, at most.
      timed: whether its rows hold their seconds.
    """

    name: str
    stretch: int
    weight: int
    timed: bool

    @property
    def state(self) -> State:
        """Its variables by name, those of its parts included."""

    def steps(self, epoch: int) -> int:
        """How many it has in an epoch; 0: it is not a part of this one."""

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """Makes steps `start` to `stop`; returns the rows of its table."""

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """What it adds to epochs.csv.

        Args:
          epoch: that ends.
          rows: of its table, all of this epoch.
        """

    def line(self, summary: Mapping[str, float]) -> str:
        """What it adds to the epoch's line; empty for nothing."""

    def ended(self, epoch: int) -> str:
        """Why the search ends here, or nothing."""

    def explain(self, row: Row) -> tuple[str, str]:
        """What is wrong with a row that is not healthy; what to change."""
