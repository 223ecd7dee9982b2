"""Architectures trained for themselves, from their parents' weights or not.

One network serves all: an architecture is a row of a tensor, and nothing is
traced for a child.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nascore.evaluators.config import InheritanceConfig
from nascore.evaluators.discrete_training import DiscreteTraining
from nascore.evaluators.inheritance import (
    Individual,
)
from nascore.evaluators.own_training import ChildTrainer, OwnTraining
from nascore.evaluators.side_by_side import (
    ChildPool,
    ChildTask,
    ChildWorkerDied,
    Recipe,
)
from nascore.process.runtime import count_threads
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State

# Passes are numbered through, and each number is a seed: those of a final
# ranking come after all of a search.
_RANKING = 10**9
_TAME = (
    "Lower --inherited_lr or --fresh_factor, or set --clip_norm=5, in a new run"
)
_TAME_RESTARTS = "Lower --child_lr_max, or set --clip_norm=5, in a new run"


class StandaloneWeights(ChildTrainer):
    """See `nascore.protocols.Evaluator`.

    Columns: `train_loss` and `train_accuracy` of the main head, means over
    the last pass; `inherited`, the share of a child's weights that were its
    parent's; `images`, that it was trained on, repeated ones included.

    Args:
      training: of a network of `OwnCell`s, or of one network after the
        other; it holds the images that measure.
      config: what is inherited, and how long is trained.
      restarts: whether learning rates are those of shared weights, cosines
        with restarts that begin with each architecture; else they are those
        of `config`.
    """

    in_graph = False
    columns: tuple[str, ...] = (
        "train_loss",
        "train_accuracy",
        "inherited",
        "images",
        "seconds",
        "note",
    )
    texts: tuple[str, ...] = ("note",)
    # Not to be compared with accuracies under shared weights.
    measures = "fitness"
    loses = True
    budgets: tuple[int, ...] = ()
    where = " (own weights)"
    decimals = 1
    measured_on = "the validation set, after a short training of its own"
    # The last population is measured anew.
    ranked: Mapping[str, str] = {}
    fault = "the training diverged", _TAME

    def __init__(
        self,
        training: OwnTraining | DiscreteTraining,
        config: InheritanceConfig,
        restarts: bool = False,
    ) -> None:
        super().__init__(training, config, restarts)
        self.caveat = ""
        self.ranked_on = (
            "the validation set, after training from scratch for "
            f"{config.derive_epochs} epochs"
        )
        if not config.derive_epochs:
            self.ranked_on = self.measured_on
            self.caveat = _caveat(config)
        if restarts:
            self.fault = (self.fault[0], _TAME_RESTARTS)
        self.recipe: Recipe | None = None
        self._pool: ChildPool | None = None

    def spread(self, jobs: int) -> None:
        """Trains so many at once from now on, as `recipe` says."""
        if self.recipe is None:
            raise AssertionError("nothing says what the processes need")
        self._pool = ChildPool(self.recipe, jobs, count_threads())

    def __enter__(self) -> "StandaloneWeights":
        if self._pool is not None:
            self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.__exit__(*error)

    @property
    def about(self) -> str:
        """Number of layers, and what is inherited."""
        layers = len(self.shared.supernet.config.layer_types)
        whose = "weights of their parents"
        if self.config.inherit == "none":
            whose = "new weights"
        return f"{layers} layers, children begin with {whose}"

    @property
    def state(self) -> State:
        """The child under way, and the weights of the living."""
        return {
            **{f"own_{n}": v for n, v in self.training.state.items()},
            "living": self.living,
            "under_way": self._under_way,
        }

    def measure(self, proposals: Proposals, seed: Any) -> Measured:
        """Trains each row, from its parent's weights, and measures it.

        Seeds follow from the number of the evaluation.
        """
        first, rows = int(proposals.first), np.asarray(proposals.rows)
        numbers = range(first, first + len(rows))
        living = set(numbers)
        if proposals.keep is not None:
            living |= set(np.asarray(proposals.keep).tolist())
        self.living.keep(living)
        parents = np.full(len(rows), -1)
        if proposals.parents is not None and self.config.inherit != "none":
            parents = np.asarray(proposals.parents)
        finished = self._under_way.finished
        tasks = [
            (number, row, self.living.entries.get(int(parent)))
            for number, row, parent in zip(numbers, rows, parents, strict=True)
            if number not in finished
        ]
        for number, note in self._train_all(tasks):
            finished[number] = note
            self._under_way.begin(-1)
            if self.lifecycle:
                self.lifecycle.tick(score=f"{note['fitness']:.1%}")
        notes = [finished[number] for number in numbers]
        finished.clear()
        return Measured(
            np.array([note["fitness"] for note in notes]),
            {n: np.array([note[n] for note in notes]) for n in self.columns},
        )

    def _train_all(
        self, tasks: Sequence[tuple[int, np.ndarray, Individual | None]]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """What is noted of each, one after the other or as they are ready."""
        if self._pool is None:
            for task in tasks:
                yield task[0], self.train_one(*task)
            return
        # One that was under way in this process begins again in another.
        self.forget()
        waiting = self.lifecycle.waiting if self.lifecycle else None
        left = [ChildTask(*task) for task in tasks]
        try:
            for done in self._pool.train(left, waiting):
                if done.own is not None:
                    self.living.entries[done.number] = Individual(*done.own)
                yield done.number, done.note
                self._pause()
        except ChildWorkerDied:
            if self.lifecycle:
                self.lifecycle.save()
            raise

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """Trains one architecture from scratch, and measures it.

        A cosine from `derive_lr` to 0, epoch by epoch (the paper's figure
        4). With no epochs its own weights are measured, those of the fittest
        of the living that are alike.

        Args:
          rows: int32 `[1, length]`.
        """
        (row,) = np.asarray(rows)
        config, state = self.config, self._under_way
        cells = row.reshape(self.shared.supernet.space.array_shape)
        if not config.derive_epochs:
            return self._measure_living(row, cells)
        state.begin(-1)
        self.training.begin(cells, None, True, 1.0)
        cosine = keras.optimizers.schedules.CosineDecay
        schedule = cosine(config.derive_lr, config.derive_epochs)
        for epoch in range(config.derive_epochs):
            rate = self._rate(epoch, float(schedule(epoch)))
            for _ in self._train(row, _RANKING + epoch, 0, rate):
                if self.lifecycle:
                    self.lifecycle.stop_if_asked()
            if state.sick_at >= 0:
                break
        sick = state.sick_at >= 0
        state.begin(-1)
        return self._validate(row, sick)

    def _measure_living(
        self, row: np.ndarray, cells: np.ndarray
    ) -> dict[str, float]:
        """The best of what individuals of these cells have."""
        found = []
        for entry in self.living.entries.values():
            if np.array_equal(entry.cells, cells):
                self.training.begin(cells, entry, True, 1.0)
                found.append(self._validate(row))
        if not found:
            return self._validate(row, sick=True)
        return max(found, key=lambda one: next(iter(one.values())))

    def _validate(
        self, row: np.ndarray, sick: bool = False
    ) -> dict[str, float]:
        """Accuracies with the weights as they are."""
        return {
            f"{split}_accuracy": math.nan
            if sick
            else self.shared.accuracy_of(row[None], split)
            for split in ("validation", "search_test")
        }


def _caveat(config: InheritanceConfig) -> str:
    """What accuracies after short trainings are not."""
    whose, longer = " with inherited weights", "from scratch"
    if config.inherit == "none":
        whose, longer = "", "for longer"
    return (
        f"These accuracies are measured after short trainings{whose}; an "
        f"architecture's own accuracy shows after training it {longer}."
    )
