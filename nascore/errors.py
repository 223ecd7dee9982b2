"""The errors that a user, not a programmer, is meant to read."""


class InputError(ValueError):
    """A mistake in what the user gave: a flag, a file, a folder, a value.

    The message is one line that says what is wrong, where, and how to mend
    it. The scripts print it without a traceback and exit with code 2.
    """


class RunStopped(Exception):
    """A run ended before its last epoch; its checkpoints are intact.

    Attributes:
      exit_code: what a script exits with.
      resumable: whether the same run can go on from there.
    """

    exit_code = 1
    resumable = False


class StorageError(RunStopped):
    """A file could not be written or read any more, as on a full disk."""

    resumable = True

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(
            f"stopped: {path}: {reason}; what was saved before is intact"
        )
