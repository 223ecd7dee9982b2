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
    LITERT,
    LITERT_INT8,
    ONNX,
    OPENVINO,
    RUNNERS,
    SAVED_MODEL,
    XML,
    check_packages,
    without_telemetry,
)
from nascore.training.exports.write import Silence, load_keras

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
    if path.is_dir() and not (path / XML).is_file() and not trust:
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
    if path.name == XML:
        return path.parent
    if path.is_file() or any(
        (path / name).is_file() for name in ("saved_model.pb", XML)
    ):
        return path
    for folder in (path, path / "model"):
        for name in (KERAS, SAVED_MODEL, ONNX, LITERT, OPENVINO, LITERT_INT8):
            if (folder / FILE_NAMES[name]).exists():
                return folder / FILE_NAMES[name]
    raise InputError(
        f"{path} holds no exported network; a final training leaves one"
    )


def _load(path: Path) -> Predict:
    if path.suffix == ".onnx":
        return _load_onnx(path)
    if path.suffix == ".tflite":
        return _load_litert(path)
    if (path / XML).is_file():
        return _load_openvino(path / XML)
    if path.is_dir():
        # The function alone would not keep the weights alive.
        loaded = tf.saved_model.load(str(path))
        return lambda pixels: loaded.serve(tf.constant(pixels)).numpy()
    if path.suffix != ".keras":
        raise InputError(
            f"{path} is no exported network; name a .keras, .onnx or .tflite "
            "file, or the folder of a SavedModel or of OpenVINO"
        )
    model = load_keras(path)
    return lambda pixels: model.predict_on_batch(pixels)


def _load_onnx(path: Path) -> Predict:
    check_packages(ONNX, (RUNNERS[ONNX],))
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path))
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels})[0]


def _load_litert(path: Path) -> Predict:
    check_packages(LITERT, (RUNNERS[LITERT],))
    from ai_edge_litert.interpreter import Interpreter

    with Silence():
        interpreter = Interpreter(str(path))
        interpreter.allocate_tensors()
    takes, gives = (
        details[0]
        for details in (
            interpreter.get_input_details(),
            interpreter.get_output_details(),
        )
    )

    def run(pixels: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(takes["index"], pixels.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(takes["index"], pixels)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(gives["index"]))

    return run


def _load_openvino(path: Path) -> Predict:
    check_packages(OPENVINO, (RUNNERS[OPENVINO],))
    without_telemetry()
    import openvino

    # Else it computes with 16 bits where the processor can.
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(path, "CPU", precise)
    return lambda pixels: compiled(pixels)[0]
