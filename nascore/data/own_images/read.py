"""Images of the user's own: a folder of pictures, or a file of arrays."""

from pathlib import Path
from typing import NamedTuple

from nascore.data.config import PADDED_SIZE, DataConfig
from nascore.data.own_images.arrays import Parts, read_arrays
from nascore.data.pictures.class_folders import read_class_folders
from nascore.data.pictures.fitting import resize
from nascore.errors import InputError


class OwnImages(NamedTuple):
    """Images of the user's, brought to one size.

    Attributes:
      parts: images, uint8 `[n, h, w, c]`, and labels, int32 `[n]`, of `train`
        and, where there are any, of `valid` and `test`.
      names: of the classes.
      notes: one-line remarks that a user should see.
      missing: says that there is no test set, should that be so.
    """

    parts: Parts
    names: tuple[str, ...]
    notes: tuple[str, ...]
    missing: str


def read_own(config: DataConfig) -> OwnImages:
    """Reads images of the user's.

    Raises:
      InputError: they are missing, or broken, or not square and no size was
        given.
    """
    if config.dataset == "arrays":
        return _read_file(Path(config.data_dir), config.image_size)
    notes: list[str] = []
    size = config.image_size or PADDED_SIZE
    folder = Path(config.data_dir)
    parts, names = read_class_folders(folder, size, notes, config.fit)
    missing = f"{folder} has no test/ folder"
    return OwnImages(dict(parts), names, tuple(notes), missing)


def _read_file(file: Path, size: int) -> OwnImages:
    parts, names = read_arrays(file)
    height, width = parts["train"][0].shape[1:3]
    if height != width and not size:
        raise InputError(
            f"images of {file} are {height}x{width} pixels; give the side of "
            f"the squares that they become: --image_size={max(height, width)}"
        )
    squares = {
        name: (resize(images, size or height), labels)
        for name, (images, labels) in parts.items()
    }
    return OwnImages(squares, names, (), f"{file} has no x_test")
