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
    """

    exit_code = 1
