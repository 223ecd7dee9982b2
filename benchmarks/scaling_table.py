"""The table of `benchmarks.scaling`, made from its rows alone."""

import datetime
import importlib.metadata
import platform
from pathlib import Path

import pandas as pd

_KEYS = ["part", "backend", "workers", "threads", "tasks"]
_PACKAGES = ("tensorflow", "keras", "numpy", "joblib", "distributed", "ray")


def write(rows: Path, out: Path) -> None:
    """Writes medians, ranges and speed-ups as Markdown.

    Args:
      rows: the CSV file of `benchmarks.scaling`.
      out: the file to write.
    """
    table = pd.read_csv(rows)
    lines = [
        f"{_machine()}; {_versions()}; {datetime.date.today()}.",
        "",
        "Medians of the rounds (least..greatest). Strong speed-up: time of "
        "one process of one thread for the same work, over this row's time. "
        "Weak: its time for half the work, times 2, over this row's time.",
        "",
        "| what | back end | processes x threads | tasks | rounds | seconds "
        "| strong speed-up | weak speed-up |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for column, note in (("seconds", ""), ("again_seconds", ", again")):
        for values, group in table.groupby(_KEYS, sort=False):
            part, backend, workers, threads, tasks = values
            seconds = group.set_index("round")[column].dropna()
            if seconds.empty:
                continue
            ratios = []
            for work in (tasks, tasks // 2):
                same = (table[_KEYS] == [part, backend, 1, 1, work]).all(axis=1)
                base = table[same].set_index("round")[column]
                ratio = base / seconds * tasks / max(1, work)
                shown = workers > 1 or (threads > 1 and work == tasks)
                ratios.append(_range(ratio, 2) if shown else "")
            lines.append(
                f"| {part}{note} | {backend} | {workers} x {threads} | {tasks} "
                f"| {len(seconds)} | {_range(seconds, 1)} "
                f"| {' | '.join(ratios)} |"
            )
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _range(values: pd.Series, digits: int) -> str:
    values = values.dropna()
    return (
        f"{values.median():.{digits}f} "
        f"({values.min():.{digits}f}..{values.max():.{digits}f})"
    )


def _machine() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        names = [
            line.split(":")[1].strip()
            for line in text.splitlines()
            if line.startswith("model name")
        ]
        return f"{len(names)} cores of {names[0]}"
    except (OSError, IndexError):
        return platform.machine()


def _versions() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return f"Python {platform.python_version()}, {', '.join(found)}"
