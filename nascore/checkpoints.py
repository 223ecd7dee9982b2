"""Saving and restoring the variables of a run."""

import sys
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf

from nascore.errors import InputError

_PREFIX = "ckpt"


class Checkpoints:
    """The newest checkpoints of a run.

    Args:
      folder: where they lie; made when the first is saved.
      variables: every variable of the run, and other state that knows how to
        become bytes, under a name of its own.
      keep: how many to keep.
    """

    def __init__(
        self,
        folder: Path,
        variables: Mapping[
            str, tf.Variable | tf.train.experimental.PythonState
        ],
        keep: int = 2,
    ) -> None:
        self._folder = folder
        self._number = 0
        self._checkpoint = tf.train.Checkpoint(**variables)
        self._manager = tf.train.CheckpointManager(
            self._checkpoint,
            str(folder),
            max_to_keep=keep,
            checkpoint_name=_PREFIX,
        )

    def save(self) -> None:
        """Writes a checkpoint, then drops the oldest."""
        self._number += 1
        self._manager.save(checkpoint_number=self._number)

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
        numbers = sorted(
            (
                int(path.stem.removeprefix(f"{_PREFIX}-"))
                for path in self._folder.glob(f"{_PREFIX}-*.index")
            ),
            reverse=True,
        )
        for number in numbers:
            path = self._folder / f"{_PREFIX}-{number}"
            try:
                status = self._checkpoint.restore(str(path))
                if whole:
                    status.assert_consumed()
                else:
                    status.assert_existing_objects_matched().expect_partial()
            # TensorFlow has an error of another kind for every damage, such
            # as IndexError for a file that was cut off.
            except Exception as error:
                reason = " ".join(str(error).split())
                print(
                    f"warning: checkpoint {path} cannot be read "
                    f"({reason[:100]}); going back to the one before",
                    file=sys.stderr,
                )
            else:
                # The next one replaces those that could not be read.
                self._number = number
                return True
        if not numbers:
            return False
        raise InputError(
            f"no checkpoint in {self._folder} can be read; start the run "
            "anew in another --run_dir"
        )
