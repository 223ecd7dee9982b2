"""An exported network, loaded again to classify images."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from nascore.errors import InputError
from nascore.training.exports.card import Intake, read_card
from nascore.training.exports.formats import (
    CARD,
    FILE_NAMES,
    KERAS,
    ONNX,
    SAVED_MODEL,
    check_packages,
)
from nascore.training.exports.write import load_keras

Predict = Callable[[np.ndarray], np.ndarray]
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Classifier:
    """What an exported network makes of images.

    Attributes:
      intake: the images that it takes.
      classes: their names.
      run: maps float32 pixels in [0, 255] to probabilities.
    """

    intake: Intake
    classes: tuple[str, ...]
    run: Predict

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities `[n, classes]` of uint8 images `[n, h, w, c]`."""
        parts = [
            self.run(images[first : first + _BATCH].astype(np.float32))
            for first in range(0, len(images), _BATCH)
        ]
        return np.concatenate(parts)


def load_classifier(path: Path, trust: bool = False) -> Classifier:
    """Loads an exported network.

    Args:
      path: the folder that holds it, or one of its files.
      trust: whether a SavedModel may be loaded. It is a program: its graph
        can read and write files.

    Raises:
      InputError: no exported network, packages that it needs are missing, or
        a SavedModel without trust.
    """
    path = _find(path)
    card_path = path.parent / CARD
    intake, classes = read_card(card_path)
    if path.is_dir() and not trust:
        raise InputError(
            f"{path} is a SavedModel, a program that may read and write "
            "files: add --trust_saved_model if you know who made it, or take "
            f"{FILE_NAMES[KERAS]} or {FILE_NAMES[ONNX]}, which cannot"
        )
    try:
        run = _load(path)
        out = run(np.zeros((1, *intake.shape), np.float32))
    # Each library has errors of its own for a file that is no model.
    except Exception as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no exported network: {reason}") from None
    if out.shape != (1, len(classes)):
        raise InputError(
            f"{path} gives {out.shape[-1]} classes and {card_path} names "
            f"{len(classes)}; they do not belong together"
        )
    return Classifier(intake, classes, run)


def _find(path: Path) -> Path:
    """The file of the network that a path means."""
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if path.is_file() or (path / "saved_model.pb").is_file():
        return path
    for folder in (path, path / "model"):
        for name in (KERAS, SAVED_MODEL, ONNX):
            if (folder / FILE_NAMES[name]).exists():
                return folder / FILE_NAMES[name]
    raise InputError(
        f"{path} holds no exported network; a final training leaves one"
    )


def _load(path: Path) -> Predict:
    if path.suffix == ".onnx":
        return _load_onnx(path)
    if path.is_dir():
        # The function alone would not keep the weights alive.
        loaded = tf.saved_model.load(str(path))
        return lambda pixels: loaded.serve(tf.constant(pixels)).numpy()
    if path.suffix != ".keras":
        raise InputError(
            f"{path} is no exported network; name a .keras or .onnx file, or "
            "the folder of a SavedModel"
        )
    model = load_keras(path)
    return lambda pixels: model.predict_on_batch(pixels)


def _load_onnx(path: Path) -> Predict:
    check_packages(("onnxruntime",))
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels})[0]
