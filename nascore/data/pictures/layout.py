"""Which folders are parts or classes, and which files their pictures."""

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from nascore.data.pictures.clutter import is_hidden
from nascore.data.pictures.files import FORMATS, describe_other, is_picture
from nascore.errors import InputError, printable

_PART_NAMES = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "test": "test",
    "testing": "test",
}
_LIKE_A_PART = re.compile("train|val|test", re.IGNORECASE)
_PARTS_HINT = "parts are folders called train, valid and test"


@dataclasses.dataclass(frozen=True)
class FolderLayout:
    """A data set of class folders, before a picture is opened.

    Attributes:
      folders: of the parts `train`, `valid` and `test`; only the first may
        be the whole data set.
      classes: their names, in the order of their labels.
      files: of each part the pictures of each class, in a fixed order.
      nested: how many of them are in sub-folders of their class.
      left_out: why files were, and an example, with how many there are.
    """

    folders: dict[str, Path]
    classes: tuple[str, ...]
    files: dict[str, dict[str, list[Path]]]
    nested: int
    left_out: dict[str, tuple[int, Path]]

    def every(self) -> Iterator[Path]:
        """All pictures."""
        for by_class in self.files.values():
            for paths in by_class.values():
                yield from paths


class _Finder:
    """Collects what is left out while pictures are listed."""

    def __init__(self) -> None:
        self.nested = 0
        self.left_out: dict[str, tuple[int, Path]] = {}

    def leave_out(self, reason: str, path: Path) -> None:
        count, example = self.left_out.get(reason, (0, path))
        self.left_out[reason] = count + 1, example

    def list_part(self, folder: Path) -> dict[str, list[Path]]:
        """The pictures of each class of a part."""
        folders, files = entries(folder)
        for path in files:
            self.leave_out(_describe_loose(path), path)
        return {path.name: self._list_class(path) for path in folders}

    def _list_class(self, folder: Path) -> list[Path]:
        if folder.name != printable(folder.name):
            raise InputError(
                f"the class folder {folder} has characters in its name that "
                "cannot be printed; rename it"
            )
        others: Counter[str] = Counter()
        found = []
        for path in _walk(folder, (os.path.realpath(folder),)):
            if is_picture(path):
                found.append(path)
                self.nested += path.parent != folder
            else:
                self.leave_out(describe_other(path), path)
                others[path.suffix.lower() or "without an ending"] += 1
        if not found:
            raise InputError(
                f"the class folder {folder} holds no image that we read "
                f"({', '.join(FORMATS)}){_list_others(others)}; add some, or "
                "move the folder elsewhere"
            )
        return sorted(found)


def find_layout(root: Path) -> FolderLayout:
    """Finds parts, classes and pictures in a folder.

    Args:
      root: see `nascore.data.pictures.class_folders.read_class_folders`.

    Raises:
      InputError: a missing folder, less than two classes, a class without
        pictures, classes that differ between the parts, or folders that can
        be taken for parts as well as for classes.
    """
    if not root.is_dir():
        hint = "; unpack an archive with experiments.prepare_data"
        raise InputError(
            f"--data_dir={root} is not an existing folder"
            f"{hint if root.is_file() else ''}"
        )
    finder = _Finder()
    folders = _find_parts(root, finder)
    for folder in folders.values():
        _check_classes(folder)
    files = {part: finder.list_part(path) for part, path in folders.items()}
    names = sorted(files["train"])
    for part, by_class in files.items():
        odd = sorted(set(by_class) ^ set(names))
        if odd:
            raise InputError(
                f"{folders[part]} and {folders['train']} have different "
                f"classes: {', '.join(odd)} is only in one of them"
            )
    return FolderLayout(
        folders, tuple(names), files, finder.nested, finder.left_out
    )


