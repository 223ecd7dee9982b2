"""The phase of every method that asks, measures and tells."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from nascore.protocols import (
    Columns,
    Evaluator,
    Measured,
    Proposals,
    Reward,
    Strategy,
)
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.search import loops
from nascore.search.early_stop import RECENT
from nascore.search.summaries import (
    Scalars,
    column,
    finite_mean,
    show_score,
    summarize_notes,
    summarize_scores,
)
from nascore.spaces.space import Space

EVALUATIONS = "evaluations"


class StepSeeds(NamedTuple):
    """Seeds of one step, int32 `[2]` each.

    Attributes:
      ask: of the strategy.
      measure: of the evaluator.
    """

    ask: tf.Tensor
    measure: tf.Tensor


class Seeds(Protocol):
    """The seeds of a phase as functions of the place in the run."""

    def __call__(
        self, epoch: int | tf.Tensor, step: int | tf.Tensor
    ) -> StepSeeds:
        """Those of a step of an epoch: tensors, or NumPy arrays of numbers."""


class AskTell(tf.Module):
    """Asks, measures, tells; see `nascore.protocols.Phase`.

    Strategy and evaluator that are TensorFlow alone run in one compiled
    loop, without Python between the steps. What an evaluator may lose is
    told in Python: how much is left of a step no graph knows.

    Args:
      space: of the rows.
      strategy: is asked and told.
      evaluator: measures.
      reward: makes rewards of the scores.
      steps: of an epoch.
      batch: rows that are asked for in a step.
      seeds: of each step.
      runs: searches at once, for each of which `batch` rows are asked, see
        `nascore.search.many`.
    """

    name = EVALUATIONS
    timed = True

    def __init__(
        self,
        space: Space,
        strategy: Strategy,
        evaluator: Evaluator,
        reward: Reward,
        steps: int,
        batch: int,
        seeds: Seeds,
        runs: int = 1,
    ) -> None:
        super().__init__(name="ask_tell")
        self.space = space
        self.strategy = strategy
        self.evaluator = evaluator
        self.reward = reward
        self.weight = runs * batch
        self._batch = batch
        self._steps = steps
        self._seeds = seeds
        self.in_graph = (
            strategy.in_graph and evaluator.in_graph and not evaluator.loses
        )
        # What is TensorFlow alone cannot pause, whoever asks it.
        self.stretch = 0 if evaluator.in_graph and not evaluator.loses else 1
        self._evaluated = tf.Variable(0, trainable=False, name="evaluated")
        # Scores of the last rows; NaN where there was none yet.
        self._recent = tf.Variable(
            tf.fill([RECENT], np.nan), trainable=False, name="recent"
        )
        self._scalars = Scalars()
        # Whether the last step had anything to measure.
        self._asked = tf.Variable(True, trainable=False, name="asked")

    @property
    def state(self) -> State:
        """That of strategy, evaluator and reward."""
        parts = {
            "strategy": self.strategy.state,
            "reward": self.reward.state,
        }
        named = {
            f"{part}_{name}": value
            for part, state in parts.items()
            for name, value in state.items()
        }
        return {
            **self.evaluator.state,
            **named,
            "evaluated": self._evaluated,
            "recent": self._recent,
            "asked": self._asked,
            "scalars": self._scalars,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """What a row holds, in the order of the CSV file."""
        return (
            self.evaluator.measures,
            "reward",
            *self.evaluator.columns,
            *self.strategy.columns,
        )

    @property
    def _names(self) -> tuple[str, ...]:
        """All that a step gives for each row."""
        return ("row", *self.columns, "healthy")

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return self._steps

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`; ends after a step that is not healthy."""
        places = (epoch, start, stop, first := int(self._evaluated))
        found = (
            self._run_graph(*map(tf.constant, places))
            if self.in_graph
            else self._run_python(*places)
        )
        columns = {name: np.asarray(value) for name, value in found.items()}
        columns = _until_failure(columns, self.weight)
        self._asked.assign(len(columns["row"]) > 0)
        numbers = first + np.arange(len(columns["row"]))
        columns = {"row": columns.pop("row"), "number": numbers, **columns}
        self._evaluated.assign(first + len(numbers))
        scores = columns[self.evaluator.measures].astype(np.float32)
        recent = np.concatenate([self._recent.numpy(), scores])
        self._recent.assign(recent[-RECENT:])
        return columns

    def _step(self, epoch: Any, step: Any, first: Any) -> dict[str, Any]:
        """One step: columns `[n]`, and scalars for epochs.csv.

        Empty if nothing new is asked for, which no graph can tell.
        """
        seeds = self._seeds(epoch, step)
        proposals = self.strategy.ask(self._batch, seeds.ask)
        if not self.in_graph and not len(proposals.rows):
            return {}
        proposals = proposals._replace(first=first)
        measured = self.evaluator.measure(proposals, seeds.measure)
        told = (
            self._tell_of_found(proposals, measured)
            if self.evaluator.loses
            else self._tell(proposals, measured)
        )
        return {
            "row": proposals.rows,
            self.evaluator.measures: measured.score,
            **proposals.notes,
            **measured.notes,
            **told,
        }

    def _tell(self, proposals: Proposals, measured: Measured) -> dict[str, Any]:
        """Rewards, what the strategy returns, and which rows are healthy."""
        rewards = self.reward(measured)
        told = dict(self.strategy.tell(proposals, measured, rewards))
        made = told.pop("healthy")
        if isinstance(rewards, tf.Tensor):
            is_finite, every = tf.math.is_finite, tf.reduce_all
        else:
            is_finite, every, made = np.isfinite, np.all, bool(made)
        healthy = is_finite(rewards)
        if not self.evaluator.loses:
            healthy &= is_finite(measured.score)
        # If no row explains why an update failed, all are marked.
        healthy &= made | ~every(healthy)
        return {"reward": rewards, **told, "healthy": healthy}

    def _tell_of_found(
        self, proposals: Proposals, measured: Measured
    ) -> dict[str, Any]:
        """As `_tell`, of what was not lost; the columns of others are NaN."""
        found = np.isfinite(np.asarray(measured.score))
        told: dict[str, Any] = {}
        if found.any():
            told = self._tell(*_choose(proposals, measured, found))
        columns = {
            name: np.full(len(found), np.nan, np.float32)
            for name in ("reward", *self.strategy.columns)
            if name not in proposals.notes
        }
        columns["healthy"] = np.ones(len(found), bool)
        for name, values in columns.items():
            if name in told:
                values[found] = told.pop(name)
        return {**told, **columns}

    @tf.function(autograph=False)
    def _run_graph(
        self, epoch: tf.Tensor, *places: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        shapes = {"row": [self.weight, self.space.length]}
        return loops.run_in_graph(
            lambda step, first: self._step(epoch, step, first),
            {name: shapes.get(name, [self.weight]) for name in self._names},
            *places,
        )

    def _run_python(self, epoch: int, *places: int) -> dict[str, np.ndarray]:
        steps = loops.run_in_python(
            lambda step, first: self._step(epoch, step, first), *places
        )
        if not steps:
            return {
                "row": np.zeros([0, self.space.length], np.int32),
                self.evaluator.measures: np.zeros([0]),
                "healthy": np.zeros([0], bool),
            }
        self._scalars.values = {
            name: float(value)
            for name, value in steps[-1].items()
            if np.ndim(value) == 0
        }
        return {
            name: np.concatenate([np.asarray(step[name]) for step in steps])
            for name in self._names
        }

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        recent = self._recent.numpy().astype(np.float64)
        found = {
            **summarize_scores(rows, self.evaluator.measures),
            "recent_mean": finite_mean(recent),
            "reward_mean": finite_mean(column(rows, "reward")),
            **summarize_notes(rows, self.evaluator, self.strategy),
        }
        texts = {
            tuple(str(row[name]) for name in self.space.column_names)
            for row in rows
        }
        found["unique_architectures"] = len(texts)
        return {**found, **self._scalars.values}

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        mean, std = (
            summary[f"{self.evaluator.measures}_{name}"]
            for name in ("mean", "std")
        )
        return f"sampled architectures {show_score(self.evaluator, mean, std)}"

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        if bool(self._asked):
            return ""
        return (
            f"no new architecture was found; {int(self._evaluated)} of "
            f"{self.space.size():.3g} are measured"
        )

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        measures = self.evaluator.measures
        score, reward = row[measures], row["reward"]
        if not math.isfinite(score):
            return self.evaluator.fault
        if not math.isfinite(reward):
            return (
                f"the reward is {reward:g} at {measures} {score:g}",
                "Mend the reward, or take a tamer one, in a new run",
            )
        return self.strategy.explain(row)


def _until_failure(
    columns: Mapping[str, np.ndarray], batch: int
) -> dict[str, np.ndarray]:
    """Drops what comes after the step that failed: it was not measured."""
    sick = np.flatnonzero(~columns["healthy"])
    if not len(sick):
        return dict(columns)
    last = (int(sick[0]) // batch + 1) * batch
    return {name: values[:last] for name, values in columns.items()}


def _choose(
    proposals: Proposals, measured: Measured, found: np.ndarray
) -> tuple[Proposals, Measured]:
    """Both without what was lost."""

    def cut(values: Any) -> Any:
        return values if np.ndim(values) == 0 else np.asarray(values)[found]

    def cut_each(notes: Mapping[str, Any]) -> dict[str, Any]:
        return {name: cut(values) for name, values in notes.items()}

    return proposals._replace(
        rows=cut(proposals.rows),
        notes=cut_each(proposals.notes),
        budgets=cut(proposals.budgets),
        parents=cut(proposals.parents),
        places=np.flatnonzero(found).astype(np.int32),
    ), Measured(cut(measured.score), cut_each(measured.notes))
