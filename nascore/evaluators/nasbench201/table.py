"""The numbers of NAS-Bench-201, read from the package.

Sources and licences: `SOURCES.md` beside this file.
"""

import functools
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nascore.errors import InputError
from nascore.evaluators.nasbench201.names import TableColumn
from nascore.spaces.bench201 import EDGES, OPERATIONS, rows_of

FOLDER = Path(__file__).parent
PER_PERCENT, PER_MS = 10_000, 100_000
CELLS = len(OPERATIONS) ** len(EDGES)
# Of the network for CIFAR-10: of all but the cells, and of an edge with each
# of these operations in all 15 cells. Batch normalisation and pooling are not
# counted as multiply-adds, as in the benchmark.
_PARAMETERS = {"": 73_306, "nor_conv_3x3": 243_040, "nor_conv_1x1": 28_000}
_MULTIPLY_ADDS = {
    "": 7_783_050,
    "nor_conv_3x3": 35_389_440,
    "nor_conv_1x1": 3_932_160,
}


def accuracies(column: TableColumn) -> np.ndarray:
    """Accuracy of each cell by its code, float64 `[15625]`, from 0 to 1.

    Raises:
      InputError: no such column, or a damaged file.
    """
    return read(FOLDER / "accuracy.npz")[column.key] / (100 * PER_PERCENT)


def numbers_of(code: int) -> dict[str, float]:
    """All numbers of one cell under their names.

    Args:
      code: of the cell.

    Returns:
      Accuracies in percent under the columns' names, the benchmark's
      `index`, parameters and multiply-adds, and `DEVICE_ms` latencies.
    """
    accuracy = read(FOLDER / "accuracy.npz")
    latency = read(FOLDER / "latency.npz")
    return {
        "index": int(accuracy["index"][code]),
        **{
            name: float(values[code]) / PER_PERCENT
            for name, values in accuracy.items()
            if name != "index"
        },
        "parameters": int(parameters()[code]),
        "multiply_adds": int(multiply_adds()[code]),
        **{
            f"{name}_ms": float(values[code]) / PER_MS
            for name, values in latency.items()
        },
    }


def parameters() -> np.ndarray:
    """Trainable numbers of the network for CIFAR-10, int64 `[15625]`."""
    return _count(_PARAMETERS)


def multiply_adds() -> np.ndarray:
    """Of the network for CIFAR-10 and one image, int64 `[15625]`."""
    return _count(_MULTIPLY_ADDS)


def _count(parts: Mapping[str, int]) -> np.ndarray:
    each = np.array([parts.get(name, 0) for name in OPERATIONS])
    return parts[""] + each[rows_of(np.arange(CELLS))].sum(axis=1)


@functools.cache
def read(path: Path) -> Mapping[str, np.ndarray]:
    """Reads one of the files.

    Raises:
      InputError: it is missing, damaged, or another file.
    """
    mend = "install the package again"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path} is no table of NAS-Bench-201 ({error}); {mend}"
        ) from error
    wrong = [
        name
        for name, values in found.items()
        if values.shape != (CELLS,) or values.dtype.kind not in "iu"
    ]
    if wrong or not found:
        raise InputError(
            f"{path} is no table of NAS-Bench-201: "
            f"{wrong[0] if wrong else 'nothing'} in it is not {CELLS:,} "
            f"integers; {mend}"
        )
    return found


@functools.cache
def fingerprint() -> str:
    """Of all accuracies; a run goes on only with the same ones."""
    digest = hashlib.sha256()
    for name, values in sorted(read(FOLDER / "accuracy.npz").items()):
        digest.update(name.encode() + values.tobytes())
    return digest.hexdigest()
