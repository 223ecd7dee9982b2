"""Time that a stopped and resumed run does not lose."""

from time import monotonic

import tensorflow as tf


class Stopwatch(tf.Module):
    """Measures an epoch, also over several processes.

    Attributes:
      noted: float64, seconds of the epoch up to the last `note`; belongs to
        the state of the run.
    """

    def __init__(self) -> None:
        super().__init__(name="stopwatch")
        self.noted = tf.Variable(
            0.0, trainable=False, dtype=tf.float64, name="seconds"
        )
        self._since = monotonic()

    @property
    def seconds(self) -> float:
        """Seconds of the epoch, those of earlier processes included."""
        return float(self.noted) + monotonic() - self._since

    def go_on(self) -> None:
        """Starts after what is noted, as when that was restored."""
        self._since = monotonic()

    def note(self) -> None:
        """Brings `noted` up to date, to be saved."""
        self.noted.assign(self.seconds)
        self._since = monotonic()

    def restart(self) -> None:
        """Begins an epoch; nothing of it is noted yet."""
        self.noted.assign(0.0)
        self._since = monotonic()
