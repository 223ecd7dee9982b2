"""Writing files so that a crash leaves the old content or the new one."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PARTIAL = ".part-"


@contextlib.contextmanager
def placing(path: Path) -> Iterator[Path]:
    """Where to write what shall stand at `path` when the block has ended.

    It takes the place of an older one after its content has reached the
    disk, a file in one step; if the block fails, nothing has changed.

    Args:
      path: of a file or a folder; what is yielded has the same suffix.
    """
    partial = path.with_name(f"{_PARTIAL}{path.name}")
    remove(partial)
    try:
        yield partial
        written = [partial, *partial.rglob("*")]
        for entry in written:
            sync(entry)
        if partial.is_dir():
            remove(path)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            remove(partial)
        raise
    sync(path.parent)


def remove(path: Path) -> None:
    """Deletes a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_partial(path: Path) -> bool:
    """Whether a crash left it before it could stand at its place."""
    return path.name.startswith(_PARTIAL)


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk.

    Windows opens no folder, and wants to write to a file that it flushes.
    """
    flags = os.O_RDONLY
    if not hasattr(os, "O_DIRECTORY"):
        if path.is_dir():
            return
        flags = os.O_RDWR
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file whole or not at all."""
    text = json.dumps(content, indent=2) + "\n"
    with placing(path) as partial:
        partial.write_text(text, encoding="utf-8")
