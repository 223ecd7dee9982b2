"""Unpacks archives that somebody else may have packed.

A member may not leave the folder, be a link out of it or a device; and all
of them together may not be larger or more than any collection of pictures.
"""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from nascore.errors import InputError

MAX_BYTES = 200_000_000_000
MAX_MEMBERS = 5_000_000
_BROKEN = (
    OSError,
    EOFError,
    NotImplementedError,  # A kind of compression that zipfile lacks.
    RuntimeError,  # A zip with a password.
    UnicodeDecodeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def unpack(source: Path, folder: Path) -> None:
    """Unpacks a tar, compressed or not, or a zip into an existing folder.

    Raises:
      InputError: no such archive, a damaged one, one that reaches outside
        the folder, or one that holds too much.
    """
    try:
        if zipfile.is_zipfile(source):
            _unpack_zip(source, folder)
        else:
            _unpack_tar(source, folder)
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} cannot be unpacked: {error}") from None


def _unpack_tar(source: Path, folder: Path) -> None:
    with tarfile.open(source) as archive:
        sizes = _Sizes(source, folder)
        for member in archive:
            sizes.add(member.size if member.isreg() else 0)
            # The filter refuses absolute paths, "..", links that leave the
            # folder and devices.
            archive.extract(member, folder, filter="data")


def _unpack_zip(source: Path, folder: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        sizes = _Sizes(source, folder)
        for member in archive.infolist():
            sizes.add(member.file_size)
            if not member.filename:
                raise InputError(
                    f"{source} cannot be unpacked: a file has no name"
                )
            path = PurePosixPath(member.filename.replace("\\", "/"))
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise InputError(
                    f"{source} cannot be unpacked: {member.filename!r} is a "
                    "link or a device"
                )
            if path.is_absolute() or ".." in path.parts or ":" in str(path):
                raise InputError(
                    f"{source} cannot be unpacked: {member.filename!r} is "
                    "outside of its folder"
                )
            archive.extract(member, folder)


class _Sizes:
    """Adds up what is unpacked, before it is."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.source = source
        self.limit = min(MAX_BYTES, shutil.disk_usage(folder).free)
        self.bytes = self.members = 0

    def add(self, size: int) -> None:
        """Raises InputError if this member is too much."""
        self.bytes += size
        self.members += 1
        if self.bytes > self.limit:
            raise InputError(
                f"{self.source} cannot be unpacked: it holds more than "
                f"{self.limit / 1e9:.3g} GB, which is more than is free on "
                "the disk or than we take; unpack a part of it yourself"
            )
        if self.members > MAX_MEMBERS:
            raise InputError(
                f"{self.source} cannot be unpacked: it holds more than "
                f"{MAX_MEMBERS:,} files; unpack a part of it yourself"
            )
