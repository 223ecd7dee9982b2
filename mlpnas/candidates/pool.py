"""Trains candidates, several at the same time in processes of their own.

Whatever the number of processes, the results are the same: a task holds all
that its result depends on, and nothing is shared while tasks run.
"""

import contextlib
from collections.abc import Iterator, Sequence

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError

from mlpnas.candidates.tasks import Examples, Task, Trained, TrainerSettings
from mlpnas.candidates.worker import train_candidate
from nascore.errors import RunStopped
from nascore.process.joblib_backends import return_as
from nascore.process.memory import children_peak
from nascore.spaces.perceptrons import count_parameters

# Example passes that one process makes in the time that another takes to
# start and to compile (about 20 seconds).
_WORTH_A_PROCESS = 1e6


class WorkerDied(RunStopped):
    """A process that trained a candidate is gone."""

    resumable = True


def choose_jobs(passes: float) -> int:
    """How many processes are worth their start.

    Args:
      passes: training examples times epochs times candidates.
    """
    return int(np.clip(passes / _WORTH_A_PROCESS, 1, joblib.cpu_count()))


class CandidatePool:
    """Trains candidates on given examples.

    Use as a context manager; joblib's back end, if another than processes of
    this machine, must be chosen around it.

    Args:
      settings: how candidates are trained.
      data_key: fingerprint of the examples.
      train: examples to learn from.
      validation: examples that scores are measured on.
      jobs: at the same time; 1 trains in this process, -1 takes all that
        joblib's back end has.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        data_key: str,
        train: Examples,
        validation: Examples,
        jobs: int,
    ) -> None:
        self.settings = settings
        self._shared = (settings, data_key, *train, *validation)
        self._features = train.features.shape[1]
        self.jobs = jobs
        self._parallel: joblib.Parallel | None = None
        # Bytes that processes of this machine held at their peak, together.
        self.processes_peak = 0

    def __enter__(self) -> "CandidatePool":
        if self.jobs != 1:
            self._stack = contextlib.ExitStack()
            self._parallel = self._stack.enter_context(
                joblib.Parallel(
                    self.jobs,
                    batch_size=1,
                    pre_dispatch="n_jobs",
                    return_as=return_as(),
                    # Big arrays reach the processes as mapped files.
                    max_nbytes="1M",
                )
            )
        return self

    def __exit__(self, *error: object) -> None:
        if self._parallel is not None:
            self.processes_peak = max(self.processes_peak, children_peak())
            self._stack.close()
            self._parallel = None

    def train(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Trained]]:
        """Trains candidates; yields place and result as they are ready.

        Args:
          tasks: the candidates.

        Raises:
          WorkerDied: a process died.
        """
        # The largest first: fewer processes wait for the last one.
        places = sorted(
            range(len(tasks)),
            key=lambda place: (
                -count_parameters(
                    tasks[place].architecture,
                    self._features,
                    self.settings.outputs,
                )
            ),
        )

        def calls() -> Iterator[tuple]:
            for place in places:
                yield joblib.delayed(train_candidate)(
                    place, tasks[place], *self._shared
                )

        if self._parallel is None:
            for function, arguments, _ in calls():
                yield function(*arguments)
            return
        try:
            yield from self._parallel(calls())
        except TerminatedWorkerError:
            raise WorkerDied(
                "stopped: a process that trained a candidate died, perhaps "
                "because memory ran out; what was trained is saved. Lower "
                "--jobs"
            ) from None
