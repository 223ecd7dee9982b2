"""The life of a run in its folder: saved when due, stopped when asked.

What a search and a final training have in common. The state of a run is a
set of variables; it can be saved between any two stretches of steps.
"""

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nascore.runs.checkpoints import Checkpoints, State
from nascore.runs.config import COST_FILE
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, StopRequest, TimeUp
from nascore.runs.positions import Ledger, Stopwatch
from nascore.runs.progress import (
    NO_TERMS,
    Cost,
    Outlook,
    Progress,
    Terms,
    next_stretch,
)


@dataclasses.dataclass(frozen=True)
class Workers:
    """Several processes that compute the same run, step by step.

    Attributes:
      chief: whether this is the one whose run folder people read.
      source: the run folder that the others go on from; None begins afresh.
      agree: the signal that all act on, made of the one that came to each,
        if any. All must call it at the same place.
    """

    chief: bool
    source: Path | None
    agree: Callable[[int | None], int | None]


class Lifecycle:
    """Restores a run, and saves and stops it while it works.

    Args:
      run: the run folder.
      state: what a checkpoint holds, but for time and lengths of tables.
      tables: names of the tables that grow with the state.
      checkpoint_minutes: saves at least this often.
      where: says how far the run has come, for whom it is interrupted.
      workers: if several processes compute it. They save and stop where an
        epoch ends and nowhere else: only there they can agree.

    Attributes:
      resumed: whether an earlier part of the run was restored.
      stopwatch: times the epoch under way.
      kind: what is counted next, a kind of work.

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
        workers: Workers | None = None,
    ) -> None:
        self.stopwatch = Stopwatch()
        self.kind = ""
        self._cost_file = run.path / COST_FILE
        self._where = where
        self._workers = workers
        self._label = ""
        self._ticks = 0
        self._seconds = 60 * checkpoint_minutes
        ledger = Ledger(run, *tables)
        whole = {**state, "seconds": self.stopwatch.noted, "tables": ledger}
        self._checkpoints = Checkpoints(
            run.path / "checkpoints", whole, check=ledger.check
        )
        if workers is None or workers.chief:
            self.resumed = self._checkpoints.restore()
            ledger.rewind()
        elif workers.source is not None:
            # Its tables are the chief's.
            chiefs = Checkpoints(workers.source / "checkpoints", whole)
            self.resumed = chiefs.restore()
        else:
            self.resumed = False

    @contextlib.contextmanager
    def working(
        self,
        total: int,
        done: int,
        unit: str,
        outlook: Outlook | None = None,
        terms: Terms = NO_TERMS,
    ) -> Iterator[None]:
        """Shows a bar and notes signals while the work goes on.

        Args:
          total: steps of the whole work.
          done: steps that were done before.
          unit: what a step is called.
          outlook: from it is said, once, what the work takes.
          terms: of this start.
        """
        self._progress = Progress(total, done, unit)
        share = 1 - done / max(total, 1)
        self._cost = Cost(self._cost_file, outlook, terms, share)
        self._saved = time.monotonic()
        self.stopwatch.go_on()
        with StopRequest() as self._stop:
            yield
        self._progress.close()

    def stretches(
        self, start: int, total: int, longest: int = 0, kind: str = ""
    ) -> Iterator[tuple[int, int]]:
        """Cuts steps into stretches of about two seconds.

        The first is a single step. After each the run is saved if that is
        due, and stopped if it was asked to. With workers all are one stretch.

        Args:
          start: the first step.
          total: the step after the last.
          longest: most steps of a stretch; 0 is any number.
          kind: of work.

        Yields:
          The first step and the one after the last, of each stretch.

        Raises:
          TimeUp: after a stretch that is not the last.
        """
        self.kind = kind
        stretch = total if self._workers else 1
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
            if start < total:
                self.stop_in_time()

    def advance(self, steps: int, label: str, **values: str) -> None:
        """Counts the finished steps of a stretch, those of `tick` included."""
        self._label = label
        self._count(max(0, steps - self._ticks), values)
        self._ticks = 0

    def tick(self, **values: str) -> None:
        """Counts one step in the middle of a stretch."""
        self._ticks += 1
        self._count(1, values)

    def _count(self, steps: int, values: dict[str, str]) -> None:
        self._progress.advance(steps, self._label, **values)
        self.note(steps)

    def note(self, units: int) -> None:
        """Notes that units of `kind` were done since the last time.

        Once it is known what the work takes, it is said.
        """
        self._cost.add(self.kind, units)
        if self._workers is None or self._workers.chief:
            text = self._cost.tell()
            if text:
                self._progress.say(text)

    def line(self, text: str) -> None:
        """Prints a line above the bar, with the rate and the time left."""
        self._progress.line(text, self._cost.left())

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        self._progress.say(text)

    def pause(self) -> None:
        """Saves if that is due; saves and raises Interrupted if asked to."""
        if self._workers is not None:
            return
        self.stop_if_asked()
        if time.monotonic() - self._saved > self._seconds:
            self.save()

    def stop_in_time(self) -> None:
        """Saves and raises TimeUp if there is no time for another stretch."""
        late = self._cost.is_late()
        if self._workers is not None:
            # The clocks of several machines differ.
            signum = signal.SIGALRM if late else None
            late = self._workers.agree(signum) is not None
        if late:
            self.save()
            raise TimeUp

    def stop_if_asked(self) -> None:
        """Saves and raises Interrupted if a signal came."""
        signum = self._stop.signum
        if self._workers is not None:
            signum = self._workers.agree(signum)
        if signum is not None:
            self._interrupt(signum)

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
        chief = self._workers is None or self._workers.chief
        raise Interrupted(
            signum,
            f"interrupted {self._where()}; everything is saved"
            f"{'' if chief else ' by the first machine'}",
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
        self._checkpoints.save()
        self._saved = time.monotonic()
