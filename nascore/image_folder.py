"""Images in one folder per class, of any size, grey or coloured."""

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from nascore.errors import InputError, printable
from nascore.memory import check_data

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
# What those are; Pillow would try all that it knows, and start programs of
# others for some, whatever a file is called.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
# What Pillow raises for damaged files of these formats.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_GREY_MODES = ("1", "L", "LA", "I;16", "I", "F")
_PARTS = {
    "train": ("train",),
    "valid": ("valid", "validation", "val"),
    "test": ("test",),
}

Arrays = tuple[np.ndarray, np.ndarray]


def read_class_folders(
    root: Path, size: int
) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    """Reads a data set of class folders.

    Args:
      root: holds a sub-folder for each class, or `train`, `valid` and `test`
        folders that do.
      size: height and width that the images are brought to.

    Returns:
      For `train`, and `valid` and `test` where they exist: uint8 images
      `[n, size, size, c]`, with c = 1 if every image is grey and 3 if not,
      and int32 labels; then the names of the classes.

    Raises:
      InputError: a missing or empty folder, a broken image, classes that
        differ between the parts, or more images than memory holds.
    """
    if not root.is_dir():
        raise InputError(f"--data_dir={root} is not an existing folder")
    folders = {
        part: root / name
        for part, names in _PARTS.items()
        for name in names
        if (root / name).is_dir()
    }
    if "train" not in folders:
        folders = {"train": root}
    files = {part: _list_images(folder) for part, folder in folders.items()}
    names = sorted(files["train"])
    for part, by_class in files.items():
        odd = sorted(set(by_class) ^ set(names))
        if odd:
            raise InputError(
                f"{folders[part]} and {folders['train']} have different "
                f"classes: {', '.join(odd)} is only in one of them"
            )
    grey = all(
        is_grey(path)
        for by_class in files.values()
        for paths in by_class.values()
        for path in paths
    )
    mode, channels = ("L", 1) if grey else ("RGB", 3)
    counts = [
        len(paths) for by_class in files.values() for paths in by_class.values()
    ]
    check_data(sum(counts), (size, size, channels), str(root))
    parts = {}
    for part, by_class in files.items():
        paths = [path for name in names for path in by_class[name]]
        # Filled, not stacked: there is no moment with two copies.
        images = np.empty((len(paths), size, size, channels), np.uint8)
        for place, path in enumerate(paths):
            image = to_size(read_image(path, mode), (size, size))
            images[place] = image.reshape(size, size, channels)
        labels = np.repeat(
            np.arange(len(names), dtype=np.int32),
            [len(by_class[name]) for name in names],
        )
        parts[part] = (images, labels)
    return parts, tuple(names)


def _list_images(folder: Path) -> dict[str, list[Path]]:
    """The image files of each class, in a fixed order."""
    classes = sorted(
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )
    if len(classes) < 2:
        raise InputError(
            f"{folder} has {len(classes)} class folder(s); it needs at "
            "least 2 sub-folders, one for each class"
        )
    found = {}
    for path in classes:
        if path.name != printable(path.name):
            raise InputError(
                f"the class folder {path} has characters in its name that "
                "cannot be printed; rename it"
            )
        found[path.name] = sorted(
            Path(entry.path)
            for entry in os.scandir(path)
            if entry.name.lower().endswith(SUFFIXES)
            and not entry.name.startswith(".")
        )
        if not found[path.name]:
            raise InputError(
                f"the class folder {path} holds no image "
                f"({', '.join(SUFFIXES)})"
            )
    return found


def open_image(path: Path) -> Image.Image:
    """Opens an image file.

    Raises:
      InputError: it is missing, no image, or suspiciously large.
    """
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture that is suspiciously large, and
            # of damaged metadata, which we do not use.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path, formats=_FORMATS)
    except UnidentifiedImageError:
        raise InputError(
            f"{path} cannot be read as an image: it is none of "
            f"{', '.join(_FORMATS)}, or is damaged"
        ) from None
    except _BROKEN as error:
        raise InputError(
            f"{path} cannot be read as an image: {error}"
        ) from None


def is_grey(path: Path) -> bool:
    """Whether an image file has no colours."""
    with open_image(path) as image:
        return image.mode in _GREY_MODES


def read_image(path: Path, mode: str) -> Image.Image:
    """Reads an image file.

    Args:
      path: the file.
      mode: `L` for one channel, `RGB` for three.

    Raises:
      InputError: it cannot be read.
    """
    with open_image(path) as image:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return image.convert(mode)
        except _BROKEN as error:
            raise InputError(
                f"{path} cannot be read as an image: {error}"
            ) from None


def to_size(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Brings an image to (width, height); uint8 `[height, width, ...]`."""
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(image)
