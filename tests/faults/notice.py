"""Tells a search to stop at random moments and times how long it takes.

  python -m tests.faults.notice --out=OUT --flags="--dataset=..." --times=10

A machine that is taken away gives its processes some seconds. Prints a row
for each SIGTERM: after how many seconds it came, how many it took, how the
process ended and how far the search had come. Each start resumes the run.
"""

import argparse
import random
import shlex
import signal
import subprocess
import time
from pathlib import Path

from tests.faults.kill_anywhere import Script, command, start


def main() -> None:
    """Starts, tells to stop, resumes, so many times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--module", default="experiments.search_enas")
    parser.add_argument("--flags", default="")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--longest", type=float, default=120.0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    flags = shlex.split(arguments.flags)
    script = Script(arguments.module, flags, "derived_architectures.json")
    log = arguments.out / "log"
    draw = random.Random(1)
    for _ in range(arguments.times):
        wait = draw.uniform(5, arguments.longest)
        process = start(command(script, arguments.out / "run"), log)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            pass
        process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        code = process.wait()
        seconds = time.monotonic() - begin
        said = log.read_text().splitlines()[-1]
        print(
            f"after {wait:5.1f} s: {seconds:4.1f} s, exit code {code}: {said}",
            flush=True,
        )


if __name__ == "__main__":
    main()
