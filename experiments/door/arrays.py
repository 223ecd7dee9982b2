"""Images as people have them in Python: arrays, or a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from nascore.data.own_images.arrays import Parts, check_parts
from nascore.errors import InputError


def to_parts(
    x: Any,
    y: Any,
    validation_data: Any,
    test_data: Any,
    class_names: Any,
) -> tuple[Parts, tuple[str, ...]]:
    """Pixels and classes of what `fit` was given; see `check_parts`."""
    given = {
        "train": (x, y),
        "valid": _pair(validation_data, "validation_data"),
        "test": _pair(test_data, "test_data"),
    }
    parts = {
        part: to_arrays(*pair)
        for part, pair in given.items()
        if pair is not None
    }
    return check_parts(parts, class_names)


def _pair(data: Any, name: str) -> tuple[Any, Any] | None:
    if data is None:
        return None
    if _is_dataset(data):
        return data, None
    if isinstance(data, tuple | list) and len(data) == 2:
        return data[0], data[1]
    raise InputError(
        f"{name} must be (x, y) or a tf.data.Dataset. Received: {type(data)}"
    )


def to_arrays(x: Any, y: Any) -> tuple[Any, Any]:
    """Arrays of images and labels, also of a dataset.

    Args:
      x: an array, or a `tf.data.Dataset` of pairs, in batches or not.
      y: an array; None beside a dataset.

    Raises:
      InputError: labels are missing, or there are too many of them.
    """
    if not _is_dataset(x):
        if y is None:
            raise InputError("y is missing: give fit(x, y) a class an image")
        return x, y
    if y is not None:
        raise InputError("a dataset has its labels; leave y out")
    return _collect(x)


def _is_dataset(x: Any) -> bool:
    # A tensor is one thing, whatever its methods.
    return hasattr(x, "as_numpy_iterator") and hasattr(x, "element_spec")


def _collect(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a dataset that ends."""
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        raise InputError(
            "the dataset must give pairs of images and labels (as_supervised="
            f"True). Received: {spec}"
        )
    if int(dataset.cardinality()) == -1:
        raise InputError("the dataset never ends; take(n) of it")
    batched = len(spec[0].shape) == 4
    pairs = list(dataset.as_numpy_iterator())
    if not pairs:
        raise InputError("the dataset is empty")
    join = np.concatenate if batched else np.stack
    try:
        return join([p[0] for p in pairs]), join([p[1] for p in pairs])
    except ValueError:
        raise InputError(
            "images of the dataset have different sizes; map them to one"
        ) from None
