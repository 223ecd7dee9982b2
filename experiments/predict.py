"""Classifies pictures or rows of a table with a trained network.

  python -m experiments.predict MODEL IMAGE... [--top=3] [--convert]
  python -m experiments.predict RUN rows.csv [--top=3] [--out=classes.csv]

MODEL is the folder `model` of a final training or one of the files in it:
`network.keras`, `saved_model`, `network.onnx`. The class names come from the
`model_card.json` beside it. RUN is the folder of an MLPNAS run on a table.
"""

import sys
from pathlib import Path

import numpy as np
from absl import flags

from experiments import launch, predict_table
from flags import base
from nascore.data.images import pad_to
from nascore.data.pictures.decoding import is_grey, read_image, to_size
from nascore.data.pictures.tally import Tally
from nascore.errors import InputError, printable

_MODES = {1: "L", 3: "RGB"}


def read_pixels(
    path: Path,
    shape: tuple[int, int, int],
    other_sizes: str,
    convert: bool,
    tally: Tally | None = None,
) -> np.ndarray:
    """Reads an image file as a network takes it, uint8 `[h, w, c]`.

    Args:
      path: the file.
      shape: height, width and channels that the network takes.
      other_sizes: what was done to training images of another size, see
        `nascore.data.images.preparation`.
      convert: whether any size and number of channels is brought to those.
      tally: counts how pictures were read.

    Raises:
      InputError: no image, or one of the wrong size or channels.
    """
    height, width, channels = shape
    if channels not in _MODES:
        raise InputError(f"the model takes {channels} channels, not an image")
    if channels == 1 and not convert and not is_grey(path):
        raise InputError(
            f"{path} has colours and the model takes grey images; add "
            "--convert to turn them grey"
        )
    # A folder's grey pictures were trained on as coloured ones.
    resized = convert or other_sizes == "resize"
    if channels == 3 and not resized and is_grey(path):
        raise InputError(
            f"{path} is grey and the model takes colours; add --convert to "
            "repeat its one channel"
        )
    image = read_image(path, _MODES[channels], tally)
    if resized:
        return to_size(image, (width, height)).reshape(shape)
    pixels = np.asarray(image).reshape(image.height, image.width, channels)
    smaller = image.height <= height and image.width <= width
    if other_sizes == "pad" and smaller and height == width:
        return pad_to(pixels[None], height)[0]
    if pixels.shape != shape:
        raise InputError(
            f"{path} has {image.width}x{image.height} pixels and the model "
            f"takes {width}x{height}; add --convert to resize it"
        )
    return pixels


def main(args: list[str]) -> None:
    """Prints the likeliest classes of each image."""
    if len(args) < 2:
        raise InputError("name a model and image files: predict MODEL IMAGE...")
    launch.quiet_tensorflow()
    if predict_table.is_table_model(Path(args[0])):
        if flags.FLAGS.convert:
            raise InputError("--convert is for pictures; leave it out")
        out = flags.FLAGS.out
        predict_table.main(Path(args[0]), args[1:], flags.FLAGS.top, out)
        return
    if flags.FLAGS.out:
        raise InputError("--out is for tables; leave it out")
    from nascore.training.exports.classifier import load_classifier

    classifier = load_classifier(Path(args[0]), flags.FLAGS.trust_saved_model)
    tally = Tally()
    images = [
        read_pixels(
            Path(name),
            classifier.shape,
            classifier.other_sizes,
            flags.FLAGS.convert,
            tally,
        )
        for name in args[1:]
    ]
    # Not among the answers, which may go into a file.
    for note in tally.unusual(_MODES[classifier.shape[-1]]):
        print(f"note: {note}", file=sys.stderr)
    probabilities = classifier.predict(np.stack(images))
    for name, row in zip(args[1:], probabilities, strict=True):
        best = np.argsort(-row, kind="stable")[: flags.FLAGS.top]
        ranked = (f"{classifier.classes[k]} {row[k]:.1%}" for k in best)
        print(printable(f"{name}: {', '.join(ranked)}"))


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_integer("top", 3, "Classes to print for each image or row.", 1)
    base.define_path(
        "out", "", "Of a table: a new CSV file to write the classes to."
    )
    flags.DEFINE_bool(
        "convert",
        False,
        "Bring images of another size or number of channels to the model's.",
    )
    flags.DEFINE_bool(
        "trust_saved_model",
        False,
        "Load a SavedModel, which is a program that may read and write files.",
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
