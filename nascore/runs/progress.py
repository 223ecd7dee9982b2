"""Progress of long work: for a terminal, for a log file, and what it takes."""

import dataclasses
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tqdm import tqdm

from nascore.runs.atomic import write_json
from nascore.runs.interrupts import Limit

# A stretch of steps takes about this long, so that the bar moves and an
# interrupt is answered, while Python is entered rarely.
STRETCH_SECONDS = 2.0
# So long a work is watched before it is said how long it will take, and so
# long where something is to come that was not seen yet.
WATCHED = 5.0
WATCHED_IN_PART = 20.0

# What is left to do: units by kind, such as steps of a phase.
Work = Mapping[str, float]
# From so many seconds on it is said how to have less.
LONG = 3600.0


class Progress:
    """A bar in a terminal; in a log only the lines.

    Args:
      total: steps of the whole work.
      done: steps that were done before, in a run that is resumed.
      unit: what a step is called.
    """

    def __init__(self, total: int, done: int, unit: str) -> None:
        self._left = total - done
        self._seen = 0
        self._start = time.monotonic()
        self._bar = tqdm(
            total=total,
            initial=done,
            unit=f" {unit}",
            dynamic_ncols=True,
            disable=not sys.stderr.isatty(),
            smoothing=0.1,
        )

    @property
    def left(self) -> int:
        """Steps that are left."""
        return self._left - self._seen

    def advance(self, steps: int, label: str, **values: str) -> None:
        """Counts finished steps and shows what is going on."""
        self._seen += steps
        self._bar.set_description(label, refresh=False)
        self._bar.set_postfix(values, refresh=False)
        self._bar.update(steps)

    def line(self, text: str, left: float | None = None) -> None:
        """Prints a line above the bar, with the rate and the time left.

        Args:
          text: of the line.
          left: seconds; NaN while they are not known. By default they
            follow from the mean rate.
        """
        seconds = max(time.monotonic() - self._start, 1e-9)
        rate = self._seen / seconds
        if left is None:
            left = self.left / rate if self._seen else math.nan
        told = f"{rate:.1f}/s"
        if not math.isnan(left):
            told += f", {tqdm.format_interval(left)} left"
        self.say(f"{text}  [{told}]")

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        tqdm.write(text)
        sys.stdout.flush()

    def close(self) -> None:
        """Ends the bar."""
        self._bar.close()


def next_stretch(steps: int, seconds: float) -> int:
    """How many steps to take at once, after `steps` took `seconds`."""
    wanted = int(STRETCH_SECONDS * steps / max(seconds, 1e-6))
    # The first stretch includes compilation and says little.
    return max(1, min(wanted, 4 * steps))


@dataclasses.dataclass(frozen=True)
class Terms:
    """What holds for this start of a run and changes no result.

    Attributes:
      limit: the time that it has.
      memory: that it needs, for people; empty if that is not known.
      shorter: how to have less, where it takes long.
      after: what comes after it, for people, if anything does.
    """

    limit: Limit = Limit()
    memory: str = ""
    shorter: str = ""
    after: str = ""


NO_TERMS = Terms()


@dataclasses.dataclass(frozen=True)
class Outlook:
    """What is still to come, from where the work stands.

    Attributes:
      left: work to do.
      end: seconds that its end takes, if it were cut off now.
    """

    left: Callable[[], Work]
    end: Callable[[], float] = lambda: 0.0


