"""Unpacks archives that somebody else may have packed.

A member may not leave the folder, be a link out of it or a device; and all
of them together may not be larger or more than any collection of pictures.
"""

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from nascore.data.pictures.clutter import is_clutter
from nascore.errors import InputError

MAX_BYTES = 200_000_000_000
MAX_MEMBERS = 5_000_000
# Bits of a zip member's flags.
_ENCRYPTED, _SAYS_UTF_8 = 0x1, 0x800
# Of its attributes.
_DOS_FOLDER = 0x10
_ENDINGS = (
    *(".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz"),
    *(".txz", ".7z", ".rar", ".gz", ".bz2", ".xz", ".zst"),
)
_OTHER_KINDS = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PK\3\4": "damaged zip",
}
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

    What systems put into archives beside the files is left out.

    Raises:
      InputError: no such archive, a damaged one, one with a password, one
        that reaches outside the folder, holds a name twice or too much.
    """
    try:
        if zipfile.is_zipfile(source):
            _unpack_zip(source, folder)
        else:
            _unpack_tar(source, folder)
    except InputError:
        raise
    except _BROKEN as error:
        reason: object = error
        # It lists what every kind of compression had to say.
        if isinstance(error, tarfile.ReadError):
            reason = "it is neither a zip nor a tar, or is damaged"
        raise _refusal(source, _other_kind(source) or reason) from None


def is_archive(path: Path) -> bool:
    """Whether a file is called as archives are."""
    return path.name.lower().endswith(_ENDINGS)


def _other_kind(source: Path) -> str:
    """What to do with an archive of a kind that we do not read; or empty."""
    with source.open("rb") as file:
        head = file.read(8)
    for beginning, name in _OTHER_KINDS.items():
        if head.startswith(beginning):
            return (
                f"it is a {name} file; get it again, or unpack it yourself "
                "and pack the pictures as zip or tar.gz"
            )
    return ""


def _refusal(source: Path, reason: object) -> InputError:
    return InputError(f"{source} cannot be unpacked: {reason}")


def _is_wanted(path: PurePosixPath) -> bool:
    return not any(map(is_clutter, path.parts))


def _unpack_tar(source: Path, folder: Path) -> None:
    with tarfile.open(source) as archive:
        sizes = _Sizes(source, folder)
        seen: set[PurePosixPath] = set()
        for member in archive:
            sizes.add(member.size if member.isreg() else 0)
            path = PurePosixPath(member.name.lstrip("/"))
            if not _is_wanted(path):
                continue
            if not member.isdir():
                _check_new(source, folder, path, seen)
            # The filter refuses absolute paths, "..", links that leave the
            # folder and devices.
            archive.extract(member, folder, filter="data")


def _unpack_zip(source: Path, folder: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        sizes = _Sizes(source, folder)
        seen: set[PurePosixPath] = set()
        for member in archive.infolist():
            sizes.add(member.file_size)
            path = _check_member(source, member)
            if not _is_wanted(path):
                continue
            target = folder / path
            if _is_folder(member):
                target.mkdir(parents=True, exist_ok=True)
                continue
            _check_new(source, folder, path, seen)
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file)


def _is_folder(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder, by its name or by its attributes."""
    attributes = member.external_attr
    return (
        member.filename.endswith(("/", "\\"))
        or stat.S_ISDIR(attributes >> 16)
        or bool(attributes & _DOS_FOLDER)
    )


def _check_member(source: Path, member: zipfile.ZipInfo) -> PurePosixPath:
    """Where a member of a zip goes; raises InputError for a bad one."""
    name = _decode_name(member)
    if not name:
        raise _refusal(source, "a file has no name")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(source, f"{name!r} is a link or a device")
    # Programs on Windows write its separator.
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or _has_drive(path):
        raise _refusal(source, f"{name!r} is outside of its folder")
    if member.flag_bits & _ENCRYPTED:
        raise _refusal(
            source,
            "it has a password; unpack it yourself and give the folder as "
            "--data_dir, or pack it without one",
        )
    return path


def _has_drive(path: PurePosixPath) -> bool:
    """Whether a path names a drive, as `C:/`; elsewhere colons are letters."""
    if os.name == "nt":
        return ":" in str(path)
    return bool(PureWindowsPath(path).drive)


def _decode_name(member: zipfile.ZipInfo) -> str:
    """A member's name; many programs write UTF-8 and do not say so."""
    if member.flag_bits & _SAYS_UTF_8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _check_new(
    source: Path, folder: Path, path: PurePosixPath, seen: set[PurePosixPath]
) -> None:
    """Raises InputError for a name that would overwrite another file.

    Some disks do not tell upper from lower case; those that do keep both.
    """
    if path in seen or (folder / path).is_file():
        raise _refusal(
            source,
            f"it holds {str(path)!r} twice, or so that this disk cannot tell "
            "the names apart; rename one of them and pack it again",
        )
    seen.add(path)


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
