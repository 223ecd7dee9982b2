"""Reads the official files of MNIST and Fashion-MNIST.

Every size is checked before anything is allocated.
"""

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nascore.errors import InputError

MAX_EXAMPLES = 10_000_000
MAX_MEMBER_BYTES = 1 << 30

Arrays = tuple[np.ndarray, dict[str, np.ndarray]]

_BROKEN = (OSError, EOFError, zlib.error)


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
