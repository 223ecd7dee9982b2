"""What people pack around class folders: folders, texts, other archives."""

from pathlib import Path

from nascore.data.archives import is_archive
from nascore.data.pictures.files import is_picture
from nascore.data.pictures.layout import entries, part_of
from nascore.errors import InputError


def take_off_wrapping(folder: Path) -> Path:
    """Finds the class folders, or those of the parts, in what was packed.

    Files beside a folder that wraps all others are moved into it.

    Args:
      folder: an unpacked archive; it is changed.

    Returns:
      The folder in it, or itself, that holds the data set.
    """
    while True:
        folders, files = entries(folder)
        if len(folders) != 1 or part_of(folders[0]) == "train":
            return folder
        (inner,) = folders
        if not entries(inner)[0] or any(map(is_picture, files)):
            return folder
        for path in files:
            place = inner / path.name
            if place.exists():
                place = inner / f"{folder.name}-{path.name}"
            path.rename(place)
        folder = inner


def refuse_nested(source: Path, folder: Path) -> None:
    """Refuses what holds archives and no picture.

    Args:
      source: the archive, for the message.
      folder: where it was unpacked.

    Raises:
      InputError: that is so.
    """
    packed = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_picture(path):
            return
        if path.is_file() and is_archive(path):
            packed.append(path.relative_to(folder))
    if packed:
        listed = ", ".join(map(str, packed[:3]))
        raise InputError(
            f"{source} holds no picture but archives ({listed}); unpack it "
            "yourself and give what is inside as --source"
        )
