"""Archives of class folders, unpacked whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from nascore.data.archives import unpack
from nascore.data.wrapping import refuse_nested, take_off_wrapping
from nascore.errors import InputError

Check = Callable[[Path], Sequence[str]]


def unpack_folder(
    source: Path, target: Path, check: Check | None = None
) -> list[str]:
    """Unpacks an archive of class folders; it appears whole or not at all.

    Folders that hold nothing but one folder, and perhaps files beside it,
    are taken off; the files come along.

    Args:
      source: the archive.
      target: the folder to make.
      check: raises InputError if what was unpacked, in a folder of another
        name, is not as it should be; returns remarks.

    Returns:
      The remarks.

    Raises:
      InputError: as `nascore.data.archives.unpack`, or a target that exists or
        cannot be made.
    """
    if not source.is_file():
        hint = ""
        if source.is_dir():
            hint = f"; it is a folder: search on it with --data_dir={source}"
        raise InputError(f"--source={source} is not an existing file{hint}")
    if target.exists():
        raise InputError(f"--data_dir={target} exists already")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpack-"))
    except OSError as error:
        raise InputError(
            f"--data_dir={target} cannot be made: {error.strerror}"
        ) from None
    try:
        unpack(source, partial)
        if not any(partial.iterdir()):
            raise InputError(f"{source} is empty")
        refuse_nested(source, partial)
        whole = take_off_wrapping(partial)
        remarks = [] if check is None else _check_unpacked(source, whole, check)
        whole.rename(target)
        return [text.replace(str(whole), str(target)) for text in remarks]
    except OSError as error:
        raise InputError(f"{source} cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_unpacked(source: Path, folder: Path, check: Check) -> Sequence[str]:
    """Checks a folder under the name of the archive that it was in."""
    try:
        return check(folder)
    except InputError as error:
        text = str(error).replace(f"--data_dir={folder}", str(source))
        raise InputError(text.replace(str(folder), str(source))) from None
