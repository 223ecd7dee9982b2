"""Stopping a run between two steps instead of in the middle of one."""

import contextlib
import dataclasses
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

import psutil

from nascore.errors import RunStopped


class Terminated(KeyboardInterrupt):
    """SIGTERM, where Ctrl-C would have the same effect."""


def raise_terminated(signum: int, frame: FrameType | None) -> None:
    """A handler for SIGTERM."""
    raise Terminated


class Interrupted(RunStopped):
    """The user or the system asked the run to stop, and it was saved."""

    resumable = True

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        # A shell expects 130 after Ctrl-C; a scheduler that pre-empts a job
        # with SIGTERM expects success of one that saved itself in time.
        self.exit_code = 130 if signum == signal.SIGINT else 0


class TimeUp(Exception):
    """The time that a run was given is over; it was saved."""


@dataclasses.dataclass(frozen=True)
class Limit:
    """The time that a run is given.

    Attributes:
      hours: of it; 0 is no limit.
      since: when it began, by the monotonic clock, in seconds.
    """

    hours: float = 0.0
    since: float = 0.0

    def left(self) -> float:
        """Seconds that are left; negative where it is over."""
        if not self.hours:
            return math.inf
        return self.since + 3600 * self.hours - time.monotonic()

    def share(self, part: float) -> "Limit":
        """That part of what is left of it."""
        if not self.hours:
            return self
        now = time.monotonic()
        return Limit(max(part * self.left(), 1.0) / 3600, now)


class StopRequest:
    """Notes SIGINT and SIGTERM while it is entered.

    A second signal of a kind acts at once, for those who do not want to
    wait. Outside the main thread signals are left alone.

    Attributes:
      signum: the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._waiting = False
        self._old: dict[int, object] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for signum in (signal.SIGINT, signal.SIGTERM):
                self._old[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for signum, handler in self._old.items():
            signal.signal(signum, handler)  # type: ignore[arg-type]

    def _note(self, signum: int, frame: FrameType | None) -> None:
        repeated = self.signum == signum
        self.signum = signum
        if repeated or self._waiting:
            raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While it waits for others, a signal need not wait, too.

        Raises:
          KeyboardInterrupt: a signal came.
        """
        self._waiting = True
        try:
            if self.signum is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False


def follow_parent() -> None:
    """Ties the process of a pool to the process that started it.

    Ctrl-C reaches every process of a terminal: here it is left to the
    parent. And if the parent is killed, this process ends: it would wait
    for work for ever, with all the memory it has taken.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if multiprocessing.parent_process() is None or not is_main:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    number = os.getppid()
    parent = psutil.Process(number)

    def watch() -> None:
        # A killed one that nobody has waited for is still there, but no
        # longer the parent; on Windows it stays the parent when it has gone.
        while os.getppid() == number and parent.is_running():
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
