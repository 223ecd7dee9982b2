"""Reads CIFAR-10 and CIFAR-100 in any official packing.

Archives are read in memory and never unpacked, and pickles are never loaded.
"""

import lzma
import tarfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from nascore.data.array_pickles import read_array_pickle
from nascore.errors import InputError

# All of CIFAR is 180 MB.
MAX_ARCHIVE_BYTES = 1 << 30
CIFAR_SHAPE = (3, 32, 32)
CIFAR_BYTES = 3 * 32 * 32

Arrays = tuple[np.ndarray, dict[str, np.ndarray]]

_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError)


def read_cifar(source: Path, dataset: str) -> dict[str, Arrays]:
    """Reads CIFAR-10 or CIFAR-100 in any official packing.

    Args:
      source: a folder that holds the archive or the unpacked batches, or
        the archive itself (.tar.gz, .tar.xz; binary or python version).
      dataset: `cifar10` or `cifar100`.

    Returns:
      For `train` and `test` uint8 images `[n, 32, 32, 3]` and labels by name.

    Raises:
      InputError: no such files, or broken ones.
    """
    binary, python = {
        "cifar10": (
            {
                "train": [f"data_batch_{n}.bin" for n in range(1, 6)],
                "test": ["test_batch.bin"],
            },
            {
                "train": [f"data_batch_{n}" for n in range(1, 6)],
                "test": ["test_batch"],
            },
        ),
        "cifar100": (
            {"train": ["train.bin"], "test": ["test.bin"]},
            {"train": ["train"], "test": ["test"]},
        ),
    }[dataset]
    label_names = {
        "cifar10": ["label"],
        "cifar100": ["coarse_label", "label"],
    }[dataset]
    packings = [
        [name for part in names.values() for name in part]
        for names in (binary, python)
    ]
    files = _cifar_files(source, {*packings[0], *packings[1]})
    for names, wanted, reader in (
        (binary, packings[0], _binary_batch),
        (python, packings[1], _python_batch),
    ):
        if all(name in files for name in wanted):
            return {
                part: _join(
                    [
                        reader(files[name](), name, label_names)
                        for name in batches
                    ]
                )
                for part, batches in names.items()
            }
    raise InputError(
        f"{source} holds no complete {dataset}: expected "
        f"{', '.join(packings[0])}, or an official "
        ".tar.gz of them"
    )


def read_cifar_names(source: Path, dataset: str) -> dict[str, list[str]]:
    """Reads the names of the classes, by label, as far as they are there.

    Args:
      source: as for `read_cifar`.
      dataset: `cifar10` or `cifar100`.
    """
    texts, pickled = {
        "cifar10": ({"label": "batches.meta.txt"}, "batches.meta"),
        "cifar100": (
            {
                "label": "fine_label_names.txt",
                "coarse_label": "coarse_label_names.txt",
            },
            "meta",
        ),
    }[dataset]
    files = _cifar_files(source, {*texts.values(), pickled})
    if all(name in files for name in texts.values()):
        return {
            label: files[name]().decode("ascii", "replace").split()
            for label, name in texts.items()
        }
    if pickled not in files:
        return {}
    meta = read_array_pickle(files[pickled](), pickled)
    keys = {
        "label": (b"label_names", b"fine_label_names"),
        "coarse_label": (b"coarse_label_names",),
    }
    found = {}
    for label in texts:
        for key in keys[label]:
            if key in meta:
                names = _flat_list(meta[key], bytes, pickled)
                found[label] = [n.decode("ascii", "replace") for n in names]
    return found


def _cifar_files(
    source: Path, wanted: Collection[str]
) -> dict[str, Callable[[], bytes]]:
    """Ways to get the content of each wanted file, by bare name."""
    if source.is_file():
        return _archive_files(source, wanted)
    if not source.is_dir():
        raise InputError(f"--source={source} does not exist")
    files: dict[str, Callable[[], bytes]] = {}
    for path in sorted(source.glob("*.tar*")) + sorted(source.glob("*.tgz")):
        files.update(_archive_files(path, wanted))
    for path in sorted([*source.glob("*"), *source.glob("cifar*/*")]):
        if path.name in wanted and path.is_file():
            _check_size(path.stat().st_size, path)
            files[path.name] = path.read_bytes
    return files


def _archive_files(
    path: Path, wanted: Collection[str]
) -> dict[str, Callable[[], bytes]]:
    files: dict[str, Callable[[], bytes]] = {}
    size = 0
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                # To skip a member is to unpack it, too.
                size += member.size
                _check_size(size, path)
                name = Path(member.name).name
                if member.isfile() and name in wanted:
                    reader = archive.extractfile(member)
                    content = reader.read() if reader else b""
                    files[name] = content.__bytes__
    except _BROKEN as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return files


def _check_size(size: int, path: Path) -> None:
    if size > MAX_ARCHIVE_BYTES:
        raise InputError(
            f"{path} holds more than {MAX_ARCHIVE_BYTES >> 20} MiB, far more "
            "than CIFAR; it is not the official file"
        )


def _join(batches: list[Arrays]) -> Arrays:
    images = np.concatenate([batch[0] for batch in batches])
    labels = {
        name: np.concatenate([batch[1][name] for batch in batches])
        for name in batches[0][1]
    }
    return images, labels


def _to_images(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, *CIFAR_SHAPE).transpose(0, 2, 3, 1)


def _binary_batch(content: bytes, name: str, labels: list[str]) -> Arrays:
    """Records of one byte a label, then red, green and blue planes."""
    record = len(labels) + CIFAR_BYTES
    if not content or len(content) % record:
        raise InputError(
            f"{name}: {len(content)} bytes are no whole number of records "
            f"of {record} bytes; the file is damaged"
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, record)
    columns = {label: rows[:, place] for place, label in enumerate(labels)}
    return _to_images(rows[:, len(labels) :]), columns


def _python_batch(content: bytes, name: str, labels: list[str]) -> Arrays:
    keys = {
        "label": (b"labels", b"fine_labels"),
        "coarse_label": (b"coarse_labels",),
    }
    batch = read_array_pickle(content, name)
    try:
        rows = np.asarray(batch[b"data"])
        columns = {
            label: np.array(
                _flat_list(
                    next(batch[key] for key in keys[label] if key in batch),
                    int,
                    name,
                ),
                np.uint8,
            )
            for label in labels
        }
        if rows.dtype != np.uint8:
            raise TypeError("its data are no bytes")
        images = _to_images(rows)
    except (
        KeyError,
        OverflowError,
        TypeError,
        ValueError,
        StopIteration,
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{name} is no batch of the CIFAR python version: {error!r}"
        ) from None
    if any(len(column) != len(images) for column in columns.values()):
        raise InputError(f"{name}: images and labels differ in number")
    return images, columns


def _flat_list(values: Any, kind: type, name: str) -> list[Any]:
    """A flat list; one of lists could stand for any number of values."""
    flat = isinstance(values, list) and all(
        isinstance(value, kind) for value in values
    )
    if not flat:
        raise InputError(f"{name} is damaged: it has odd labels")
    return values
