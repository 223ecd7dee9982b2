"""Images of the user's own in one NPZ file, as Keras's `mnist.npz` is.

The file holds the arrays `x_train`, `y_train` and, if there are any, those of
`valid` and `test`: images `[n, h, w]` or `[n, h, w, c]`, and a class for each,
a whole number or a text. `class_names` may name the numbers 0, 1, 2, ...
"""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nascore.config import show
from nascore.errors import InputError

PARTS = ("train", "valid", "test")
NAMES = "class_names"
_CHANNELS = (1, 3)
_LARGEST = 255

Parts = dict[str, tuple[np.ndarray, np.ndarray]]


def read_arrays(path: Path) -> tuple[Parts, tuple[str, ...]]:
    """Reads the parts of a file.

    Returns:
      Images, uint8 `[n, h, w, c]`, and labels, int32 `[n]`, by part; names of
      the classes.

    Raises:
      InputError: it is no such file, or what it holds are no images with a
        class each.
    """
    try:
        # A pickled object could run a program.
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"--data_dir={path} does not exist") from None
    except IsADirectoryError:
        raise InputError(
            f"--data_dir={path} is a folder; --dataset=arrays needs a .npz "
            "file (a folder of pictures: --dataset=folder)"
        ) from None
    except (
        ValueError,
        EOFError,
        AttributeError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"--data_dir={path} is no NPZ file of plain arrays: "
            f"{' '.join(str(error).split())[:200] or 'it is cut short'}"
        ) from None
    known = {NAMES, *(f"{axis}_{part}" for part in PARTS for axis in "xy")}
    odd = sorted(held.keys() - known)
    if odd:
        raise InputError(
            f"{path} holds {show(odd[0])}, which is none of: "
            f"{', '.join(sorted(known))}"
        )
    return check_parts(
        {
            part: (held.get(f"x_{part}"), held.get(f"y_{part}"))
            for part in PARTS
            if {f"x_{part}", f"y_{part}"} & held.keys()
        },
        held.get(NAMES),
        f"{path}: ",
    )


def write_arrays(path: Path, parts: Parts, names: tuple[str, ...]) -> None:
    """Writes parts as `read_arrays` reads them; see `check_parts`."""
    held: dict[str, Any] = {NAMES: np.array(names)}
    for part, (images, labels) in parts.items():
        held |= {f"x_{part}": images, f"y_{part}": labels}
    with path.open("wb") as file:
        np.savez(file, **held)


def check_parts(
    parts: Mapping[str, tuple[Any, Any]], names: Any = None, where: str = ""
) -> tuple[Parts, tuple[str, ...]]:
    """Makes pixels and classes of arrays of any kind.

    Args:
      parts: images and labels by part, `train` among them. Pixels are from 0
        to 255, or floats from 0 to 1, which become 8 bits. Labels are whole
        numbers, texts, or a row of ones and zeros for each image.
      names: of the classes 0, 1, 2, ...; None: the labels are their names.
      where: what messages begin with.

    Returns:
      As `read_arrays`.

    Raises:
      InputError: they are something else, or do not belong together.
    """
    if "train" not in parts:
        raise InputError(f"{where}there is no x_train and y_train")
    classes = None if names is None else _check_names(names, where)
    found: Parts = {}
    scale, shape = 0.0, ()
    for part, (x, y) in parts.items():
        if x is None or y is None:
            missing = "x" if x is None else "y"
            raise InputError(f"{where}there is no {missing}_{part}")
        pixels = _check_images(x, f"{where}x_{part}")
        scale = scale or _scale(pixels)
        images = _to_bytes(pixels, scale, f"{where}x_{part}")
        shape = shape or images.shape[1:]
        if images.shape[1:] != shape:
            raise InputError(
                f"{where}images of x_{part} are {_size(images.shape[1:])}, "
                f"those of x_train {_size(shape)}"
            )
        labels = _check_labels(y, len(images), f"{where}y_{part}")
        if classes is None:
            classes = tuple(map(str, np.unique(labels)))
        found[part] = (
            images,
            _places(labels, classes, names, f"{where}y_{part}"),
        )
    classes = classes or ()
    if len(classes) < 2:
        raise InputError(
            f"{where}y_train has one class only, {show(classes[0])}; there is "
            "nothing to learn"
        )
    return found, classes


