"""Reads the binary version of CIFAR-10 and CIFAR-100.

Archives are read in memory and never unpacked. The python version consists
of pickles, which are programs: it is told by its files' names, and refused.
"""

import dataclasses
import lzma
import tarfile
import zlib
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from nascore.errors import InputError

# All of CIFAR is 180 MB.
MAX_ARCHIVE_BYTES = 1 << 30
CIFAR_SHAPE = (3, 32, 32)
CIFAR_BYTES = 3 * 32 * 32

Arrays = tuple[np.ndarray, dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class _Packing:
    """The files of a data set's binary version.

    Attributes:
      batches: files of `train` and of `test`.
      names: files of class names by label, in the order of a record's labels.
      meta: the python version's file of names; its batches have the names of
        the binary ones without `.bin`.
      url: of the official archive.
    """

    batches: dict[str, list[str]]
    names: dict[str, str]
    meta: str
    url: str

    @property
    def binary(self) -> list[str]:
        """All batches."""
        return [name for part in self.batches.values() for name in part]

    @property
    def python(self) -> list[str]:
        """All files of the python version."""
        return [*(name.removesuffix(".bin") for name in self.binary), self.meta]


_PACKINGS = {
    "cifar10": _Packing(
        batches={
            "train": [f"data_batch_{n}.bin" for n in range(1, 6)],
            "test": ["test_batch.bin"],
        },
        names={"label": "batches.meta.txt"},
        meta="batches.meta",
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    ),
    "cifar100": _Packing(
        batches={"train": ["train.bin"], "test": ["test.bin"]},
        names={
            "coarse_label": "coarse_label_names.txt",
            "label": "fine_label_names.txt",
        },
        meta="meta",
        url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    ),
}

_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError)


def read_cifar(source: Path, dataset: str) -> dict[str, Arrays]:
    """Reads CIFAR-10 or CIFAR-100.

    Args:
      source: a folder that holds the archive or the unpacked batches, or
        the archive itself (.tar.gz, .tar.xz).
      dataset: `cifar10` or `cifar100`.

    Returns:
      For `train` and `test` uint8 images `[n, 32, 32, 3]` and labels by name.

    Raises:
      InputError: no such files, broken ones, or the python version.
    """
    packing = _PACKINGS[dataset]
    files = _cifar_files(source, packing.binary)
    if not files:
        _refuse_python(source, dataset)
    if not all(name in files for name in packing.binary):
        raise InputError(
            f"{source} holds no complete {dataset}: expected "
            f"{', '.join(packing.binary)}, or their archive, {packing.url}"
        )
    labels = list(packing.names)
    return {
        part: _join([_batch(files[name](), name, labels) for name in batches])
        for part, batches in packing.batches.items()
    }


def read_cifar_names(source: Path, dataset: str) -> dict[str, list[str]]:
    """Reads the names of the classes, by label, if all are there.

    Args:
      source: as for `read_cifar`.
      dataset: `cifar10` or `cifar100`.
    """
    texts = _PACKINGS[dataset].names
    files = _cifar_files(source, texts.values())
    if not all(name in files for name in texts.values()):
        return {}
    return {
        label: files[name]().decode("ascii", "replace").split()
        for label, name in texts.items()
    }


def _refuse_python(source: Path, dataset: str) -> None:
    """Raises InputError if there are files of the python version."""
    packing = _PACKINGS[dataset]
    files = _cifar_files(source, packing.python)
    found = [name for name in packing.python if name in files]
    if found:
        raise InputError(
            f"{source} holds the python version of {dataset} ({found[0]}), "
            f"which is not read; fetch the binary one, {packing.url}"
        )


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


def _batch(content: bytes, name: str, labels: list[str]) -> Arrays:
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
