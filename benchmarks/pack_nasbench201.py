"""Packs the tables of NAS-Bench-201 as the package has them.

  python -m benchmarks.pack_nasbench201 FOLDER

FOLDER holds `nasbench201.csv.gz` (a row for each cell, accuracies in percent)
and `nasbench201_latency.csv.gz` (milliseconds); the sources of both are in
`nascore/evaluators/nasbench201/SOURCES.md`. Numbers become integers: of
1e-4 percent and of 1e-5 ms, all digits that the files have.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nascore.evaluators.nasbench201.table import FOLDER, PER_MS, PER_PERCENT
from nascore.spaces.bench201 import Bench201Space, codes_of

# Computed from the cells, not stored.
COUNTED = ("params_cifar10", "macs_cifar10")


def pack(folder: Path, out: Path = FOLDER) -> None:
    """Writes both files.

    Args:
      folder: where the CSV files lie.
      out: where the NPZ files go.
    """
    space = Bench201Space()
    table = pd.read_csv(folder / "nasbench201.csv.gz")
    rows = [space.encode(space.parse(text)) for text in table["arch"]]
    codes = codes_of(np.stack(rows))
    order = np.argsort(codes)
    accuracy = {
        name: _whole(table[name], PER_PERCENT)[order]
        for name in table.columns
        if name not in ("index", "arch", *COUNTED)
    }
    accuracy["index"] = table["index"].to_numpy(np.int16)[order]
    _save(out / "accuracy.npz", accuracy)
    latency = pd.read_csv(folder / "nasbench201_latency.csv.gz")
    if not latency["index"].equals(table["index"]):
        raise ValueError("the two tables are not in the same order")
    columns = {
        name.removesuffix("_ms"): _whole(latency[name], PER_MS)[order]
        for name in latency.columns
        if name != "index"
    }
    _save(out / "latency.npz", columns)


def _save(path: Path, columns: dict[str, Any]) -> None:
    np.savez_compressed(path, **columns)


def _whole(values: pd.Series, scale: int) -> np.ndarray:
    """Multiples of 1 over the scale, int32."""
    return np.rint(values.to_numpy() * scale).astype(np.int32)


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
