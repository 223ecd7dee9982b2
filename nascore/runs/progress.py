"""Progress of long work, for a terminal and for a log file."""

import sys
import time

from tqdm import tqdm

# A stretch of steps takes about this long, so that the bar moves and an
# interrupt is answered, while Python is entered rarely.
STRETCH_SECONDS = 2.0


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

    def advance(self, steps: int, label: str, **values: str) -> None:
        """Counts finished steps and shows what is going on."""
        self._seen += steps
        self._bar.set_description(label, refresh=False)
        self._bar.set_postfix(values, refresh=False)
        self._bar.update(steps)

    def line(self, text: str) -> None:
        """Prints a line above the bar, with the rate and the time left."""
        seconds = max(time.monotonic() - self._start, 1e-9)
        rate = self._seen / seconds
        left = (self._left - self._seen) / rate if self._seen else 0.0
        tqdm.write(f"{text}  [{rate:.1f}/s, {tqdm.format_interval(left)} left]")
        sys.stdout.flush()

    def close(self) -> None:
        """Ends the bar."""
        self._bar.close()


def next_stretch(steps: int, seconds: float) -> int:
    """How many steps to take at once, after `steps` took `seconds`."""
    wanted = int(STRETCH_SECONDS * steps / max(seconds, 1e-6))
    # The first stretch includes compilation and says little.
    return max(1, min(wanted, 4 * steps))
