"""Runs the commands of results/memory again and writes what they took.

  python -m benchmarks.memory OUT [RUN ...]

Each command is a process of its own; OUT gets `rows.csv` and the run folders.
Without names of runs all are made, which takes about an hour.
"""

import csv
import json
import shlex
import subprocess
import sys
from pathlib import Path

from nascore.runs.folder import MEMORY_FILE

ROWS = Path(__file__).parent.parent / "results" / "memory" / "rows.csv"


def measure(command: str, folder: Path) -> dict[str, int]:
    """Runs one command; returns estimate and peak in bytes."""
    words = [sys.executable, *shlex.split(command)[1:]]
    subprocess.run([*words, f"--run_dir={folder}"], check=True)
    written = json.loads((folder / MEMORY_FILE).read_text(encoding="utf-8"))
    return {
        "estimate_bytes": written["estimate"],
        "peak_bytes": written["host_peak"],
    }


def main(out: Path, chosen: list[str]) -> None:
    """Measures the chosen runs, or all."""
    out.mkdir(parents=True, exist_ok=True)
    with ROWS.open(encoding="utf-8") as file:
        known = {row["run"]: row["command"] for row in csv.DictReader(file)}
    with (out / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        names = ["run", "command", "estimate_bytes", "peak_bytes"]
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for run in chosen or list(known):
            row = measure(known[run], out / run)
            writer.writerow({"run": run, "command": known[run], **row})
            file.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
