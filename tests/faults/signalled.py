"""Runs a script that gets a signal when it prints a certain line.

  python -m tests.faults.signalled SIGNAL TEXT MODULE [FLAGS]

From itself, so that it comes at that moment however slow the machine is.
"""

import os
import runpy
import signal
import sys

from nascore.runs.progress import Progress


def signal_at(signum, text):
    """Sends it once, after the line that holds the text."""
    line = Progress.line

    def patched(self, said, *left):
        line(self, said, *left)
        if text in said:
            Progress.line = line
            os.kill(os.getpid(), signum)

    Progress.line = patched


if __name__ == "__main__":
    name, text, module, *flags = sys.argv[1:]
    sys.argv = [module, *flags]
    signal_at(signal.Signals[name], text)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
