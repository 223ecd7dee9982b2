"""Saving and restoring the variables of a run."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from nascore.errors import InputError, StorageError
from nascore.runs import npz
from nascore.runs.atomic import remove, sync
from nascore.runs.checkpoint_files import FILE, PREFIX, list_names, list_numbers

# Each part of a state under a name of its own.
State = Mapping[str, tf.Variable | tf.train.experimental.PythonState]

_TEMPORARY = re.compile(rf"{PREFIX}-\d+_temp$")


class Arrays(tf.train.experimental.PythonState):
    """Named arrays of whatever lives outside of graphs.

    Attributes:
      values: by name; replace any of them, or all.
    """

    def __init__(self) -> None:
        self.values: dict[str, np.ndarray] = {}

    def serialize(self) -> bytes:
        """The arrays as an NPZ file."""
        return npz.pack(self.values)

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        self.values = npz.unpack(string_value)


class Checkpoints:
    """The newest checkpoints of a run.

    Args:
      folder: where they lie; made when the first is saved.
      variables: every variable of the run, and other state that knows how to
        become bytes, under a name of its own.
      keep: how many to keep.
      check: raises InputError if what was restored does not fit to what else
        there is, so that the checkpoint before is tried.
    """

    def __init__(
        self,
        folder: Path,
        variables: State,
        keep: int = 2,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._check = check
        self._keep = keep
        self._number = 0
        # Not with TensorFlow's manager: it cannot start from the list of
        # checkpoints that a crash in the middle of writing it leaves.
        self._checkpoint = tf.train.Checkpoint(**variables)

    def save(self) -> None:
        """Writes a checkpoint, then drops the oldest.

        Raises:
          StorageError: it could not be written; the one before is intact.
        """
        number = self._number + 1
        try:
            self._folder.mkdir(exist_ok=True)
            self._checkpoint.write(str(self._folder / f"{PREFIX}-{number}"))
            # TensorFlow leaves it to the system when they reach the disk.
            for written in self._folder.glob(f"{PREFIX}-{number}.*"):
                sync(written)
            sync(self._folder)
            self._drop_older_than(number - self._keep + 1)
        except tf.errors.OpError as error:
            raise StorageError(self._folder, _reason(error)) from None
        except OSError as error:
            raise StorageError(self._folder, str(error.strerror)) from None
        self._number = number

    def _drop_older_than(self, number: int) -> None:
        """Deletes what newer checkpoints have taken the place of."""
        for name in list_names(self._folder):
            match = FILE.match(name)
            # What TensorFlow was writing when a process died, it leaves.
            if match and int(match[1]) < number or _TEMPORARY.match(name):
                remove(self._folder / name)

    def restore(self, whole: bool = True) -> bool:
        """Restores the newest checkpoint that can be read.

        Args:
          whole: whether the checkpoint must hold nothing but these
            variables.

        Returns:
          False if no checkpoint was ever saved.

        Raises:
          InputError: there are some and none can be read.
        """
        numbers = list_numbers(self._folder)
        for number in numbers:
            path = self._folder / f"{PREFIX}-{number}"
            try:
                status = self._checkpoint.read(str(path))
                if whole:
                    status.assert_consumed()
                else:
                    status.assert_existing_objects_matched().expect_partial()
                self._check()
            # TensorFlow has an error of another kind for every damage, such
            # as IndexError for a file that was cut off.
            except Exception as error:
                reason = _one_line(error)
                if number != numbers[-1]:
                    print(
                        f"warning: checkpoint {path} cannot be used "
                        f"({reason}); going back to the one before",
                        file=sys.stderr,
                    )
            else:
                # The next one replaces those that could not be read.
                self._number = number
                return True
        if not numbers:
            return False
        raise InputError(
            f"no checkpoint in {self._folder} can be used ({reason}); bring "
            "the files back as they were, or start the run anew in another "
            "--run_dir"
        )


def _reason(error: tf.errors.OpError) -> str:
    """What the system said: TensorFlow puts it last, after the file."""
    text = (error.message or type(error).__name__).split("\n")[0]
    return re.sub(r" *\[Op:.*", "", text).split("; ")[-1]


def _one_line(error: Exception) -> str:
    """What it says, or as much as says enough of TensorFlow's essays."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, InputError) or len(text) <= 100:
        return text
    return f"{text[:100]}..."
