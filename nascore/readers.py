"""Readers of the official files of MNIST, Fashion-MNIST and CIFAR.

Every size is checked before anything is allocated, archives are read in
memory and never unpacked, and no pickle can run code.
"""

import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nascore.errors import InputError

MAX_EXAMPLES = 10_000_000
MAX_MEMBER_BYTES = 1 << 30
CIFAR_SHAPE = (3, 32, 32)
CIFAR_BYTES = 3 * 32 * 32

Arrays = tuple[np.ndarray, dict[str, np.ndarray]]

_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError)


def read_idx(path: Path) -> np.ndarray:
    """Reads a uint8 IDX file, gzipped or not.

    Raises:
      InputError: not an IDX file of bytes, or not as long as it says.
    """
    opener: Callable[[Path], Any] = gzip.open
    try:
        with path.open("rb") as raw:
            if raw.read(2) != b"\x1f\x8b":
                opener = _open_plain
        with opener(path) as file:
            zeros, kind, dimensions = struct.unpack(">HBB", _exactly(file, 4))
            if zeros or kind != 8 or not 1 <= dimensions <= 4:
                raise InputError(f"{path} is not an IDX file of bytes")
            shape = struct.unpack(
                f">{dimensions}I", _exactly(file, 4 * dimensions)
            )
            size = int(np.prod(shape, dtype=object))
            if shape[0] > MAX_EXAMPLES or size > MAX_MEMBER_BYTES:
                raise InputError(
                    f"{path}: its header claims the impossible shape {shape}"
                )
            content = file.read(size + 1)
    except _BROKEN as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if len(content) != size:
        raise InputError(
            f"{path}: its header says {shape}, which is {size} bytes, and "
            f"{len(content)} or more follow; the file is damaged"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _open_plain(path: Path) -> Any:
    return path.open("rb")


def _exactly(file: Any, size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise EOFError("the file ends inside its header")
    return content


def read_mnist(folder: Path, part: str) -> Arrays:
    """Reads one part of MNIST or Fashion-MNIST.

    Args:
      folder: holds the official IDX files, gzipped or not.
      part: `train` or `test`.

    Returns:
      uint8 images `[n, 28, 28, 1]`, and labels by name.

    Raises:
      InputError: a missing or broken file, or files that disagree.
    """
    prefix = {"train": "train", "test": "t10k"}[part]
    images_path = _find(folder, f"{prefix}-images-idx3-ubyte")
    labels_path = _find(folder, f"{prefix}-labels-idx1-ubyte")
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise InputError(
            f"{images_path} {images.shape} and {labels_path} {labels.shape} "
            "do not belong together"
        )
    return images[..., None], {"label": labels}


def _find(folder: Path, name: str) -> Path:
    for candidate in (f"{name}.gz", name, name.replace("-idx", ".idx")):
        if (folder / candidate).is_file():
            return folder / candidate
    raise InputError(f"{folder} holds no file {name}.gz")


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
    files = _cifar_files(source)
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
    for names, reader in ((binary, _binary_batch), (python, _python_batch)):
        wanted = [name for part in names.values() for name in part]
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
        f"{', '.join(binary['train'] + binary['test'])}, or an official "
        ".tar.gz of them"
    )


def read_cifar_names(source: Path, dataset: str) -> dict[str, list[str]]:
    """Reads the names of the classes, by label, as far as they are there.

    Args:
      source: as for `read_cifar`.
      dataset: `cifar10` or `cifar100`.
    """
    files = _cifar_files(source)
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
    if all(name in files for name in texts.values()):
        return {
            label: files[name]().decode("ascii", "replace").split()
            for label, name in texts.items()
        }
    if pickled not in files:
        return {}
    meta = _load_arrays(files[pickled](), pickled)
    keys = {
        "label": (b"label_names", b"fine_label_names"),
        "coarse_label": (b"coarse_label_names",),
    }
    return {
        label: [name.decode("ascii", "replace") for name in meta[key]]
        for label in texts
        for key in keys[label]
        if key in meta
    }


def _cifar_files(source: Path) -> dict[str, Callable[[], bytes]]:
    """Ways to get the content of each file, by bare name."""
    if source.is_file():
        return _archive_files(source)
    if not source.is_dir():
        raise InputError(f"--source={source} does not exist")
    files: dict[str, Callable[[], bytes]] = {}
    for path in sorted(source.glob("*.tar*")) + sorted(source.glob("*.tgz")):
        files.update(_archive_files(path))
    for path in sorted([*source.glob("*"), *source.glob("cifar*/*")]):
        if path.is_file() and path.stat().st_size <= MAX_MEMBER_BYTES:
            files[path.name] = path.read_bytes
    return files


def _archive_files(path: Path) -> dict[str, Callable[[], bytes]]:
    files: dict[str, Callable[[], bytes]] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.size <= MAX_MEMBER_BYTES:
                    reader = archive.extractfile(member)
                    content = reader.read() if reader else b""
                    files[Path(member.name).name] = content.__bytes__
    except _BROKEN as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return files


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


class _ArrayUnpickler(pickle.Unpickler):
    """Admits what the python version holds: NumPy arrays, nothing else."""

    _ALLOWED = {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("_codecs", "encode"),
    }

    def find_class(self, module: str, name: str) -> Any:
        """Looks up an allowed name only."""
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it wants to load {module}.{name}")
        if name == "_reconstruct":
            module = "numpy._core.multiarray"
        return super().find_class(module, name)


def _load_arrays(content: bytes, name: str) -> Any:
    """Unpickles arrays and plain values; refuses everything else."""
    try:
        return _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # A damaged pickle can raise anything.
        raise InputError(
            f"{name} is no file of the CIFAR python version: {error}"
        ) from None


def _python_batch(content: bytes, name: str, labels: list[str]) -> Arrays:
    keys = {
        "label": (b"labels", b"fine_labels"),
        "coarse_label": (b"coarse_labels",),
    }
    batch = _load_arrays(content, name)
    try:
        rows = np.asarray(batch[b"data"], np.uint8)
        columns = {
            label: np.asarray(
                next(batch[key] for key in keys[label] if key in batch),
                np.uint8,
            )
            for label in labels
        }
        images = _to_images(rows)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise InputError(
            f"{name} is no batch of the CIFAR python version: {error}"
        ) from None
    if any(len(column) != len(images) for column in columns.values()):
        raise InputError(f"{name}: images and labels differ in number")
    return images, columns
