"""The files of saved checkpoints; no TensorFlow here."""

import hashlib
import re
from pathlib import Path

PREFIX = "ckpt"
FILE = re.compile(rf"{PREFIX}-(\d+)\.(index|data-.*)$")


def list_names(folder: Path) -> list[str]:
    """What lies in a folder of checkpoints; nothing if there is none."""
    if not folder.is_dir():
        return []
    return [path.name for path in folder.iterdir()]


def is_saved(folder: Path) -> bool:
    """Whether a folder holds a checkpoint, readable or not."""
    return any(FILE.match(name) for name in list_names(folder))


def list_numbers(folder: Path) -> list[int]:
    """The numbers of the checkpoints that a folder holds, newest first."""
    matches = map(FILE.match, list_names(folder))
    return sorted(
        {int(match[1]) for match in matches if match and match[2] == "index"},
        reverse=True,
    )


def fingerprint(folder: Path) -> str:
    """Tells whether another folder has the same newest checkpoint.

    Returns:
      16 letters, or none without a checkpoint.

    Raises:
      OSError: it cannot be read.
    """
    numbers = list_numbers(folder)
    if not numbers:
        return ""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(f"{PREFIX}-{numbers[0]}.*")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
