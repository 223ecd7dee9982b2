"""Texts in files: reading, unpacking, and which file is which part.

Penn Treebank (Mikolov's `ptb.train.txt`, `ptb.valid.txt`, `ptb.test.txt`) is
not freely licensed: it is read where the user has it. WikiText-2 (Merity et
al., 2016) is often had without its training file; then its validation file is
the text to learn.
"""

import bz2
import gzip
import lzma
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nascore.data.config import TextConfig
from nascore.errors import InputError

_OPENERS: Mapping[str, Any] = {
    ".xz": lzma.open,
    ".gz": gzip.open,
    ".bz2": bz2.open,
}
_FILES = {
    "ptb": ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
    "wikitext2": ("wiki.train.tokens", "wiki.valid.tokens", "wiki.test.tokens"),
}
_SHAKESPEARE = ("tinyshakespeare.txt", "input.txt")


class Texts(NamedTuple):
    """What was read.

    Attributes:
      train: to learn.
      validation: None: to be cut off the former.
      test: likewise.
      notes: one-line remarks that a user should see.
    """

    train: str
    validation: str | None = None
    test: str | None = None
    notes: tuple[str, ...] = ()


def read_texts(config: TextConfig) -> Texts:
    """Reads the files that the settings name.

    Raises:
      InputError: one is missing, damaged, or no text.
    """
    if config.dataset == "python_topics":
        return Texts(_python_topics())
    if not config.data_dir:
        raise InputError(
            f"--dataset={config.dataset} needs --data_dir=, where its files are"
        )
    place = Path(config.data_dir)
    if not place.exists():
        raise InputError(f"--data_dir={place} does not exist")
    if config.dataset == "file":
        return _read_parts(place) if place.is_dir() else Texts(read(place))
    if config.dataset == "tiny_shakespeare":
        if place.is_file():
            return Texts(read(place))
        return Texts(read(_find_one(place, _SHAKESPEARE)))
    train, validation, test = (
        _packed(place, name) for name in _FILES[config.dataset]
    )
    if config.dataset == "wikitext2" and train is None and validation and test:
        return Texts(
            read(validation),
            None,
            read(test),
            (
                f"{place} has no {_FILES['wikitext2'][0]}: the validation file "
                "is learned, but for its last part; the perplexities do not "
                "compare with published ones",
            ),
        )
    if train is None or validation is None or test is None:
        raise InputError(
            f"--data_dir={place} must hold {', '.join(_FILES[config.dataset])} "
            f"(also packed as .xz, .gz or .bz2) for --dataset={config.dataset}"
        )
    return Texts(read(train), read(validation), read(test))


def _python_topics() -> str:
    """The pages of Python's own help, in the order of their names."""
    from pydoc_data import topics

    pages = topics.topics
    return "\n\n".join(pages[name].strip() for name in sorted(pages)) + "\n"


def _packed(folder: Path, name: str) -> Path | None:
    """The file of a name, as it is or packed."""
    for ending in ("", *_OPENERS):
        if (folder / f"{name}{ending}").is_file():
            return folder / f"{name}{ending}"
    return None


def _find_one(folder: Path, names: tuple[str, ...]) -> Path:
    found = [path for name in names if (path := _packed(folder, name))]
    if not found:
        raise InputError(
            f"--data_dir={folder} must hold {' or '.join(names)}, also packed "
            "as .xz, .gz or .bz2"
        )
    return found[0]


def _read_parts(folder: Path) -> Texts:
    """Of a folder of the user's; only the training part is a must."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    parts: list[str | None] = []
    for word in ("train", "valid", "test"):
        found = [path for path in files if word in path.name.lower()]
        if len(found) > 1:
            raise InputError(
                f"--data_dir={folder} has several files with {word} in their "
                f"names ({found[0].name}, {found[1].name}); leave one"
            )
        parts.append(read(found[0]) if found else None)
    train, validation, test = parts
    if train is None:
        raise InputError(
            f"--data_dir={folder} has no file with train in its name; give one "
            "text file, or a folder with files for train, valid and test"
        )
    return Texts(train, validation, test)


def read(path: Path) -> str:
    """Reads a text file, packed or not.

    Raises:
      InputError: it cannot be read or unpacked, or is no UTF-8; says at which
        byte.
    """
    opener = _OPENERS.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be read: {reason}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Counted from the first byte, a mark of the byte order included.
        raise InputError(
            f"{path} is no text in UTF-8: byte 0x{content[error.start]:02x} at "
            f"offset {error.start}; convert it, such as with: iconv -t UTF-8"
        ) from None
