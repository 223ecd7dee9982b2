"""How time and memory grow with the sizes of a search.

  python -m benchmarks.growth OUT [--limit=N]

Each point is a process of its own, so that its peak of memory is its own.
Rows go to OUT/growth.csv as they come; points that are there are not measured
again. In the end OUT/growth.png and OUT/growth.md are made. About 8 minutes
on two cores, which should have nothing else to do.
"""

import argparse
import csv
import dataclasses
import datetime
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.growth_point import ARCHITECTURES, ROUNDS, Point
from benchmarks.growth_report import draw, write_table

# All but batch and images vary at batch 32: 80 filters at 128 take minutes.
_SMALL = Point(batch=32)
SWEEPS: dict[str, list[Point]] = {
    "batch": [Point(batch=n) for n in (16, 32, 64, 128, 256)],
    "filters": [
        dataclasses.replace(_SMALL, filters=n) for n in (10, 20, 40, 80)
    ],
    "layers": [dataclasses.replace(_SMALL, layers=n) for n in (8, 17, 32)],
    "nodes": [dataclasses.replace(_SMALL, nodes=n) for n in (3, 5, 7, 9)],
    "images": [Point(images=n) for n in (1000, 10000, 50000)],
}
_KEY = [field.name for field in dataclasses.fields(Point)]
_COLUMNS = [
    *_KEY,
    *(
        f"{name}_s{suffix}"
        for name in ("step", "evaluation")
        for suffix in ("", "_least", "_most")
    ),
    "start_up_s",
    "peak_bytes",
    "multiply_adds",
]

Rows = dict[Point, dict[str, float]]


def read(path: Path) -> Rows:
    """The points that were measured; none if there is no file."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            Point(*(int(row[name]) for name in _KEY)): {
                name: float(row[name]) for name in _COLUMNS if name not in _KEY
            }
            for row in csv.DictReader(file)
        }


def missing(rows: Rows) -> list[Point]:
    """The points still to be measured, each once."""
    every = [point for points in SWEEPS.values() for point in points]
    return [point for point in dict.fromkeys(every) if point not in rows]


def append(path: Path, point: Point, values: dict[str, float]) -> None:
    """Adds a row, below a header if it is the first."""
    fresh = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        if fresh:
            writer.writeheader()
        rounded = {name: float(f"{n:.5g}") for name, n in values.items()}
        for name in ("peak_bytes", "multiply_adds"):
            rounded[name] = int(values[name])
        writer.writerow({**dataclasses.asdict(point), **rounded})


def measure_alone(point: Point) -> dict[str, float]:
    """Measures a point in a process of its own."""
    values = map(str, dataclasses.astuple(point))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth_point", *values],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def collect(rows: Rows) -> dict[str, list[dict[str, float]]]:
    """For each variable what was measured at its points, with the sizes."""
    return {
        name: [{**dataclasses.asdict(point), **rows[point]} for point in points]
        for name, points in SWEEPS.items()
    }


def describe() -> str:
    """What was measured, by which command, where and when."""
    model = "processor"
    if (info := Path("/proc/cpuinfo")).exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
    version = importlib.metadata.version("tensorflow")
    return f"""# How time and memory grow with the sizes of a search

`python -m benchmarks.growth OUT`, {model}, {os.cpu_count()} cores, TensorFlow
{version}, {datetime.date.today()}.

Random 32x32x3 images; {ARCHITECTURES} random architectures, the same at all
points; medians of {ROUNDS} rounds or more after one to warm up. A step is
forward, backward and update; an evaluation is one reward, on as many images as
a step. Start-up is building, tracing and the first step, after the imports.
Memory is the peak of the process. The multiply-adds are those of a batch,
forwards, mean over the architectures, without the auxiliary head. Exponents
come from a line through the logarithms, with their standard errors. Where a
constant part is large, as the 0.7 GiB of the process, they are low."""


def main() -> None:
    """Measures what is missing, then draws and tabulates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--limit", type=int, default=None, help="points to measure at most"
    )
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    path = out / "growth.csv"
    for point in missing(read(path))[: arguments.limit]:
        print(point, flush=True)
        append(path, point, measure_alone(point))
    rows = read(path)
    if left := len(missing(rows)):
        print(f"{left} points left")
        return
    sweeps = collect(rows)
    draw(sweeps).savefig(out / "growth.png", dpi=110)
    write_table(sweeps, out / "growth.md", describe())
    print(f"wrote growth.png and growth.md into {out}")


if __name__ == "__main__":
    main()
