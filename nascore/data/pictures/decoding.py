"""One picture file as people mean it: the only way that pictures are read.

Training, scoring and classifying read alike: the first frame or page, turned
upright, transparency laid on a ground, 16 bits brought to 8.
"""

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from nascore.data.pictures.files import FORMATS, read_head, recognize
from nascore.data.pictures.tally import Tally
from nascore.errors import InputError

# For a model's card; it must say what `read_image` does.
READING = (
    "the first frame or page; turned as its EXIF orientation says; of 16 bits "
    "the upper eight; transparency laid on white, or on black if nothing "
    "stands out from white by 64 levels and more does from black; then 8-bit "
    "grey or RGB (CMYK and palettes become RGB), resized bilinearly"
)
# What Pillow raises for damaged files of these formats.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    AttributeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_GREY_MODES = ("1", "L", "LA", "La", "I")
_MODES = {
    *_GREY_MODES,
    *("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"),
}
# What stands out less from white than this may be a white drawing.
_VISIBLE = 64
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Tags of TIFF.
_BITS, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0


@contextlib.contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Opens an image file and reads its header.

    Raises:
      InputError: it is missing, no image, of a kind whose range of values is
        unknown, or suspiciously large.
    """
    if not path.is_file():
        raise _unreadable(path, _what_instead(path))
    if not path.stat().st_size:
        raise _unreadable(path, "it is empty (0 bytes)")
    # Not by its name: Pillow 13 maps such files into memory, and mixes up the
    # sides of a TIFF that is to be turned.
    with path.open("rb") as file:
        image = _open(path, file)
        reason = _no_range(image)
        if reason:
            raise _unreadable(path, reason)
        yield image


def _what_instead(path: Path) -> str:
    """What a path is that is no file."""
    if path.is_dir():
        return "it is a folder"
    if path.exists():
        return "it is no file"
    if path.is_symlink():
        return "it is a link to what does not exist"
    return "it does not exist"


def _open(path: Path, file: BinaryIO) -> Image.Image:
    try:
        with _quiet():
            return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        reason: object = f"it is none of {', '.join(FORMATS)}, or is damaged"
        if other := recognize(read_head(path)):
            reason = f"it is {other}; convert it to PNG or JPEG, or remove it"
    except _BROKEN as error:
        reason = error
    raise _unreadable(path, reason)


def _no_range(image: Image.Image) -> str:
    """Why the values of a picture have no black and white; empty if so."""
    how = "save it with 8 or 16 bits"
    if image.mode == "F":
        return (
            "it holds real numbers, and no file says which are black and "
            f"white; {how}"
        )
    if image.mode == "I" and image.format != "PNG":
        return (
            "it holds signed numbers or numbers of 32 bits, and no file says "
            f"which are black and white; {how}"
        )
    if image.mode not in _MODES and not _is_deep_grey(image):
        return f"its colours are stored as {image.mode}; save it as RGB"
    return ""


def _is_deep_grey(image: Image.Image) -> bool:
    """Whether it is grey of 12 or 16 bits; older Pillows have PNG's as I."""
    return image.mode.startswith("I")


def is_grey(path: Path) -> bool:
    """Whether an image file has no colours, by its header.

    Raises:
      InputError: as `open_image`.
    """
    with open_image(path) as image:
        return _has_no_colours(image)


def _has_no_colours(image: Image.Image) -> bool:
    # Pillow has no mode for grey and alpha of 16 bits.
    return (
        image.mode in _GREY_MODES
        or _is_deep_grey(image)
        or _raw_mode(image).startswith("LA")
    )


