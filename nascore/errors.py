"""The errors that a user, not a programmer, is meant to read."""

import re

_LINE_BREAKS = re.compile(r"\s*[\r\n\v\f\x85\u2028\u2029]\s*")


def printable(text: str) -> str:
    r"""Makes text from a file safe to print.

    Line breaks become spaces. What would colour a terminal, move its cursor
    or turn the direction of writing is shown as an escape, such as `\x1b`.
    """
    return "".join(
        letter
        if letter.isprintable()
        else letter.encode("unicode_escape").decode("ascii")
        for letter in _LINE_BREAKS.sub(" ", text)
    )


class InputError(ValueError):
    """A mistake in what the user gave: a flag, a file, a folder, a value.

    The message is one line that says what is wrong, where, and how to mend
    it. The scripts print it without a traceback and exit with code 2. Names
    and texts of files come in it as they are: it escapes them.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


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
