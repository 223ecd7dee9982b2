"""Runs a script that kills itself, as a crash would, at a chosen moment.

  python -m tests.faults.dying MOMENT NUMBER MODULE [FLAGS]

Moments, of which the NUMBER-th is the end of the process:
  sync        a file has been written and does not stand in its place yet,
  torn        half of what is added to a table has been written,
  checkpoint  TensorFlow is writing a checkpoint.
"""

import os
import random
import runpy
import signal
import sys
import threading
import time
from pathlib import Path


def die():
    """Ends the process without any of its endings."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_sync(number):
    """Dies before a file is known to be on the disk, or just after."""
    sync, calls, before = os.fsync, iter(range(1, 10**9)), number % 2

    def patched(descriptor):
        reached = next(calls) >= number
        if reached and before:
            die()
        sync(descriptor)
        if reached:
            die()

    os.fsync = patched


def die_within_append(number):
    """Dies when a part of some rows has been written."""
    from nascore.runs import tables

    calls = iter(range(1, 10**9))

    class Torn:
        """A file whose only write ends in the middle."""

        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self._file.close()

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, content):
            if next(calls) < number:
                return self._file.write(content)
            self._file.write(content[: random.randrange(len(content))])
            self._file.flush()
            die()

    class TornPath(type(Path())):
        def open(self, mode="r", *arguments, **options):
            file = super().open(mode, *arguments, **options)
            return Torn(file) if mode in ("r+b", "wb") else file

    init = tables.Table.__init__
    tables.Table.__init__ = lambda self, path: init(self, TornPath(path))


def die_within_checkpoint(number):
    """Dies when TensorFlow has begun to write a checkpoint."""
    folders = [
        Path(word.removeprefix("--run_dir=")) / "checkpoints"
        for word in sys.argv
        if word.startswith("--run_dir=")
    ]
    if not folders:
        return
    (folder,) = folders

    def watch():
        seen = set()
        while True:
            try:
                names = os.listdir(folder)
            except FileNotFoundError:
                names = []
            seen.update(name for name in names if "temp" in name)
            if len(seen) >= number:
                time.sleep(random.random() * 2e-3)
                die()
            time.sleep(1e-4)

    threading.Thread(target=watch, daemon=True).start()


MOMENTS = {
    "sync": die_at_sync,
    "torn": die_within_append,
    "checkpoint": die_within_checkpoint,
}


if __name__ == "__main__":
    moment, number, module, *flags = sys.argv[1:]
    sys.argv = [module, *flags]
    MOMENTS[moment](int(number))
    runpy.run_module(module, run_name="__main__", alter_sys=True)
