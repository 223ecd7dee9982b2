"""Classifies pictures or rows of a table with a trained network.

  python -m experiments.predict MODEL IMAGE... [--top=3] [--fit=crop]
  python -m experiments.predict RUN rows.csv [--top=3] [--out=classes.csv]

MODEL is the folder of a final training, the folder `model` in it or one of
the files there: `network.keras`, `saved_model`, `network.onnx`. The class
names come from the `model_card.json` beside it. RUN is the folder of an
MLPNAS run on a table.

Pictures are brought to the size and the channels that the network was
trained on, as its training pictures were, and a line says so; --noconvert
refuses those that its training set could not have held.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from absl import flags
from PIL import Image

from experiments import launch
from flags import base
from nascore.data.config import FITS
from nascore.data.pictures.decoding import is_grey, read_image
from nascore.data.pictures.fitting import fit, pad_to
from nascore.data.pictures.tally import Tally
from nascore.errors import InputError, printable
from nascore.training.exports.card import PADDED, RESIZED, Intake

if TYPE_CHECKING:
    from nascore.training.exports.classifier import Classifier

_MODES = {1: "L", 3: "RGB"}


def read_pixels(
    path: Path, intake: Intake, convert: bool, tally: Tally | None = None
) -> np.ndarray:
    """Reads an image file as a network takes it, uint8 `[h, w, c]`.

    Args:
      path: the file.
      intake: what the network takes, and how its training images came to
        that.
      convert: whether any size and number of channels is brought to those.
      tally: counts how pictures were read.

    Raises:
      InputError: no image, or one of the wrong size or channels.
    """
    channels = intake.shape[-1]
    if channels not in _MODES:
        raise InputError(f"the model takes {channels} channels, not an image")
    if channels == 1 and not convert and not is_grey(path):
        raise InputError(
            f"{path} has colours and the model takes grey images; leave "
            "--noconvert out to turn them grey"
        )
    # A folder's grey pictures were trained on as coloured ones.
    resized = convert or intake.other_sizes == RESIZED
    if channels == 3 and not resized and is_grey(path):
        raise InputError(
            f"{path} is grey and the model takes colours; leave --noconvert "
            "out to repeat its one channel"
        )
    tally = Tally() if tally is None else tally
    image = read_image(path, _MODES[channels], tally)
    return _to_size(image, intake, resized, path, tally)


def _to_size(
    image: Image.Image,
    intake: Intake,
    resized: bool,
    path: Path,
    tally: Tally,
) -> np.ndarray:
    """Brings a picture to the size of a network, `[h, w, c]`."""
    height, width, channels = intake.shape
    inner = intake.padded_from or height
    smaller = image.height <= height and image.width <= width
    if intake.other_sizes == PADDED and height == width:
        # As large as the images of the data set, or nobody knows their size.
        usual = image.size == (inner, inner) or not intake.padded_from
        if smaller and (usual or not resized):
            pixels = np.asarray(image)
            pixels = pixels.reshape(image.height, image.width, channels)
            return pad_to(pixels[None], height)[0]
        if resized:
            tally.mark("sized")
            pixels = fit(image, (inner, inner), intake.fit, tally)
            return pad_to(pixels.reshape(1, inner, inner, channels), height)[0]
    if image.size != (width, height):
        if not resized:
            raise InputError(
                f"{path} has {image.width}x{image.height} pixels and the "
                f"model takes {width}x{height}; leave --noconvert out to "
                "bring it to that"
            )
        tally.mark("sized")
    return fit(image, (width, height), intake.fit, tally).reshape(intake.shape)


def main(args: list[str]) -> None:
    """Prints the likeliest classes of each image."""
    if len(args) < 2:
        raise InputError(
            "name a model and image files: "
            "python -m experiments.predict MODEL IMAGE..."
        )
    is_model = Path(args[0]).suffix in (".keras", ".onnx")
    if Path(args[-1]).is_dir() and Path(args[0]).is_file() and not is_model:
        raise InputError(
            f"{args[-1]} is a folder and {args[0]} a file: the model comes "
            "first, then what it is to classify"
        )
    launch.quiet_tensorflow()
    # Imports the libraries that read tables.
    from experiments import predict_table

    if predict_table.is_table_model(Path(args[0])):
        for name in ("convert", "fit"):
            if flags.FLAGS[name].present:
                raise InputError(f"--{name} is for pictures; leave it out")
        out = flags.FLAGS.out
        predict_table.main(Path(args[0]), args[1:], flags.FLAGS.top, out)
        return
    if flags.FLAGS.out:
        raise InputError("--out is for tables; leave it out")
    from nascore.training.exports.classifier import load_classifier

    classifier = load_classifier(Path(args[0]), flags.FLAGS.trust_saved_model)
    images = _read(classifier, args[1:])
    probabilities = classifier.predict(np.stack(images))
    for name, row in zip(args[1:], probabilities, strict=True):
        best = np.argsort(-row, kind="stable")[: flags.FLAGS.top]
        ranked = (f"{classifier.classes[k]} {row[k]:.1%}" for k in best)
        print(printable(f"{name}: {', '.join(ranked)}"))


def _read(classifier: "Classifier", names: list[str]) -> list[np.ndarray]:
    """Reads all pictures, and says in one line what had to be changed."""
    intake, tally = classifier.intake, Tally()
    if flags.FLAGS.fit:
        intake = intake._replace(fit=flags.FLAGS.fit)
    images = [
        read_pixels(Path(name), intake, flags.FLAGS.convert, tally)
        for name in names
    ]
    # Not among the answers, which may go into a file.
    for note in tally.unusual(_MODES[intake.shape[-1]]):
        print(f"note: {note}", file=sys.stderr)
    return images


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_integer("top", 3, "Classes to print for each image or row.", 1)
    base.define_path(
        "out", "", "Of a table: a new CSV file to write the classes to."
    )
    flags.DEFINE_bool(
        "convert",
        True,
        "Bring pictures of another size or number of channels to the model's; "
        "--noconvert refuses what its training set could not have held.",
    )
    flags.DEFINE_enum(
        "fit",
        None,
        FITS,
        "How pictures of other proportions are brought to the model's: their "
        "proportions are lost, the whole picture with its border repeated, or "
        "its middle. Not given: as the training pictures were.",
    )
    flags.DEFINE_bool(
        "trust_saved_model",
        False,
        "Load a SavedModel, which is a program that may read and write files.",
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
