"""The evaluator of MLPNAS: each perceptron is trained for itself.

Several at the same time, in processes of their own; with one-shot training
from stored weights of equal pairs of layers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mlpnas.candidates.dense import initial_weights
from mlpnas.candidates.pool import CandidatePool, WorkerDied
from mlpnas.candidates.tasks import Task, Trained, TrainerSettings
from mlpnas.config import MlpnasConfig
from mlpnas.data.load import MlpData
from mlpnas.trained_store import TrainedStore
from mlpnas.weight_bank import WeightBank
from nascore.errors import InputError
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.lifecycle import Lifecycle
from nascore.seeds import Stream, fold
from nascore.spaces.perceptrons import MlpArchitecture, count_parameters


class Perceptrons:
    """See `nascore.protocols.Evaluator`.

    Use as a context manager, for the processes of its pool.

    Args:
      config: decides the results.
      data: the examples.
      pool: trains candidates.

    Attributes:
      best: the best so far, trained, by number.
    """

    in_graph = False
    columns: tuple[str, ...] = (
        "accuracy",
        "best_accuracy",
        "validation_loss",
        "epochs_trained",
        "parameters",
        "shared_layers",
        "seconds",
        "accuracies",
        "note",
    )
    texts: tuple[str, ...] = ("accuracies", "note")
    measures = "score"
    loses = False
    budgets: tuple[int, ...] = ()
    decimals = 1
    measured_on = ranked_on = "validation examples, in training of its own"
    fault = ("the training diverged", "Lower --child_lr in a new run")
    where = caveat = ""
    ranked: Mapping[str, str] = {
        "validation_accuracy": "accuracy",
        "number": "number",
        "parameters": "parameters",
    }

    def __init__(
        self, config: MlpnasConfig, data: MlpData, pool: CandidatePool
    ) -> None:
        self.config = config
        self.data = data
        self.pool = pool
        self.space = config.space.space(data.classes)
        self.bank = WeightBank(config.training.bank_megabytes)
        self.lifecycle: Lifecycle | None = None
        # What was trained of the step under way, by place.
        self._pending = TrainedStore()
        self.best = TrainedStore()

    def __enter__(self) -> "Perceptrons":
        self.pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.pool.__exit__(*error)

    @property
    def about(self) -> str:
        """Depth of the perceptrons."""
        return f"perceptrons of at most {self.space.max_layers} layers"

    @property
    def state(self) -> State:
        """Stored weights, and those of the best and of what is under way."""
        return {
            "weight_bank": self.bank,
            "pending": self._pending,
            "best": self.best,
        }

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """Trains each row; its score is of its validation accuracies.

        Weights at the start and the order of examples follow from the
        number of the evaluation.
        """
        first = int(proposals.first)
        tasks, shared = self._tasks(np.asarray(proposals.rows), first)
        results = self._train(tasks)
        if self.config.training.one_shot:
            # In the order of sampling, whichever was ready first.
            for task, trained in zip(tasks, results, strict=True):
                # What diverged would be the end of all that shares with it.
                if trained.diverged_at is None:
                    self.bank.store(task.architecture, trained.weights)
        self._keep_best(first, results)
        self._pending.entries.clear()
        rule = self.config.training.score
        rows = [
            self._notes(task, trained, known)
            for task, trained, known in zip(tasks, results, shared, strict=True)
        ]
        return Measured(
            np.array([trained.score(rule) for trained in results]),
            {
                **{name: _array(rows, name) for name in self.columns},
                "bank_megabytes": self.bank.size / 1e6,
            },
        )

    def _tasks(
        self, rows: np.ndarray, first: int
    ) -> tuple[list[Task], list[int]]:
        """What to train, and how many layers start from stored weights."""
        tasks, shared = [], []
        for place, row in enumerate(rows):
            architecture = self.space.decode(row)
            task = make_task(
                self.config, self.data, architecture, first + place
            )
            known = 0
            if self.config.training.one_shot:
                weights, known = self.bank.look_up(architecture, task.weights)
                task = task._replace(weights=weights)
            tasks.append(task)
            shared.append(known)
        return tasks, shared

    def _train(self, tasks: Sequence[Task]) -> list[Trained]:
        """Trains what is not trained yet; is saved and stopped in between."""
        done = self._pending.entries
        places = [place for place in range(len(tasks)) if place not in done]
        results = self.pool.train([tasks[place] for place in places])
        try:
            for place, trained in self._wait_for(results):
                done[places[place]] = trained
                if self.lifecycle:
                    score = f"{trained.score(self.config.training.score):.1%}"
                    self.lifecycle.tick(score=score)
                    self.lifecycle.pause()
                    if len(done) < len(tasks):
                        self.lifecycle.stop_in_time()
        except WorkerDied:
            if self.lifecycle:
                self.lifecycle.save()
            raise
        return [done[place] for place in range(len(tasks))]

    def _wait_for(
        self, results: Iterator[tuple[int, Trained]]
    ) -> Iterator[tuple[int, Trained]]:
        """The results as they come; what still runs at a signal is given up.

        It can take longer than the system lets a process live that it has
        told to stop.
        """
        while True:
            if self.lifecycle is None:
                result = next(results, None)
            else:
                with self.lifecycle.waiting():
                    result = next(results, None)
            if result is None:
                return
            yield result

    def _keep_best(self, first: int, results: Sequence[Trained]) -> None:
        entries = self.best.entries
        for place, trained in enumerate(results):
            entries[first + place] = trained
        rule = self.config.training.score
        ranked = sorted(
            sorted(entries),
            key=lambda number: (
                entries[number].diverged_at is not None,
                -entries[number].score(rule),
            ),
        )
        top = ranked[: self.config.finetune.top]
        self.best.entries = {number: entries[number] for number in top}

    def _notes(
        self, task: Task, trained: Trained, shared: int
    ) -> dict[str, Any]:
        accuracies = trained.accuracies
        return {
            "accuracy": float(accuracies[-1]),
            "best_accuracy": float(accuracies.max()),
            "validation_loss": float(trained.rows.validation_loss[-1]),
            "epochs_trained": len(accuracies),
            "parameters": count_parameters(
                task.architecture, self.data.features, self.space.outputs
            ),
            "shared_layers": shared,
            "seconds": round(trained.seconds, 4),
            "accuracies": " ".join(f"{a:.6g}" for a in accuracies),
            "note": describe_divergence(trained),
        }

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """Refuses: a perceptron is worth what its own training showed.

        Raises:
          InputError: always.
        """
        raise InputError(
            "a search of perceptrons has no shared weights to score others "
            "with; each is measured by training it, see evaluations.csv"
        )


def _array(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    return np.array([row[name] for row in rows])


def describe_divergence(trained: Trained) -> str:
    """Where a candidate's training went wrong; nothing if it did not."""
    if trained.diverged_at is None:
        return ""
    epoch, step = trained.diverged_at
    return f"diverged in training epoch {epoch + 1}, step {step + 1}"


def make_task(
    config: MlpnasConfig,
    data: MlpData,
    architecture: MlpArchitecture,
    number: int,
) -> Task:
    """The training of candidate `number` from fresh weights."""
    seed = config.search.seed
    weights = initial_weights(
        architecture,
        data.features,
        config.space.space(data.classes).outputs,
        fold(seed, Stream.MLP_WEIGHTS, number),
    )
    low, high = fold(seed, Stream.MLP_TRAINING, number).numpy().tolist()
    return Task(
        architecture, weights, (low, high), config.training.child_epochs
    )


def count_passes(config: MlpnasConfig, data: MlpData) -> float:
    """Examples that all candidates of a search see, in all their epochs."""
    candidates = float(config.search.epochs * config.search.architectures)
    epochs = config.training.child_epochs
    return len(data.train.labels) * epochs * candidates


def trainer_settings(config: MlpnasConfig, outputs: int) -> TrainerSettings:
    """How the candidates of a search are trained."""
    training = config.training
    return TrainerSettings(
        outputs,
        training.batch_size,
        training.child_lr,
        training.patience,
        config.space.dropout_rate,
        deterministic=config.search.deterministic,
    )