class Pace:
    """The seconds that a unit of each kind of work takes.

    The first of a kind compiles graphs or starts processes and says nothing.
    A kind that was not seen since is taken for as fast as the others.
    """

    def __init__(self) -> None:
        self._begun: set[str] = set()
        # Units and seconds of each kind.
        self._seen: dict[str, tuple[float, float]] = {}

    def add(self, kind: str, units: float, seconds: float) -> None:
        """Counts what was done of a kind, and what it took."""
        if kind in self._begun:
            before = self._seen.get(kind, (0.0, 0.0))
            self._seen[kind] = (before[0] + units, before[1] + seconds)
        elif units:
            self._begun.add(kind)

    def is_known(self, left: Work) -> bool:
        """Whether enough was seen to say how long the rest takes."""
        seconds = sum(took for _, took in self._seen.values())
        whole = all(self.each(kind) for kind in left)
        # Time in which no unit was done says nothing of their pace.
        units = any(count for count, _ in self._seen.values())
        return units and seconds >= (WATCHED if whole else WATCHED_IN_PART)

    def seconds(self, left: Work) -> float:
        """How long the rest takes; 0 while nothing is known."""
        units = sum(count for count, _ in self._seen.values())
        took = sum(seconds for _, seconds in self._seen.values())
        mean = took / units if units else 0.0
        return sum(
            count * (self.each(kind) or mean) for kind, count in left.items()
        )

    def each(self, kind: str) -> float:
        """Seconds of a unit; 0 if they are not known."""
        units, seconds = self._seen.get(kind, (0.0, 0.0))
        return seconds / units if units else 0.0


def duration(seconds: float) -> str:
    """A time for people, as exact as an estimate is."""
    size, unit = next(
        (size, unit)
        for size, unit, most in (
            (1, "second", 90),
            (60, "minute", 90),
            (3600, "hour", 48),
            (86400, "day", math.inf),
        )
        if round(seconds / size) < most
    )
    count = seconds / size
    digits = int(count < 9.95 and size >= 3600)
    text = f"{count:.{digits}f}".removesuffix(".0")
    return f"{text} {unit}{'' if text == '1' else 's'}"


class Cost:
    """Watches a run, and says what it takes.

    Args:
      file: is written when it is known, for others.
      outlook: what is to come; None if that is not known.
      terms: of this start of the run.
      share: the part of the whole run that was to do when it started.

    Attributes:
      pace: what each kind of work takes.
    """

    def __init__(
        self, file: Path, outlook: Outlook | None, terms: Terms, share: float
    ) -> None:
        self.pace = Pace()
        self._file = file
        self._outlook = outlook
        self._terms = terms
        self._share = share
        self._told = outlook is None
        # Seconds of what was counted last, of each kind.
        self._gaps: dict[str, float] = {}
        self._begun = self._counted = time.monotonic()

    def add(self, kind: str, units: int) -> None:
        """Notes that units of a kind were done since the last time."""
        now = time.monotonic()
        took = now - self._counted
        if units and self.pace.each(kind):
            self._gaps[kind] = took
        self.pace.add(kind, units, took)
        self._counted = now

    def left(self) -> float | None:
        """Seconds that are left, NaN while not known; None if never."""
        if self._outlook is None:
            return None
        work = self._outlook.left()
        # Nothing is left of what is done to its end.
        rest = any(work.values())
        return self.pace.seconds(work) or (math.nan if rest else 0.0)

    def is_late(self) -> bool:
        """Whether there is no time for the end, if something else is done.

        That takes no longer than what was done last, of any kind.
        """
        end = self._outlook.end() if self._outlook else 0.0
        more = max(self._gaps.values(), default=0.0)
        return self._terms.limit.left() < more + end

    def tell(self) -> str:
        """Says what the run takes, once it is known, and writes it down.

        Returns:
          One line; nothing before, and nothing after it was said.
        """
        if self._told or self._outlook is None:
            return ""
        if not self.pace.is_known(self._outlook.left()):
            return ""
        self._told = True
        left, terms = self.left() or 0.0, self._terms
        total = time.monotonic() - self._begun + left
        # For a batch, which waits for runs in other processes.
        write_json(
            self._file,
            {"unit": "seconds", "seconds": total, "share": self._share},
        )
        what = "in all" if self._share == 1 else "for what is left"
        text = f"cost: about {duration(total)} {what} on this machine"
        if terms.memory:
            text += f" and {terms.memory} of memory"
        text += terms.after
        if terms.limit.left() < left:
            return f"{text}; --max_hours ends it before"
        if total > LONG and terms.shorter:
            return f"{text}; {terms.shorter}"
        return text