def check_more(
    x: Any, y: Any, classes: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Makes pixels and classes of further arrays, as `check_parts` does.

    Args:
      x: images.
      y: labels: names of the classes, or their places where no name is a
        number.
      classes: their names.

    Raises:
      InputError: they are something else.
    """
    pixels = _check_images(x, "x")
    images = _to_bytes(pixels, _scale(pixels), "x")
    labels = _check_labels(y, len(images), "y")
    by_name = labels.dtype.kind == "U" or all(n.isdecimal() for n in classes)
    names = None if by_name else classes
    return images, _places(labels, classes, names, "y")


def _check_images(x: Any, what: str) -> np.ndarray:
    """Images `[n, h, w, c]` of numbers, with a colour axis."""
    array = np.asarray(x)
    if array.dtype.kind not in "uifb":
        raise InputError(f"{what} must be numbers. Received: {array.dtype}")
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in _CHANNELS or not array.size:
        raise InputError(
            f"{what} must be images [n, height, width] or [n, height, width, "
            f"1 or 3]. Received: {list(np.shape(x))}"
        )
    return array


def _scale(pixels: np.ndarray) -> float:
    """What floats are multiplied by, by those of the training images."""
    is_float = pixels.dtype.kind == "f"
    return float(_LARGEST) if is_float and pixels.max() <= 1 else 1.0


def _to_bytes(pixels: np.ndarray, scale: float, what: str) -> np.ndarray:
    """8 bits of what is there."""
    if pixels.dtype == np.uint8:
        return pixels
    # NaN is neither.
    low, high = pixels.min(), pixels.max()
    if not (low >= 0 and high * scale <= _LARGEST):
        raise InputError(
            f"{what} has values from {low:g} to {high:g}; give pixels from 0 "
            "to 255, or from 0 to 1 in all parts, not standardized ones "
            "(standardize=True does that)"
        )
    return np.round(pixels * np.float32(scale)).astype(np.uint8)


def _check_labels(y: Any, count: int, what: str) -> np.ndarray:
    """One whole number or text for each image."""
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    elif array.ndim == 2 and array.dtype.kind in "uifb":
        array = _from_rows(array, what)
    if array.dtype.kind == "f" and np.array_equal(array, np.round(array)):
        array = array.astype(np.int64)
    if array.dtype.kind == "O" and all(isinstance(v, str) for v in array):
        array = array.astype(str)
    if array.ndim != 1 or array.dtype.kind not in "uiUb":
        raise InputError(
            f"{what} must be a whole number or a text for each image, or a "
            f"row of ones and zeros. Received: {array.dtype} "
            f"{list(array.shape)}"
        )
    if len(array) != count:
        raise InputError(f"{what} has {len(array)} labels for {count} images")
    return array


def _from_rows(rows: np.ndarray, what: str) -> np.ndarray:
    """Classes of rows that are one at one place and zero elsewhere."""
    ones = rows == 1
    if not (np.all(ones | (rows == 0)) and np.all(ones.sum(1) == 1)):
        raise InputError(f"{what}: each row must have one 1, and zeros")
    return ones.argmax(1)


def _check_names(names: Any, where: str) -> tuple[str, ...]:
    texts = tuple(map(str, names))
    if len(set(texts)) < len(texts):
        raise InputError(f"{where}class_names holds a name twice")
    return texts


def _places(
    labels: np.ndarray,
    classes: tuple[str, ...],
    names: Any,
    what: str,
) -> np.ndarray:
    """The place of each label's class, int32 `[n]`."""
    if names is None:
        # Of numbers the order is theirs, not that of their texts.
        place = {name: number for number, name in enumerate(classes)}
        values, inverse = np.unique(labels, return_inverse=True)
        odd = [str(value) for value in values if str(value) not in place]
        if odd:
            raise InputError(
                f"{what} has the class {show(odd[0])}, of which there is no "
                "training image"
            )
        found = np.array([place[str(value)] for value in values], np.int32)
        return found[inverse]
    if labels.dtype.kind == "U":
        raise InputError(
            f"{what} holds texts; with class_names give the places "
            "of the names, from 0"
        )
    if labels.min() < 0 or labels.max() >= len(classes):
        worst = labels.min() if labels.min() < 0 else labels.max()
        raise InputError(
            f"{what} has the label {worst}; there are "
            f"{len(classes)} class_names, from 0"
        )
    return labels.astype(np.int32)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
