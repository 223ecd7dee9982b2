"""What a batch runs: processes that work in run folders."""

import abc
import contextlib
import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments import clock
from flags import methods
from nascore.config import flatten
from nascore.errors import InputError
from nascore.runs.config import COST_FILE
from nascore.runs.folder import is_finished
from nascore.runs.reader import read_settings
from nascore.runs.versions import (
    changed_settings,
    check_continues,
    check_streams,
)


@dataclasses.dataclass(frozen=True)
class Job(abc.ABC):
    """One process that works in one run folder.

    Attributes:
      name: what it is called in messages.
      run_dir: the run folder; what the process prints goes beside it.
      total: units of work, for the progress bar.
    """

    name: str
    run_dir: Path
    total: int

    @property
    def log(self) -> Path:
        """What the process prints."""
        return self.run_dir.with_name(f"{self.run_dir.name}.log")

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.done >= self.total

    @property
    @abc.abstractmethod
    def done(self) -> int:
        """Units of work that are done."""

    @property
    def cost_file(self) -> Path:
        """Where its process writes what it takes, see `Cost`."""
        return self.run_dir / COST_FILE

    @property
    def most_seconds(self) -> float:
        """That it may take."""
        return math.inf

    @property
    def advice(self) -> str:
        """What to do where it has failed."""
        return "Mend the cause and give the same command again"

    def clock(self) -> contextlib.AbstractContextManager[None]:
        """Counts the time of a process of it, where that matters."""
        return contextlib.nullcontext()

    @abc.abstractmethod
    def command(self) -> list[str]:
        """The module to run, and its arguments, to start or to go on."""


@dataclasses.dataclass(frozen=True)
class SearchJob(Job):
    """A search; its units are epochs.

    Attributes:
      method: its name.
      config: its settings.
      flags: more flags, such as those that change no result.
      hours: that all of its starts together may take; 0: no limit.
    """

    method: str
    config: Any
    flags: tuple[str, ...] = ()
    hours: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether the search came to its end.

        Raises:
          InputError: the folder holds a run of other settings, of other
            random numbers, or of more time, which would be no fair opponent,
            or one that this version cannot continue.
        """
        path = self.run_dir / "config.json"
        if not path.exists():
            return False
        stored = read_settings(self.run_dir)
        check_streams(self.run_dir, stored)
        changed = changed_settings(stored["config"], self.config)
        if changed:
            raise InputError(
                f"{self.run_dir} holds a run of other settings (run -> now): "
                f"{'; '.join(changed)}. Give the settings it had, or another "
                "--out"
            )
        if self.hours:
            clock.check(self.run_dir, self.hours)
        end = methods.find(self.method).end
        if is_finished(self.run_dir, self.total, end):
            return True
        # Of MLPNAS a ranking is not the end yet.
        ended = (self.run_dir / end).exists()
        if self.hours and ended and clock.is_over(self.run_dir, self.hours):
            return True
        check_continues(self.run_dir, stored)
        return False

    @property
    def done(self) -> int:
        """Epochs done."""
        return self.total if self.finished else _count_rows(self.run_dir)

    @property
    def most_seconds(self) -> float:
        """See `Job.most_seconds`."""
        return 3600 * self.hours or math.inf

    @property
    def advice(self) -> str:
        """See `Job.advice`."""
        if self.hours and not _count_rows(self.run_dir):
            return (
                "Where no epoch has ended in time, give a greater --max_hours "
                "and else the same command again"
            )
        return super().advice

    def clock(self) -> contextlib.AbstractContextManager[None]:
        """See `Job.clock`."""
        if not self.hours:
            return super().clock()
        return clock.running(self.run_dir, self.hours, self.total)

    def command(self) -> list[str]:
        """See `Job.command`; its time is what earlier starts have left."""
        defaults = flatten(methods.find(self.method).config)
        flags = {
            name: value
            for name, value in flatten(self.config).items()
            # A resumed run would take its own number of epochs.
            if value != defaults[name] or name == "epochs"
        }
        words = ["experiments.search", f"--method={self.method}"]
        words += [*to_flags(flags), *self.flags, f"--run_dir={self.run_dir}"]
        left = clock.left(self.run_dir, self.hours) if self.hours else 0.0
        if (self.run_dir / "config.json").exists():
            # Without time it has what it found ranked.
            late = bool(self.hours) and left <= 0
            words.append("--finish" if late else "--resume")
        if left > 0:
            words.append(f"--max_hours={left:.9f}")
        return words


def _count_rows(run_dir: Path) -> int:
    try:
        with (run_dir / "epochs.csv").open("rb") as file:
            return max(0, sum(1 for _ in file) - 1)
    except FileNotFoundError:
        return 0


def to_flags(values: Mapping[str, object]) -> tuple[str, ...]:
    """Writes settings as command-line flags."""
    return tuple(
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in values.items()
    )
