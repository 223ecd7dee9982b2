"""The life of a run in its folder: saved when due, stopped when asked.

What a search and a final training have in common. The state of a run is a
set of variables; it can be saved between any two stretches of steps.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence

from nascore.runs.checkpoints import Checkpoints, State
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, StopRequest
from nascore.runs.positions import Ledger
from nascore.runs.progress import Progress, next_stretch
from nascore.runs.stopwatch import Stopwatch


class Lifecycle:
    """Restores a run, and saves and stops it while it works.

    Args:
      run: the run folder.
      state: what a checkpoint holds, but for time and lengths of tables.
      tables: names of the tables that grow with the state.
      checkpoint_minutes: saves at least this often.
      where: says how far the run has come, for whom it is interrupted.

    Attributes:
      resumed: whether an earlier part of the run was restored.
      stopwatch: times the epoch under way.
      checkpoints: of the run.

    Raises:
      InputError: there are checkpoints and none can be used.
    """

    def __init__(
        self,
        run: RunFolder,
        state: State,
        tables: Sequence[str],
        checkpoint_minutes: float,
        where: Callable[[], str],
    ) -> None:
        self.stopwatch = Stopwatch()
        self._where = where
        self._label = ""
        self._ticks = 0
        self._seconds = 60 * checkpoint_minutes
        ledger = Ledger(run, *tables)
        self.checkpoints = Checkpoints(
            run.path / "checkpoints",
            {**state, "seconds": self.stopwatch.noted, "tables": ledger},
            check=ledger.check,
        )
        self.resumed = self.checkpoints.restore()
        ledger.rewind()
        self.stopwatch.go_on()
        self._saved = time.monotonic()

    @contextlib.contextmanager
    def working(self, total: int, done: int, unit: str) -> Iterator[None]:
        """Shows a bar and notes signals while the work goes on.

        Args:
          total: steps of the whole work.
          done: steps that were done before.
          unit: what a step is called.
        """
        self._progress = Progress(total, done, unit)
        with StopRequest() as self._stop:
            yield
        self._progress.close()

    def stretches(
        self, start: int, total: int, longest: int = 0
    ) -> Iterator[tuple[int, int]]:
        """Cuts steps into stretches of about two seconds.

        The first is a single step. After each the run is saved if that is
        due, and stopped if it was asked to.

        Args:
          start: the first step.
          total: the step after the last.
          longest: most steps of a stretch; 0 is any number.

        Yields:
          The first step and the one after the last, of each stretch.
        """
        stretch = 1
        while start < total:
            stop = min(start + stretch, total)
            begin = time.monotonic()
            yield start, stop
            seconds = time.monotonic() - begin
            stretch = next_stretch(stop - start, seconds)
            if longest:
                stretch = min(stretch, longest)
            start = stop
            self.pause()

    def advance(self, steps: int, label: str, **values: str) -> None:
        """Counts the finished steps of a stretch, those of `tick` included."""
        self._label = label
        self._progress.advance(max(0, steps - self._ticks), label, **values)
        self._ticks = 0

    def tick(self, **values: str) -> None:
        """Counts one step in the middle of a stretch."""
        self._ticks += 1
        self._progress.advance(1, self._label, **values)

    def line(self, text: str) -> None:
        """Prints a line above the bar, with the rate and the time left."""
        self._progress.line(text)

    def pause(self) -> None:
        """Saves if that is due; saves and raises Interrupted if asked to."""
        self.stop_if_asked()
        if time.monotonic() - self._saved > self._seconds:
            self.save()

    def stop_if_asked(self) -> None:
        """Saves and raises Interrupted if a signal came."""
        if self._stop.signum is not None:
            self._interrupt(self._stop.signum)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While others work, a signal gives their work up.

        Raises:
          Interrupted: a signal came; what was finished is saved.
        """
        try:
            with self._stop.waiting():
                yield
        except KeyboardInterrupt:
            self._interrupt(self._stop.signum or signal.SIGINT)

    def _interrupt(self, signum: int) -> None:
        self.save()
        self._progress.close()
        raise Interrupted(
            signum, f"interrupted {self._where()}; everything is saved"
        )

    def save(self) -> None:
        """Saves in the middle of an epoch."""
        self.stopwatch.note()
        self._save()

    def end_epoch(self) -> None:
        """Saves at the end of an epoch; the next one's time begins."""
        self.stopwatch.restart()
        self._save()

    def _save(self) -> None:
        self.checkpoints.save()
        self._saved = time.monotonic()
