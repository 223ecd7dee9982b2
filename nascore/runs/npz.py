"""Arrays as the bytes of an NPZ file, for checkpoints; never pickled."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Returns the bytes of an NPZ file of named arrays."""
    file = io.BytesIO()
    keywords: dict[str, Any] = dict(arrays)
    np.savez(file, **keywords)
    return file.getvalue()


def unpack(content: bytes) -> dict[str, np.ndarray]:
    """Returns the arrays that `pack` was given, in their order."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
