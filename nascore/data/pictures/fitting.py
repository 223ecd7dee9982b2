"""Brings pictures to the size that a network takes."""

import numpy as np
from PIL import Image, ImageOps

from nascore.data.pictures.tally import Tally

STRETCH, PAD, CROP = "stretch", "pad", "crop"
_BILINEAR = Image.Resampling.BILINEAR


def fit(
    image: Image.Image,
    size: tuple[int, int],
    how: str = STRETCH,
    tally: Tally | None = None,
) -> np.ndarray:
    """Brings a picture to a size, bilinearly.

    Args:
      image: 8 bits, grey or RGB.
      size: (width, height).
      how: what becomes of other proportions, a value of
        `nascore.data.config.FITS`. stretch: they are lost; pad: the whole
        picture, its border repeated where it is too short; crop: its middle.
      tally: counts pictures of other proportions.

    Returns:
      Uint8 `[height, width]`, or `[height, width, 3]`.
    """
    width, height = size
    if image.width * height != image.height * width:
        if tally is not None:
            tally.mark(how)
        if how == CROP:
            image = ImageOps.fit(image, size, _BILINEAR)
        elif how == PAD:
            return _pad(image, size)
    if image.size != size:
        image = image.resize(size, _BILINEAR)
    return np.asarray(image)


def _pad(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The whole picture in the middle, its border repeated around it."""
    width, height = size
    ratio = min(width / image.width, height / image.height)
    inside = (
        min(width, max(1, round(image.width * ratio))),
        min(height, max(1, round(image.height * ratio))),
    )
    pixels = np.asarray(image.resize(inside, _BILINEAR))
    return _repeat_border(pixels[None], height, width)[0]


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Brings uint8 `[n, h, w, c]` to `[n, size, size, c]`."""
    if images.shape[1:3] == (size, size):
        return images
    resized = [
        np.asarray(
            Image.fromarray(
                image[..., 0] if image.shape[-1] == 1 else image
            ).resize((size, size), _BILINEAR)
        )
        for image in images
    ]
    return np.stack(resized).reshape(len(images), size, size, -1)


def pad_to(images: np.ndarray, size: int) -> np.ndarray:
    """Pads uint8 `[n, h, w, c]` to a square by repeating the border."""
    return _repeat_border(images, size, size)


def _repeat_border(images: np.ndarray, height: int, width: int) -> np.ndarray:
    sides = [(0, 0)] * images.ndim
    for axis, size in ((1, height), (2, width)):
        missing = size - images.shape[axis]
        sides[axis] = (missing // 2, missing - missing // 2)
    return np.pad(images, sides, mode="edge")
