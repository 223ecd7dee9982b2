"""Images in one folder per class, of any size, grey or coloured."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nascore.data.pictures.decoding import is_grey, read_image
from nascore.data.pictures.fitting import STRETCH, fit
from nascore.data.pictures.layout import FolderLayout, find_layout
from nascore.data.pictures.tally import Tally
from nascore.errors import InputError
from nascore.process.memory import check_data

# Classes that are named one by one; of more, the largest and the smallest.
_NAMED_CLASSES = 6
_NAMED_REASONS = 6

Arrays = tuple[np.ndarray, np.ndarray]


def read_class_folders(
    root: Path,
    size: int,
    notes: list[str] | None = None,
    how: str = STRETCH,
) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    """Reads a data set of class folders.

    Args:
      root: holds a sub-folder for each class, or folders of the parts `train`
        (or `training`), `valid` (`validation`, `val`) and `test` (`testing`)
        that do. Pictures in sub-folders of a class belong to it.
      size: height and width that the images are brought to.
      notes: gets lines on how it was read, and what was left out.
      how: what becomes of pictures that are not square, see
        `nascore.data.pictures.fitting.fit`.

    Returns:
      For `train`, and `valid` and `test` where they exist: uint8 images
      `[n, size, size, c]`, with c = 1 if every image is grey and 3 if not,
      and int32 labels; then the names of the classes.

    Raises:
      InputError: as `nascore.data.pictures.layout.find_layout`, an image that
        cannot be read, or more images than memory holds.
    """
    layout = find_layout(root)
    mode, channels = ("L", 1) if _are_grey(layout.every()) else ("RGB", 3)
    count = sum(1 for _ in layout.every())
    check_data(count, (size, size, channels), str(root))
    tally = Tally()
    parts = {}
    for part, by_class in layout.files.items():
        paths = [path for name in layout.classes for path in by_class[name]]
        # Filled, not stacked: there is no moment with two copies.
        images = np.empty((len(paths), size, size, channels), np.uint8)
        for place, path in enumerate(paths):
            image = read_image(path, mode, tally)
            pixels = fit(image, (size, size), how, tally)
            images[place] = pixels.reshape(size, size, channels)
        labels = np.repeat(
            np.arange(len(layout.classes), dtype=np.int32),
            [len(by_class[name]) for name in layout.classes],
        )
        parts[part] = (images, labels)
    if notes is not None:
        notes += [_describe_pictures(layout, tally, mode)]
        notes += [_describe_classes(layout), *_describe_rest(layout)]
    return parts, layout.classes


def _are_grey(paths: Iterable[Path]) -> bool:
    """Whether all are grey; names one and counts all that are no pictures."""
    grey, bad = True, []
    for path in paths:
        try:
            grey &= is_grey(path)
        except InputError as error:
            bad.append((error, path))
    if not bad:
        return grey
    text = str(bad[0][0])
    if len(bad) > 1:
        others = f"{len(bad) - 1} more file" + ("s" if len(bad) > 2 else "")
        text += f" ({others}, too, such as {bad[1][1]})"
    raise InputError(text)


def _describe_pictures(layout: FolderLayout, tally: Tally, mode: str) -> str:
    """How the pictures were read, in a line."""
    remarks = tally.remarks()
    if layout.nested:
        remarks.append(f"{layout.nested} in sub-folders of their class")
    return "; ".join([tally.kinds(mode), *remarks])


def _describe_classes(layout: FolderLayout) -> str:
    """How many pictures each class has, or the largest and smallest."""
    counts = {
        name: sum(len(files[name]) for files in layout.files.values())
        for name in layout.classes
    }
    if len(counts) <= _NAMED_CLASSES:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    else:
        names = sorted(counts, key=lambda name: counts[name])
        least, most = names[0], names[-1]
        listed = f"from {least} {counts[least]} to {most} {counts[most]}"
    return f"{len(counts)} classes: {listed}"


def _describe_rest(layout: FolderLayout) -> list[str]:
    """What was left out; names that look alike."""
    lines = []
    reasons = sorted(layout.left_out.items(), key=lambda item: -item[1][0])
    if reasons:
        listed = [
            f"{count} {reason}, such as {example}"
            for reason, (count, example) in reasons[:_NAMED_REASONS]
        ]
        rest = sum(count for _, (count, _) in reasons[_NAMED_REASONS:])
        if rest:
            listed.append(f"{rest} others")
        lines.append(f"left out: {'; '.join(listed)}")
    seen: dict[str, str] = {}
    for name in layout.classes:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            lines.append(
                f"{other} and {name} are two classes; they differ only in "
                "upper and lower case"
            )
            break
    return lines
