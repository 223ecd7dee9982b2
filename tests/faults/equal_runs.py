"""Whether two runs left the same: rows, rankings, weights, files."""

import csv
import json
from pathlib import Path

import numpy as np

# What measures time, or says when and where something was done.
_TIMES = (
    "seconds",
    "images_per_second",
    "starts",
    "time",
    "command",
    "versions",
)


def without_times(value):
    """JSON content without what differs from run to run."""
    if isinstance(value, dict):
        return {
            name: without_times(part)
            for name, part in value.items()
            if name not in _TIMES
        }
    if isinstance(value, list):
        return [without_times(part) for part in value]
    return value


def read_rows(path: Path):
    """The rows of a CSV file without the columns that measure time."""
    with path.open(newline="", encoding="utf-8") as file:
        return [without_times(row) for row in csv.DictReader(file)]


def read_weights(folder: Path):
    """Every variable of the newest checkpoint."""
    import tensorflow as tf

    newest = max(
        folder.glob("*.index"), key=lambda path: int(path.stem.split("-")[1])
    )
    reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        # The number of saves, seconds, and state that holds seconds.
        if not name.startswith(
            (
                "save_counter",
                "seconds",
                "stopwatch",
                "tables",
                "pending",
                "best",
                "_",
            )
        )
    }


def file_names(path: Path):
    """All files, but those that measure, or whose names hold a time."""
    return {
        str(file.relative_to(path))
        for file in path.rglob("*")
        if file.is_file()
        and file.name not in ("memory.json", "cost.json", "rank_cost.json")
        and "tensorboard" not in file.parts
        and "checkpoints" not in file.parts
    }


def differences(one: Path, other: Path) -> list[str]:
    """Says in what two finished runs differ; nothing if they are equal."""
    found = []
    names, others = file_names(one), file_names(other)
    found += [f"only in one: {name}" for name in sorted(names ^ others)]
    for name in sorted(names & others):
        if name.endswith(".csv"):
            same = read_rows(one / name) == read_rows(other / name)
        elif name.endswith(".json"):
            contents = [
                without_times(json.loads((path / name).read_text()))
                for path in (one, other)
            ]
            same = contents[0] == contents[1]
        else:
            continue
        if not same:
            found.append(f"differs: {name}")
    for folder in sorted(one.rglob("checkpoints")):
        place = folder.relative_to(one)
        weights = [read_weights(path / place) for path in (one, other)]
        if set(weights[0]) != set(weights[1]):
            found.append(f"other variables: {place}")
            continue
        found += [
            f"differs: {place}: {name}"
            for name, value in weights[0].items()
            # By bits: what is not a number yet is equal to itself.
            if np.asarray(value).tobytes()
            != np.asarray(weights[1][name]).tobytes()
        ]
        left = [path.name for path in (other / place).glob("*temp*")]
        found += [f"left over: {place / name}" for name in left]
    return found
