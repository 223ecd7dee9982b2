"""A training in a run folder, epoch by epoch, whatever is learned in it.

Like a search it is a machine whose whole state is a set of variables and a
position (epoch, step), saved between any two stretches of steps.
"""

import abc
from typing import Any

import tensorflow as tf

from nascore.errors import RunStopped
from nascore.runs.checkpoints import State
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import TimeUp
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import NO_TERMS, Outlook, Terms, Work
from nascore.runs.tensorboard import Board

# Kinds of work.
STEPS, VALIDATIONS = "steps", "validations"


class NothingToTest(RunStopped):
    """A training is to end before its first epoch has."""

    resumable = True


class Epochs(abc.ABC):
    """Position, records and resuming of a training.

    Args:
      run: where everything is written; an earlier part of the same training
        in it is continued.
      state: all that is learned, and what it needs to go on.
      epochs: how many there are.
      checkpoint_minutes: saves at least this often, and after every epoch.
      workers: machines that train together.

    Attributes:
      cut: whether it ended before its last epoch, and can go on.
    """

    def __init__(
        self,
        run: RunFolder,
        state: State,
        epochs: int,
        checkpoint_minutes: float,
        workers: Any = None,
    ) -> None:
        self.cut = False
        self.run_folder = run
        self.epochs = epochs
        self.board = Board(run.path / "tensorboard")
        self._position = {
            name: tf.Variable(0, trainable=False, name=name)
            for name in ("epoch", "step")
        }
        self.lifecycle = Lifecycle(
            run,
            {**state, **self._position},
            ["epochs"],
            checkpoint_minutes,
            lambda: f"in epoch {self.epoch + 1}",
            workers,
        )

    @property
    def resumed(self) -> bool:
        """Whether an earlier part of the training was restored."""
        return self.lifecycle.resumed

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self._position["epoch"])

    @property
    def step(self) -> int:
        """Steps done in this epoch."""
        return int(self._position["step"])

    @property
    def validates(self) -> bool:
        """Whether an epoch ends with a validation."""
        return True

    @abc.abstractmethod
    def steps(self, epoch: int) -> int:
        """Steps of an epoch; those of the others are about as many."""

    @abc.abstractmethod
    def seconds_to_end(self) -> float:
        """What comes after the last epoch takes."""

    @abc.abstractmethod
    def learn(self, epoch: int, start: int, stop: int) -> None:
        """Learns in steps `start` to `stop` of an epoch.

        Raises:
          RunStopped: the loss exploded.
        """

    @abc.abstractmethod
    def measure(self, epoch: int) -> dict[str, Any]:
        """The row of an epoch that has ended, `epoch` first."""

    @abc.abstractmethod
    def conclude(self, row: dict[str, Any]) -> str:
        """Prepares the next epoch, and says what a row holds."""

    def run(self, terms: Terms = NO_TERMS, finish: bool = False) -> None:
        """Trains to the last epoch, or as long as there is time.

        Args:
          terms: of this start.
          finish: trains no further.

        Raises:
          Interrupted: a signal came; the state was saved.
          NothingToTest: it is to end, and no epoch has.
          RunStopped: the loss exploded.
        """
        epochs, steps = self.epochs, self.steps(0)
        done = self.epoch * steps + self.step
        outlook = Outlook(self._left, self.seconds_to_end)
        total = epochs * steps
        with self.lifecycle.working(total, done, STEPS, outlook, terms):
            try:
                while self.epoch < epochs and not finish:
                    self._run_epoch()
            except TimeUp:
                where = f"after {self.epoch} of {epochs} epochs"
                self.lifecycle.say(f"time is up (--max_hours) {where}")
        self.cut = self.epoch < epochs
        if not self.epoch:
            raise NothingToTest(
                "no epoch has ended yet, so there is nothing to test; "
                "everything is saved"
            )

    def _left(self) -> Work:
        """Steps and validations that are to come."""
        epochs = self.epochs - self.epoch
        steps = epochs * self.steps(self.epoch) - self.step
        work = {STEPS: float(max(0, steps))}
        if self.validates:
            work[VALIDATIONS] = float(epochs)
        return work

    def _run_epoch(self) -> None:
        epoch = self.epoch
        self.lifecycle.stop_in_time()
        for start, stop in self.lifecycle.stretches(
            self.step, self.steps(epoch), kind=STEPS
        ):
            self.learn(epoch, start, stop)
            self._position["step"].assign(stop)
            self.lifecycle.advance(stop - start, f"epoch {epoch + 1}")
        row = self.measure(epoch)
        self.run_folder.append("epochs", [row])
        numbers = {name: row[name] for name in row if name != "epoch"}
        self.board.scalars(epoch, numbers)
        text = self.conclude(row)
        self._position["epoch"].assign(epoch + 1)
        self._position["step"].assign(0)
        self.lifecycle.end_epoch()
        self.lifecycle.line(f"epoch {epoch + 1}/{self.epochs}: {text}")
        self.lifecycle.stop_if_asked()

    def note_validation(self) -> None:
        """Counts one, with the seconds since what was counted last."""
        self.lifecycle.kind = VALIDATIONS
        self.lifecycle.note(1)
