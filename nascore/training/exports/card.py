"""What the card beside an exported network says of its images.

No TensorFlow.
"""

from pathlib import Path
from typing import NamedTuple

from nascore.config import check_kind, show
from nascore.data.config import FITS
from nascore.errors import InputError
from nascore.runs.json_files import look_up, read_object

# How images of another size than the network's came to it in training, see
# `nascore.data.images.preparation`.
RESIZED, PADDED = "resize", "pad"
# Of a side.
_MOST_PIXELS = 4096


class Intake(NamedTuple):
    """The images that a network takes.

    Attributes:
      shape: height, width and channels.
      other_sizes: what was done to training images of another size.
      fit: what was done to those of other proportions, of
        `nascore.data.config.FITS`.
      padded_from: height and width that training images had before they
        were padded; 0: they were not, or the card does not say.
    """

    shape: tuple[int, int, int]
    other_sizes: str
    fit: str = FITS[0]
    padded_from: int = 0


def read_card(path: Path) -> tuple[Intake, tuple[str, ...]]:
    """Reads what a network takes, and the names of its classes.

    Raises:
      InputError: the card is missing or damaged.
    """
    card = read_object(path)
    shape = look_up(card, path, "input.shape", list)
    for side in shape:
        check_kind(side, int, f"{path} is damaged: 'input.shape'")
    if len(shape) != 3 or not 1 <= min(shape) <= max(shape) <= _MOST_PIXELS:
        raise InputError(f"{path} is damaged: no image has the shape {shape}")
    classes = look_up(card, path, "classes", list)
    for name in classes:
        check_kind(name, str, f"{path} is damaged: 'classes'")
    height, width, channels = shape
    other_sizes = look_up(card, path, "input.other_sizes", str)
    # Cards of former versions, whose pictures were stretched, say neither.
    fit = card["input"].get("fit", FITS[0])
    if fit not in FITS:
        raise InputError(f"{path} is damaged: 'input.fit' is {show(fit)}")
    padded = card["input"].get("padded_from", 0)
    what = f"{path} is damaged: 'input.padded_from'"
    if not 0 <= check_kind(padded, int, what) <= height:
        raise InputError(f"{what} is {show(padded)}")
    intake = Intake((height, width, channels), other_sizes, fit, padded)
    return intake, tuple(classes)
