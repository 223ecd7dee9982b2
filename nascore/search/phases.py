"""The phases of every method: ask and tell, and scoring after an epoch."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from nascore.protocols import (
    Columns,
    Evaluator,
    Proposals,
    Reward,
    Strategy,
)
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.search.early_stop import RECENT
from nascore.seeds import Stream, fold
from nascore.spaces.space import Space

EVALUATIONS = "evaluations"
SAMPLES = "samples"


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
        """Those of a step of an epoch."""


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


class AskTell(tf.Module):
    """Asks, measures, tells; see `nascore.protocols.Phase`.

    Strategy and evaluator that are TensorFlow alone run in one compiled
    loop, without Python between the steps.

    Args:
      space: of the rows.
      strategy: is asked and told.
      evaluator: measures.
      reward: makes rewards of the scores.
      steps: of an epoch.
      batch: rows that are asked for in a step.
      seeds: of each step.
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
    ) -> None:
        super().__init__(name="ask_tell")
        self.space = space
        self.strategy = strategy
        self.evaluator = evaluator
        self.reward = reward
        self.weight = batch
        self._steps = steps
        self._seeds = seeds
        self.in_graph = strategy.in_graph and evaluator.in_graph
        self.stretch = 0 if self.in_graph else 1
        self._evaluated = tf.Variable(0, trainable=False, name="evaluated")
        # Scores of the last rows; NaN where there was none yet.
        self._recent = tf.Variable(
            tf.fill([RECENT], np.nan), trainable=False, name="recent"
        )
        self._scalars = Scalars()
        # Whether the last step had anything to measure.
        self._asked = True

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
            "scalars": self._scalars,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Numbers of a row, in the order of the CSV file."""
        return (
            self.evaluator.measures,
            "reward",
            *self.evaluator.columns,
            *self.strategy.columns,
        )

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return self._steps

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`; ends after a step that is not healthy."""
        first = int(self._evaluated)
        run = self._run_graph if self.in_graph else self._run_steps
        columns = {
            name: np.asarray(value)
            for name, value in run(
                *map(tf.constant, (epoch, start, stop, first))
            ).items()
        }
        columns = _until_failure(columns, self.weight)
        self._asked = len(columns["row"]) > 0
        numbers = first + np.arange(len(columns["row"]))
        columns = {"row": columns.pop("row"), "number": numbers, **columns}
        self._evaluated.assign(first + len(numbers))
        scores = columns[self.evaluator.measures].astype(np.float32)
        recent = np.concatenate([self._recent.numpy(), scores])
        self._recent.assign(recent[-RECENT:])
        return columns

    def _step(
        self, epoch: tf.Tensor, step: tf.Tensor, first: tf.Tensor
    ) -> dict[str, Any]:
        """One step: columns `[n]`, and scalars for epochs.csv."""
        seeds = self._seeds(epoch, step)
        proposals = self.strategy.ask(self.weight, seeds.ask)
        if not self.in_graph and not len(proposals.rows):
            return {"row": proposals.rows}
        proposals = proposals._replace(first=first)
        measured = self.evaluator.measure(proposals, seeds.measure)
        rewards = self.reward(measured)
        told = dict(self.strategy.tell(proposals, measured, rewards))
        made = told.pop("healthy")
        healthy = tf.math.is_finite(rewards)
        if not self.evaluator.loses:
            healthy &= tf.math.is_finite(measured.score)
        # If no row explains why an update failed, all are marked.
        healthy &= made | tf.logical_not(tf.reduce_all(healthy))
        return {
            "row": proposals.rows,
            self.evaluator.measures: measured.score,
            "reward": rewards,
            **proposals.notes,
            **measured.notes,
            **told,
            "healthy": healthy,
        }

    def _run_steps(
        self,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        first: tf.Tensor,
    ) -> Columns:
        steps: list[dict[str, Any]] = []
        for step in tf.range(start, stop):
            values = self._step(epoch, step, first)
            if not len(values["row"]):
                break
            first += len(values["row"])
            self._scalars.values = {
                name: float(values.pop(name))
                for name in list(values)
                if np.ndim(values[name]) == 0
            }
            steps.append(values)
            if not np.all(values["healthy"]):
                break
        if not steps:
            return {
                "row": np.zeros([0, self.space.length], np.int32),
                self.evaluator.measures: np.zeros([0]),
                "healthy": np.zeros([0], bool),
            }
        return {
            name: np.concatenate([np.asarray(step[name]) for step in steps])
            for name in steps[0]
        }

    @tf.function(autograph=False)
    def _run_graph(
        self,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
        first: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """All steps in one loop, without Python between them.

        It stops early after a step that is not healthy; the rows after it
        stay zero.
        """
        names = ("row", *self.columns, "healthy")
        types = {"row": tf.int32, "healthy": tf.bool}

        def body(
            step: tf.Tensor, healthy: tf.Tensor, *arrays: tf.TensorArray
        ) -> tuple[tf.Tensor, ...]:
            place = first + (step - start) * self.weight
            values = self._step(epoch, step, place)
            written = (
                array.write(step - start, values[name])
                for name, array in zip(names, arrays, strict=True)
            )
            return (step + 1, tf.reduce_all(values["healthy"]), *written)

        shapes = {"row": [self.weight, self.space.length]}
        arrays = [
            tf.TensorArray(
                types.get(name, tf.float32),
                stop - start,
                element_shape=shapes.get(name, [self.weight]),
            )
            for name in names
        ]
        _, _, *arrays = tf.while_loop(
            lambda step, healthy, *_: tf.logical_and(step < stop, healthy),
            body,
            (start, tf.constant(True), *arrays),
        )
        return {
            name: tf.reshape(array.stack(), [-1, *shapes.get(name, [1])[1:]])
            for name, array in zip(names, arrays, strict=True)
        }

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        measures = self.evaluator.measures
        scores = _column(rows, measures)
        found = {
            f"{measures}_mean": float(np.mean(scores)),
            f"{measures}_std": float(np.std(scores)),
            f"{measures}_max": float(np.max(scores)),
            "recent_mean": float(
                np.nanmean(self._recent.numpy().astype(np.float64))
            ),
            "reward_mean": float(np.mean(_column(rows, "reward"))),
        }
        for name in (*self.evaluator.columns, *self.strategy.columns):
            if name in self.strategy.lasting:
                found[name] = float(rows[-1][name])
            elif _is_number(rows[0][name]):
                found[f"{name}_mean"] = float(np.mean(_column(rows, name)))
        texts = {
            tuple(str(row[name]) for name in self.space.column_names)
            for row in rows
        }
        found["unique_architectures"] = len(texts)
        return {**found, **self._scalars.values}

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        measures = self.evaluator.measures
        return (
            f"sampled architectures {summary[f'{measures}_mean']:.1%} +- "
            f"{summary[f'{measures}_std']:.1%}"
        )

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        if self._asked:
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
        self._scalars.values = dict(self.evaluator.validate(fresh.numpy()))
        scores = scores.numpy()
        return {
            "row": rows.numpy(),
            self.evaluator.measures: scores,
            "healthy": np.isfinite(scores),
        }

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        best = float(np.max(_column(rows, self.evaluator.measures)))
        return {"samples_max": best, **self._scalars.values}

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        first = next(iter(self._scalars.values.values()))
        best = summary[f"best_{self.evaluator.measures}"]
        return (
            f"best {best:.1%} on a batch, shared weights {first:.1%} on "
            "validation"
        )

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        return self.evaluator.fault


def _column(rows: Sequence[Row], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _until_failure(
    columns: Mapping[str, np.ndarray], batch: int
) -> dict[str, np.ndarray]:
    """Drops what comes after the step that failed: it was not measured."""
    sick = np.flatnonzero(~columns["healthy"])
    if not len(sick):
        return dict(columns)
    last = (int(sick[0]) // batch + 1) * batch
    return {name: values[:last] for name, values in columns.items()}
