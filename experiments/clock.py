"""How long a run of a comparison has searched, over all of its starts.

`--max_hours` of a search counts from a start. The runs of a comparison that
is given again would have all of it again: here is counted what they had.
"""

import contextlib
import csv
import datetime
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.config import SEARCH_END
from nascore.runs.json_files import look_up, read_object
from nascore.runs.reader import RunRecords, read_end, read_settings

# In the run folder: `max_hours` of its comparison and `seconds` of all its
# starts. `started`, in seconds since 1970, is there while one goes on, and
# `epochs`, how many there were, once the limit has ended the search.
CLOCK_FILE = "time_limit.json"
# What is made of a finished run at any time.
_LATER = "rank_check.csv"


def used(run_dir: Path) -> float:
    """Seconds that the starts of a run took.

    Of one that was killed, with what started it, up to its last rows.

    Raises:
      InputError: files of the run are damaged.
    """
    if not (run_dir / "config.json").exists():
        return 0.0
    clock = _read(run_dir)
    seconds = float(clock.get("seconds", 0.0))
    if not clock or "started" in clock:
        began = clock.get("started") or _last_start(run_dir)
        files = [
            *(file for file in run_dir.glob("*.csv") if file.name != _LATER),
            *run_dir.glob("checkpoints/*"),
        ]
        last = max((file.stat().st_mtime for file in files), default=0.0)
        seconds += max(0.0, last - began)
    return max(seconds, math.fsum(_epoch_seconds(run_dir)))


def left(run_dir: Path, hours: float) -> float:
    """Hours that a run may still search; 0 or less: none."""
    return hours - used(run_dir) / 3600


def check(run_dir: Path, hours: float) -> None:
    """Checks that a run had no more than so many hours.

    Raises:
      InputError: it had.
    """
    asked = float(_read(run_dir).get("max_hours", 0.0))
    # One that was stopped by this limit may be beyond it by a moment.
    if asked == hours or not (run_dir / "config.json").exists():
        return
    took = used(run_dir) / 3600
    if took > hours:
        raise InputError(
            f"{run_dir} has searched for {took:.3g} hours, more than "
            f"--max_hours={hours:g}; give it as much, or another --out"
        )


@contextlib.contextmanager
def running(run_dir: Path, hours: float, epochs: int) -> Iterator[None]:
    """Counts the time of one start of a run.

    Args:
      run_dir: the run folder; it need not be there before.
      hours: that all starts may take.
      epochs: that the search is to have.
    """
    if (run_dir / "config.json").exists():
        seconds = used(run_dir)
        _write(run_dir, hours, seconds=seconds, started=time.time())
    begin = time.monotonic()
    try:
        yield
    finally:
        _stop(run_dir, hours, epochs, time.monotonic() - begin)


def _stop(run_dir: Path, hours: float, epochs: int, seconds: float) -> None:
    """Notes what a start took, and whether the search has ended with it."""
    if not (run_dir / "config.json").exists():
        return
    # Those of the first start are all.
    before = float(_read(run_dir).get("seconds", 0.0))
    ended: dict[str, Any] = {}
    file, done = run_dir / SEARCH_END, len(_epoch_seconds(run_dir))
    end = read_end(file)
    # A ranking of an earlier start says nothing of this one.
    if end is not None and file.stat().st_mtime >= time.time() - seconds - 1:
        if end["epochs"] == done < epochs and not end.get("stopped_early"):
            ended = {"epochs": done}
    _write(run_dir, hours, seconds=before + seconds, **ended)


def is_over(run_dir: Path, hours: float) -> bool:
    """Whether a search was ended, and ranked, after so many hours or more."""
    clock, end = _read(run_dir), read_end(run_dir / SEARCH_END)
    done = len(_epoch_seconds(run_dir))
    if end is None or end["epochs"] != done:
        return False
    if clock.get("epochs") == done and float(clock["max_hours"]) >= hours:
        return True
    # One that came to its end, and has no time for more.
    return left(run_dir, hours) <= 0


def ended_by(run: RunRecords) -> float:
    """Hours of the limit that has ended a search; 0: none has.

    Raises:
      InputError: its file is damaged.
    """
    clock, end = _read(run.path), read_end(run.path / SEARCH_END)
    done = len(run.epochs)
    if end is None or not done or end["epochs"] != done:
        return 0.0
    return float(clock["max_hours"]) if clock.get("epochs") == done else 0.0


def _read(run_dir: Path) -> dict[str, Any]:
    path = run_dir / CLOCK_FILE
    if not path.exists():
        return {}
    clock = read_object(path)
    for name in ("max_hours", "seconds"):
        look_up(clock, path, name, float)
    for name in ("started", "epochs"):
        if name in clock:
            look_up(clock, path, name, float)
    return clock


def _write(run_dir: Path, hours: float, **more: float) -> None:
    write_json(run_dir / CLOCK_FILE, {"max_hours": hours, **more})


def _last_start(run_dir: Path) -> float:
    """When a run was started last, in seconds since 1970."""
    path = run_dir / "config.json"
    starts = look_up(read_settings(run_dir), path, "starts", list)
    try:
        return datetime.datetime.fromisoformat(starts[-1]["time"]).timestamp()
    except (IndexError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path} is damaged: it does not say when the run was started"
        ) from None


def _epoch_seconds(run_dir: Path) -> list[float]:
    """What each finished epoch took."""
    path = run_dir / "epochs.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return [float(row["seconds"]) for row in rows]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"{path} is damaged: its 'seconds' are no numbers"
        ) from None
