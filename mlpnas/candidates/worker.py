"""What a process that trains candidates runs.

TensorFlow is imported in the function, not here, so that a new process can
keep its start-up noise to itself.
"""

import sys
import threading
import time

import numpy as np

from mlpnas.candidates.tasks import Examples, Task, Trained, TrainerSettings
from nascore.process.quiet import import_quietly
from nascore.runs.interrupts import follow_parent

# A trainer with its compiled graphs lives on from task to task.
_kept = threading.local()


def train_candidate(
    place: int,
    task: Task,
    settings: TrainerSettings,
    data_key: str,
    *arrays: np.ndarray,
) -> tuple[int, Trained]:
    """Trains one candidate; this is what the processes run.

    Args:
      place: returned with the result.
      task: the candidate.
      settings: how it is trained.
      data_key: tells whether these are the examples of the last task.
      *arrays: features and labels to learn from, then those that scores are
        measured on. Each is an argument of its own, which joblib's back ends
        hand to a process once and not with every task.
    """
    begin = time.monotonic()
    key = (data_key, settings)
    if getattr(_kept, "key", None) is None:
        follow_parent()
    if getattr(_kept, "key", None) != key:
        if "tensorflow" not in sys.modules:
            import_quietly()
        from mlpnas.candidates.trainer import Trainer
        from nascore.process.runtime import make_deterministic, use_one_thread

        use_one_thread()
        if settings.deterministic:
            make_deterministic()
        _kept.trainer = Trainer(
            settings, Examples(*arrays[:2]), Examples(*arrays[2:])
        )
        _kept.key = key
    trainer = _kept.trainer
    trainer.start(task.architecture, task.weights)
    rows = trainer.run(np.array(task.seed, np.int32), task.epochs)
    seconds = time.monotonic() - begin
    return place, Trained(trainer.weights(), rows, seconds, trainer.diverged_at)
