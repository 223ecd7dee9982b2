"""Standard output and error that cannot end a run."""

import errno
import io
import os
import sys
from typing import Any

# What a write brings when the reader has gone: of a pipe, of a terminal; and
# of a pipe on Windows.
_GONE = (errno.EPIPE, errno.EIO, *[errno.EINVAL] * (os.name == "nt"))
_NAMES = {1: "standard output", 2: "standard error"}


def open_closed() -> None:
    """Opens the standard streams that this process was started without.

    Daemons and cron jobs have none. The next file that is opened would take
    the place of one, and what anybody prints would go into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one.
            opened = os.open(os.devnull, os.O_RDWR)
            # Processes that this one starts shall have it, too.
            os.set_inheritable(opened, True)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


class _Output(io.FileIO):
    """A file that goes on without a reader."""

    def write(self, data: Any, /) -> int:
        """Writes; to nowhere, from the first failure on.

        Raises:
          OSError: of another kind than that nobody reads any more.
        """
        try:
            return super().write(data)
        except OSError as error:
            # What is still in a buffer must not fail again at the end.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if error.errno in _GONE:
                return len(data)
            name = _NAMES[self.fileno()]
            raise OSError(error.errno, error.strerror, name) from None


def guard() -> None:
    """Makes `sys.stdout` and `sys.stderr` safe to print anything to.

    Where the reader ends before the run, as in `| head`, the rest is dropped
    and the run goes on. Letters that the encoding lacks come as escapes.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        old = getattr(sys, name)
        # Not what a notebook or a test has put there.
        if type(old) is not io.TextIOWrapper or old.fileno() != number:
            continue
        old.flush()
        if type(getattr(old.buffer, "raw", old.buffer)) is not io.FileIO:
            # Windows's own terminal, which takes letters and no bytes.
            old.reconfigure(errors="backslashreplace")
            continue
        output: Any = _Output(number, "wb", closefd=False)
        # As Python itself has it, with PYTHONUNBUFFERED or without.
        stream = io.TextIOWrapper(
            output if old.write_through else io.BufferedWriter(output),
            old.encoding,
            "backslashreplace",
            line_buffering=old.line_buffering,
            write_through=old.write_through,
        )
        setattr(sys, name, stream)
