"""The CSV files of a run: rows are added, and a resumed run rewinds them.

A checkpoint holds how long each file was, and a checksum of it. So rows that
a crash left behind, after the checkpoint, are dropped whatever they look
like, and rows before it that were damaged do not pass for results.
"""

import csv
import errno
import io
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nascore.errors import InputError

Row = Mapping[str, Any]


class Extent(NamedTuple):
    """How far a file has come.

    Attributes:
      size: in bytes.
      checksum: CRC-32 of them.
    """

    size: int
    checksum: int


EMPTY = Extent(0, 0)


class Table:
    """A CSV file that one process adds rows to.

    Args:
      path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._extent: Extent | None = None

    @property
    def extent(self) -> Extent:
        """That of the whole rows."""
        if self._extent is None:
            whole = self._whole()
            self._extent = Extent(len(whole), zlib.crc32(whole))
        return self._extent

    def _whole(self) -> bytes:
        """The file up to its last line end; a crash can cut a line off."""
        if not self.path.exists():
            return b""
        content = self.path.read_bytes()
        return content[: content.rfind(b"\n") + 1]

    def append(self, rows: Sequence[Row]) -> None:
        """Adds rows; those of an empty file name its columns."""
        if not rows:
            return
        size, checksum = self.extent
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        if not size:
            writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue().encode()
        # A file that vanished meanwhile must not begin anew.
        with self.path.open("r+b" if size else "wb") as file:
            if file.seek(0, os.SEEK_END) < size:
                raise OSError(errno.EIO, "rows are lost", str(self.path))
            # What a failed attempt, or a crash, has left of a row.
            file.truncate(size)
            file.seek(size)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._extent = Extent(
            size + len(content), zlib.crc32(content, checksum)
        )

    def read(self) -> list[dict[str, str]]:
        """The whole rows; none if there is no file."""
        text = self._whole().decode("utf-8", errors="replace")
        return list(csv.DictReader(io.StringIO(text, newline=""), restval=""))

    def check(self, extent: Extent) -> None:
        """Checks that the file begins with what it had at `extent`.

        Raises:
          InputError: it is shorter or was changed.
        """
        content = self.path.read_bytes() if self.path.exists() else b""
        if len(content) < extent.size:
            raise InputError(
                f"{self.path} has {len(content)} bytes and had "
                f"{extent.size} when the run was saved: rows are lost"
            )
        if zlib.crc32(content[: extent.size]) != extent.checksum:
            raise InputError(
                f"{self.path} was damaged or edited: its first {extent.size} "
                "bytes are not what the run wrote"
            )

    def rewind(self, extent: Extent) -> None:
        """Drops what was added after `extent`."""
        if not extent.size:
            self.clear()
            return
        with self.path.open("r+b") as file:
            file.truncate(extent.size)
            os.fsync(file.fileno())
        self._extent = extent

    def clear(self) -> None:
        """Drops all rows."""
        self.path.unlink(missing_ok=True)
        self._extent = EMPTY
