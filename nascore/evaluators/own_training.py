"""The training of one architecture with weights of its own.

Weights that are new learn faster than those that were taken over. As momentum
is linear and begins at 0, a gradient that is multiplied is a rate that is.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import Split
from nascore.evaluators.config import InheritanceConfig
from nascore.evaluators.discrete_training import DiscreteTraining
from nascore.evaluators.inheritance import (
    PLAIN,
    Individual,
    Individuals,
    parts_of,
    rows_in_use,
    rows_inherited,
)
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights, update, with_decay
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import next_stretch


class OwnTraining(TrainWeights):
    """Trains weights of which each row has a rate of its own.

    Args:
      shared: a network of `OwnCell`s, to hold one architecture at a time.
      images: see `TrainWeights`; likewise below.
      augmentation: likewise.
      seed: likewise.
    """

    def __init__(
        self,
        shared: SharedWeights,
        images: Split,
        augmentation: DataConfig,
        seed: int,
    ) -> None:
        super().__init__(shared, _no_sample, images, augmentation, seed)
        self.parts = parts_of(shared.supernet)
        self._start = [weight.numpy() for weight in shared.weights]
        # What gradients are multiplied with, row by row.
        self._factors = [
            tf.Variable(tf.ones(self._row_shape(n)), trainable=False)
            for n in range(len(shared.weights))
        ]

    @property
    def image_count(self) -> int:
        """Training images."""
        return self.images.size

    def _row_shape(self, number: int) -> list[int]:
        weight = self._start[number]
        if self.parts[number].kind == PLAIN:
            return [1] * weight.ndim
        return [len(weight)] + [1] * (weight.ndim - 1)

    def begin(
        self,
        cells: np.ndarray,
        parent: Individual | None,
        moved: bool,
        factor: float,
    ) -> float:
        """Takes weights over from a parent; all others, and momenta, afresh.

        Those that begin afresh do so at the same values in each architecture.

        Args:
          cells: of the architecture, int32 `[cell types, nodes, 4]`.
          parent: whose weights are taken over; None: nobody's.
          moved: see `rows_inherited`.
          factor: times which new weights learn faster.

        Returns:
          The share of its weights that were taken over.
        """
        taken = total = 0
        for number, part in enumerate(self.parts):
            start = self._start[number]
            needed = rows_in_use(part, cells)
            inherited = np.zeros_like(needed)
            if parent is not None:
                inherited = rows_inherited(part, cells, parent.cells, moved)
            if inherited.any() and parent is not None:
                stored = parent.weights[number]
                if part.kind == PLAIN:
                    start = stored
                else:
                    start = start.copy()
                    own = rows_in_use(part, parent.cells)
                    start[inherited] = stored[inherited[own]]
            self.shared.weights[number].assign(start)
            self.momenta[number].assign(np.zeros_like(start))
            size = start.size // len(needed)
            taken += size * int(inherited.sum())
            total += size * int(needed.sum())
        self.set_factors(cells, parent, moved, factor)
        return taken / total

    def set_factors(
        self,
        cells: np.ndarray,
        parent: Individual | None,
        moved: bool,
        factor: float,
    ) -> None:
        """Sets how much faster each row learns; arguments as in `begin`."""
        for number, part in enumerate(self.parts):
            if parent is None:
                inherited = np.zeros_like(rows_in_use(part, cells))
            else:
                inherited = rows_inherited(part, cells, parent.cells, moved)
            values = np.where(inherited, 1.0, factor).astype(np.float32)
            shape = self._row_shape(number)
            self._factors[number].assign(values.reshape(shape))

    def take(self, cells: np.ndarray) -> Individual:
        """The weights as they are, of an architecture."""
        found = []
        for part, weight in zip(self.parts, self.shared.weights, strict=True):
            values = weight.numpy()
            if part.kind != PLAIN:
                values = values[rows_in_use(part, cells)]
            found.append(values)
        return Individual(np.array(cells, np.int32), found)

    def _descend(
        self,
        gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
        learning_rate: tf.Tensor,
    ) -> None:
        for weight, momentum, gradient, factor in zip(
            self.shared.weights,
            self.momenta,
            gradients,
            self._factors,
            strict=True,
        ):
            config = self.config
            decayed = factor * with_decay(weight, gradient, config)
            update(weight, momentum, decayed, learning_rate, config)


class UnderWay(tf.train.experimental.PythonState):
    """The child that is being trained, and those of its step before it.

    Attributes:
      number: of its evaluation; -1: none.
      done: steps of it.
      losses: of these steps; accuracies, likewise.
      inherited: share of its weights that were taken over.
      sick_at: the step that was not healthy; -1: none.
      seconds: that it took so far.
      finished: what is noted of each before it, by number.
    """

    _NAMES = (
        "number",
        "done",
        "losses",
        "accuracies",
        "inherited",
        "sick_at",
        "seconds",
        "finished",
    )

    def __init__(self) -> None:
        self.finished: dict[int, dict[str, Any]] = {}
        self.begin(-1)

    def begin(self, number: int) -> None:
        """Comes to a child."""
        self.number = number
        self.done = 0
        self.losses: list[float] = []
        self.accuracies: list[float] = []
        self.inherited = 0.0
        self.sick_at = -1
        self.seconds = 0.0

    def serialize(self) -> bytes:
        """All of it in JSON."""
        values = {name: getattr(self, name) for name in self._NAMES}
        return json.dumps(values).encode()

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        for name, value in json.loads(string_value).items():
            setattr(self, name, value)
        self.finished = {int(n): row for n, row in self.finished.items()}


class ChildTrainer:
    """Trains one architecture after the other; all that a process needs.

    Args:
      training: of a network of `OwnCell`s, or of one network after the
        other.
      config: what is inherited, and how long is trained.
      restarts: see `StandaloneWeights`.

    Attributes:
      living: the weights of who may become a parent.
    """

    def __init__(
        self,
        training: OwnTraining | DiscreteTraining,
        config: InheritanceConfig,
        restarts: bool,
    ) -> None:
        self.training = training
        self.config = config
        self.shared = training.shared
        self.lifecycle: Lifecycle | None = None
        self.living = Individuals()
        self._restarts = restarts
        self._under_way = UnderWay()
        # The first call compiles, and says nothing of the time.
        self._stretch = 8

    def forget(self) -> None:
        """Whatever is under way begins again."""
        self._under_way.begin(-1)

    def train_one(
        self, number: int, row: np.ndarray, parent: Individual | None
    ) -> dict[str, Any]:
        """Trains a child, or the rest of it; what is noted of it."""
        config, state = self.config, self._under_way
        cells = row.reshape(self.shared.supernet.space.array_shape)
        start = cells, parent, config.inherit_moved, config.fresh_factor
        if state.number != number:
            state.begin(number)
            state.inherited = self.training.begin(*start)
        else:
            self.training.set_factors(*start)
        per_pass = self.training.steps_per_epoch
        passes = config.child_passes
        if parent is None and config.inherit != "none":
            passes = config.initial_passes
        most = max(config.child_passes, config.initial_passes)
        while state.done < passes * per_pass and state.sick_at < 0:
            turn, step = divmod(state.done, per_pass)
            rate = self._rate(turn, config.inherited_lr)
            for _ in self._train(row, number * most + turn, step, rate):
                self._pause()
        began = time.monotonic()
        score = math.nan
        if state.sick_at < 0:
            score = self._accuracy(row)
            self.living.entries[number] = self.training.take(cells)
        note = ""
        if state.sick_at >= 0:
            turn, step = divmod(state.sick_at, per_pass)
            note = f"diverged in pass {turn + 1}, step {step + 1}"
        last = slice(-per_pass, None)
        return {
            "fitness": score,
            "train_loss": float(np.mean(state.losses[last])),
            "train_accuracy": float(np.mean(state.accuracies[last])),
            "inherited": state.inherited,
            "images": passes * self.training.image_count,
            "seconds": round(state.seconds + time.monotonic() - began, 4),
            "note": note,
        }

    def _rate(self, turn: int, otherwise: float) -> float:
        """The learning rate of a pass, from 0."""
        if self._restarts:
            return float(self.training.learning_rate(turn, 1))
        return otherwise

    def _train(
        self, row: np.ndarray, epoch: int, start: int, rate: float
    ) -> Iterator[None]:
        """Trains the rest of a pass; yields after each stretch of steps."""
        state, training = self._under_way, self.training
        total = training.steps_per_epoch
        everywhere = tf.repeat(tf.constant(row[None]), total, axis=0)
        while start < total:
            stop = min(start + self._stretch, total)
            began = time.monotonic()
            columns = training.train(
                everywhere,
                *(tf.constant(n) for n in (epoch, start, stop)),
                tf.constant(rate, tf.float32),
            )
            healthy = columns["healthy"].numpy()
            seconds = time.monotonic() - began
            self._stretch = next_stretch(stop - start, seconds)
            state.seconds += seconds
            state.losses += columns["loss"].numpy().tolist()
            state.accuracies += columns["accuracy"].numpy().tolist()
            if not healthy.all():
                state.sick_at = state.done + int(np.argmin(healthy))
            state.done += stop - start
            start = total if state.sick_at >= 0 else stop
            yield

    def _pause(self) -> None:
        if self.lifecycle:
            self.lifecycle.pause()
            self.lifecycle.stop_in_time()

    def _accuracy(self, row: np.ndarray) -> float:
        found = self.shared.accuracy_of(row[None], "validation")
        return found if math.isfinite(found) else math.nan


def _no_sample(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Nothing is sampled for weights of one architecture."""
    raise AssertionError(count, seed)
