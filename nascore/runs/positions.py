"""How far a run had come, in rows and in time, as parts of checkpoints."""

import json
from time import monotonic

import tensorflow as tf

from nascore.runs.folder import RunFolder
from nascore.runs.tables import EMPTY, Extent


class Ledger(tf.train.experimental.PythonState):
    """Ties the tables of a run folder to its checkpoints.

    Args:
      run: the run folder.
      *tables: names of the tables that grow with the state.
    """

    def __init__(self, run: RunFolder, *tables: str) -> None:
        self._tables = {name: run.table(name) for name in tables}
        self._saved = dict.fromkeys(tables, EMPTY)

    def serialize(self) -> bytes:
        """The extents of the tables as they are now, in JSON."""
        extents = {name: table.extent for name, table in self._tables.items()}
        return json.dumps(extents).encode()

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        extents = json.loads(string_value)
        self._saved = {name: Extent(*extents[name]) for name in self._tables}

    def check(self) -> None:
        """Checks the tables against the checkpoint that was read last.

        Raises:
          InputError: rows from before it are damaged or lost.
        """
        for name, table in self._tables.items():
            table.check(self._saved[name])

    def rewind(self) -> None:
        """Drops what the tables got after the checkpoint, or after none."""
        for name, table in self._tables.items():
            table.rewind(self._saved[name])


class Stopwatch(tf.Module):
    """Measures an epoch; a stopped and resumed run loses nothing of it.

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
