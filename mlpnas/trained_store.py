"""Trained candidates as a part of a checkpoint."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mlpnas.candidates.tasks import EpochRows, Trained
from nascore.runs.checkpoints import pack, unpack


class TrainedStore(tf.train.experimental.PythonState):
    """Trained candidates by a number, saved in NumPy's NPZ format.

    Attributes:
      entries: the candidates.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Trained] = {}

    def serialize(self) -> bytes:
        """The store as the bytes of an NPZ file."""
        arrays = {}
        for number, trained in self.entries.items():
            for place, (kernel, bias) in enumerate(trained.weights):
                arrays[f"{number}|kernel|{place}"] = kernel
                arrays[f"{number}|bias|{place}"] = bias
            arrays[f"{number}|rows"] = np.stack(trained.rows)
            arrays[f"{number}|seconds"] = np.array(trained.seconds)
            if trained.diverged_at is not None:
                arrays[f"{number}|diverged_at"] = np.array(trained.diverged_at)
        return pack(arrays)

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        self.entries.clear()
        arrays = unpack(string_value)
        for name in arrays:
            number, kind, *_ = name.split("|")
            if kind == "rows":
                self.entries[int(number)] = _read(arrays, number)


def _read(arrays: Mapping[str, np.ndarray], number: str) -> Trained:
    layers = sum(name.startswith(f"{number}|kernel|") for name in arrays)
    weights = [
        (arrays[f"{number}|kernel|{place}"], arrays[f"{number}|bias|{place}"])
        for place in range(layers)
    ]
    rows = EpochRows(*arrays[f"{number}|rows"])
    place = arrays.get(f"{number}|diverged_at")
    return Trained(
        weights,
        rows,
        float(arrays[f"{number}|seconds"]),
        None if place is None else (int(place[0]), int(place[1])),
    )
