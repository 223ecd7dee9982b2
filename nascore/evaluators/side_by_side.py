"""Architectures that are trained at the same time, in processes of their own.

However many there are, the results are the same: what one depends on is its
task, and each process builds the same network from the same seed. No
TensorFlow is imported here, so that a new process can keep its start-up
noise to itself.
"""

import contextlib
import importlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError

from nascore.errors import RunStopped
from nascore.process.joblib_backends import return_as
from nascore.process.quiet import import_quietly
from nascore.runs.interrupts import follow_parent

# An evaluator with its compiled graphs lives on from task to task.
_kept = threading.local()
# Weights come from Keras's one sequence of seeds.
_building = threading.Lock()

# Cells of an individual, and its weights.
Weights = tuple[np.ndarray, Sequence[np.ndarray]]


class ChildWorkerDied(RunStopped):
    """A process that trained an architecture is gone."""

    resumable = True


class Recipe(NamedTuple):
    """How a process makes the evaluator that trains in it.

    Attributes:
      module: of the function.
      function: makes it.
      arguments: plain values.
    """

    module: str
    function: str
    arguments: tuple[Any, ...]


class ChildTask(NamedTuple):
    """What to train.

    Attributes:
      number: of its evaluation; seeds follow from it.
      row: int32 `[length]`.
      parent: whose weights are taken over.
    """

    number: int
    row: np.ndarray
    parent: Weights | None


class ChildDone(NamedTuple):
    """What came of it.

    Attributes:
      number: of its evaluation.
      note: of it, column by column.
      own: its weights; None if they were lost.
    """

    number: int
    note: dict[str, Any]
    own: Weights | None


def train_child(recipe: Recipe, threads: int, task: ChildTask) -> ChildDone:
    """Trains one architecture; this is what the processes run.

    Args:
      recipe: of the evaluator.
      threads: of an operation; with another number sums may be rounded
        otherwise.
      task: the architecture.
    """
    if getattr(_kept, "recipe", None) is None:
        follow_parent()
    if getattr(_kept, "recipe", None) != recipe:
        if "tensorflow" not in sys.modules:
            import_quietly()
            from nascore.process.runtime import use_threads

            use_threads(threads)
        module = importlib.import_module(recipe.module)
        with _building:
            _kept.evaluator = getattr(module, recipe.function)(
                *recipe.arguments
            )
        _kept.recipe = recipe
    from nascore.evaluators.inheritance import Individual

    evaluator = _kept.evaluator
    parent = None if task.parent is None else Individual(*task.parent)
    evaluator.forget()
    note = evaluator.train_one(task.number, task.row, parent)
    own = evaluator.living.entries.pop(task.number, None)
    weights = None if own is None else (own.cells, own.weights)
    return ChildDone(task.number, note, weights)


class ChildPool:
    """Trains architectures, several at the same time.

    Use as a context manager; joblib's back end, if another than processes of
    this machine, must be chosen around it.

    Args:
      recipe: of the evaluator in each process.
      jobs: at the same time; -1 takes all that joblib's back end has.
      threads: of an operation.
    """

    def __init__(self, recipe: Recipe, jobs: int, threads: int) -> None:
        self._recipe = recipe
        self._jobs = jobs
        self._threads = threads
        self._stack = contextlib.ExitStack()
        self._parallel: joblib.Parallel | None = None

    def __enter__(self) -> "ChildPool":
        self._parallel = self._stack.enter_context(
            joblib.Parallel(
                self._jobs,
                batch_size=1,
                pre_dispatch="n_jobs",
                return_as=return_as(),
                max_nbytes="1M",
            )
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        self._parallel = None

    def train(
        self,
        tasks: Sequence[ChildTask],
        waiting: Callable[[], AbstractContextManager[Any]] | None = None,
    ) -> Iterator[ChildDone]:
        """Trains architectures; yields each as it is ready.

        Args:
          tasks: what to train.
          waiting: what is entered while one is waited for.

        Raises:
          ChildWorkerDied: a process died.
        """
        if self._parallel is None:
            raise AssertionError("the pool is not open")
        calls = (
            joblib.delayed(train_child)(self._recipe, self._threads, task)
            for task in tasks
        )
        try:
            results = iter(self._parallel(calls))
            for _ in tasks:
                with waiting() if waiting else contextlib.nullcontext():
                    done = next(results)
                yield done
        except TerminatedWorkerError:
            raise ChildWorkerDied(
                "stopped: a process that trained an architecture died, "
                "perhaps because memory ran out; what was trained is saved. "
                "Lower --jobs"
            ) from None