def _find_parts(root: Path, finder: _Finder) -> dict[str, Path]:
    """The folders of the parts; the root itself if it holds classes."""
    folders, files = entries(root)
    parts = _named_parts(folders)
    others = [path for path in folders if path not in parts.values()]
    train = parts.get("train")
    if train is None or (others and not _is_divided(train)):
        _refuse_lonely_parts(root, folders)
        return {"train": root}
    if others and not any(
        _inside(path) & _inside(train)
        for path in parts.values()
        if path != train
    ):
        raise InputError(
            f"{train} may be the training part or a class, because "
            f"{others[0]} is beside it: rename {train.name} if it is a class, "
            f"or move {others[0].name} elsewhere ({_PARTS_HINT})"
        )
    for path in others:
        finder.leave_out("folder(s) beside the parts", path)
    for path in files:
        finder.leave_out(_describe_loose(path), path)
    return parts


def part_of(folder: Path) -> str | None:
    """The part that a folder is called as, if it is."""
    return _PART_NAMES.get(folder.name.casefold())


def _named_parts(folders: Sequence[Path]) -> dict[str, Path]:
    """The folders that are called as parts are."""
    parts: dict[str, Path] = {}
    for path in folders:
        part = part_of(path)
        if part is None:
            continue
        if part not in parts:
            parts[part] = path
        elif _is_divided(path) or _is_divided(parts[part]):
            raise InputError(
                f"{parts[part]} and {path} are both called as the part {part} "
                f"is; rename one of them ({_PARTS_HINT})"
            )
    return parts


def _refuse_lonely_parts(root: Path, folders: Sequence[Path]) -> None:
    """Raises InputError for a part that would be taken for a class."""
    for path in folders:
        if not _LIKE_A_PART.match(path.name) or not _is_divided(path):
            continue
        others = [other for other in folders if other != path]
        names = {other.name for other in others}.union(*map(_inside, others))
        if _inside(path) & names:
            raise InputError(
                f"{path} holds folders as a part does ({_PARTS_HINT}), and "
                f"{root} has no train folder that holds the same classes: "
                f"make one, or rename {path.name} if it is a class"
            )


def _inside(folder: Path) -> set[str]:
    """Names of the sub-folders."""
    return {path.name for path in entries(folder)[0]}


def _is_divided(folder: Path) -> bool:
    """Whether a folder holds folders and no pictures beside them."""
    folders, files = entries(folder)
    return bool(folders) and not any(map(is_picture, files))


def _check_classes(folder: Path) -> None:
    """Raises InputError for less than two class folders."""
    folders, files = entries(folder)
    if len(folders) >= 2:
        return
    hint = ""
    if len(folders) == 1 and len(entries(folders[0])[0]) >= 2:
        hint = f"; are they in {folders[0]}?"
    elif pictures := sum(map(is_picture, files)):
        hint = f"; {pictures} picture(s) lie in it without a class"
    raise InputError(
        f"{folder} has {len(folders)} class folder(s); it needs at "
        f"least 2 sub-folders, one for each class{hint}"
    )


def entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Sub-folders and other entries that are not hidden, sorted."""
    folders: list[Path] = []
    files: list[Path] = []
    with os.scandir(folder) as listing:
        for entry in listing:
            if not is_hidden(entry.name):
                kind = folders if entry.is_dir() else files
                kind.append(Path(entry.path))
    return sorted(folders), sorted(files)


def _describe_loose(path: Path) -> str:
    """What a file beside the folders is, for a list."""
    if is_picture(path):
        return "picture(s) beside the class folders"
    return describe_other(path)


def _walk(folder: Path, above: Sequence[str]) -> Iterator[Path]:
    """All files below a folder that are not hidden, through links, too."""
    folders, files = entries(folder)
    yield from files
    for path in folders:
        real = os.path.realpath(path)
        if real in above:
            raise InputError(
                f"{path} is a link that leads back to {real}; remove it"
            )
        yield from _walk(path, (*above, real))


def _list_others(others: Counter[str]) -> str:
    if not others:
        return ""
    listed = [f"{count} {name}" for name, count in others.most_common(3)]
    return f", but {', '.join(listed)}"