def _raw_mode(image: Image.Image) -> str:
    """How the pixels lie in the file, as Pillow names it; before loading."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    if isinstance(arguments, tuple) and arguments:
        arguments = arguments[0]
    return arguments if isinstance(arguments, str) else ""


def read_image(
    path: Path, mode: str, tally: Tally | None = None
) -> Image.Image:
    """Reads an image file as `READING` says.

    Args:
      path: the file.
      mode: `L` for one channel, `RGB` for three.
      tally: counts how it was read.

    Raises:
      InputError: it cannot be read.
    """
    tally = Tally() if tally is None else tally
    with open_image(path) as image:
        try:
            with _quiet():
                return _read(image, tally).convert(mode)
        except _BROKEN as error:
            raise _unreadable(path, error) from None


def _read(image: Image.Image, tally: Tally) -> Image.Image:
    """Decodes an open picture; 8 bits, without transparency."""
    raw, grey = _raw_mode(image), _has_no_colours(image)
    # Decoding turns a TIFF, and then it does not say so any more.
    turned = _orientation(image) if image.format == "TIFF" else 1
    paged = getattr(image, "is_animated", False)
    image.load()
    tally.count(
        "grey" if grey else "RGB" if image.mode[:3] == "RGB" else image.mode
    )
    if paged:
        tally.mark("pages")
    if ";16" in raw or _is_deep_grey(image):
        tally.mark("deep")
    left = _orientation(image)
    if left != 1 or turned != 1:
        tally.mark("turned")
    if _is_deep_grey(image):
        image = _to_eight_bits(image, tally)
    else:
        _mend_key(image, raw)
    image = _lay_on_ground(image, tally)
    if left in _UPRIGHT:
        image = image.transpose(_UPRIGHT[left])
    return image


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 without one or if it is damaged."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _BROKEN:
        return 1
    return value if value in _UPRIGHT else 1


def _to_eight_bits(image: Image.Image, tally: Tally) -> Image.Image:
    """The upper eight bits of a grey picture of 12 or 16 bits."""
    bits, inverted = 16, False
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF":
        bits = tags.get(_BITS, (16,))[0]
        inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    pixels = np.asarray(image)
    key = image.info.get("transparency")
    if inverted:
        pixels = (1 << bits) - 1 - pixels
    tally.see_brightest(int(pixels.max()), bits)
    eight = Image.fromarray((pixels >> (bits - 8)).astype(np.uint8))
    if isinstance(key, int):
        alpha = np.where(pixels == key, 0, 255).astype(np.uint8)
        eight = Image.merge("LA", (eight, Image.fromarray(alpha)))
    return eight


def _mend_key(image: Image.Image, raw: str) -> None:
    """Brings PNG's transparent colour to 8 bits, as its pixels were."""
    key = image.info.get("transparency")
    if image.format != "PNG" or key is None:
        return
    if image.mode == "RGB" and ";16" in raw:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    elif image.mode == "L" and raw in ("L;2", "L;4"):
        image.info["transparency"] = key * (85 if raw == "L;2" else 17)


def _lay_on_ground(image: Image.Image, tally: Tally) -> Image.Image:
    """Lays a picture that is partly transparent on white, or on black."""
    if not image.has_transparency_data:
        return image
    grey = image.mode in _GREY_MODES
    image = image.convert("LA" if grey else "RGBA")
    alpha = image.getchannel("A")
    image = image.convert("L" if grey else "RGB")
    least, most = alpha.getextrema()
    if least == 255:
        return image
    on_white = _laid(image, alpha, "white")
    contrast = 255 - int(np.asarray(on_white).min())
    if most == 0:
        tally.mark("invisible")
        return on_white
    if contrast < _VISIBLE:
        on_black = _laid(image, alpha, "black")
        if np.asarray(on_black).max() > contrast:
            tally.mark("on black")
            return on_black
    tally.mark("on white")
    return on_white


def _laid(image: Image.Image, alpha: Image.Image, ground: str) -> Image.Image:
    laid = Image.new(image.mode, image.size, ground)
    laid.paste(image, mask=alpha)
    return laid


def _unreadable(path: Path, reason: object) -> InputError:
    return InputError(f"{path} cannot be read as an image: {reason}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Errors for pictures that are suspiciously large, and no warnings.

    Pillow only warns of those, and of damaged metadata.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield
