"""Which files are pictures that we read, by their endings and first bytes."""

import os
import stat
from pathlib import Path

from PIL import features

# Pillow reads AVIF from 11.3 on, where it was built with it.
_AVIF = "avif" in features.modules and bool(features.check("avif"))
# Pillow would try all that it knows, and start programs of others for some,
# whatever a file is called.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF") + ("AVIF",) * _AVIF
_ENDINGS = {
    ".png",
    ".apng",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".jif",
    ".mpo",
    ".bmp",
    ".dib",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    *([".avif"] * _AVIF),
}
# Pictures of other kinds, which people have among those that we read.
_OTHER_PICTURES = {
    *(".heic", ".heif", ".avif", ".avifs", ".jxl", ".jp2", ".j2k", ".jpx"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".ico", ".svg", ".pdf", ".psd"),
    *(".eps", ".exr", ".hdr", ".dcm", ".raw", ".dng", ".nef", ".cr2", ".cr3"),
    *(".arw", ".orf", ".rw2", ".raf"),
}
# What files begin with that we read whatever they are called. Two letters are
# too few to tell a BMP from a text, and much is TIFF that is no picture.
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_HEAD_BYTES = 32
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
# What else pictures turn out to be.
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"<svg", "SVG"),
    (b"<!DOCTYPE", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "XML"),
    (b"{", "JSON or text"),
    (b"PK\3\4", "a zip archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file"),
)


def read_head(path: Path) -> bytes:
    """The first bytes of a file; none of what is no file or is unreadable."""
    try:
        # Opening a pipe would wait for somebody who writes into it.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def is_picture(path: Path) -> bool:
    """Whether a file claims to be a picture that we read.

    By its ending; of another one, by its first bytes.
    """
    ending = path.suffix.lower()
    if ending in _ENDINGS:
        return True
    if ending in _OTHER_PICTURES:
        return False
    head = read_head(path)
    return head.startswith(_BEGINNINGS) or (
        head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    )


def describe_other(path: Path) -> str:
    """What a file that we do not read is, by its ending, for a list."""
    if path.is_symlink() and not path.exists():
        return "link(s) to what does not exist"
    ending = path.suffix.lower()
    if not ending:
        return "without an ending"
    if ending in _OTHER_PICTURES:
        return f"{ending} (not read here: convert them, as to PNG)"
    return ending


def recognize(head: bytes) -> str:
    """What a file is instead of a picture, by its first bytes; or empty."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIF_BRANDS:
            return "HEIC"
        return "AVIF" if brand in (b"avif", b"avis") else "a film"
    for beginning, name in _OTHERS:
        if head.startswith(beginning):
            return name
    return ""
