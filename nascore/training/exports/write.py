"""A trained network as files that others can use.

What is exported takes pixels from 0 to 255 and gives probabilities: scaling
is inside, drop path and auxiliary head are left out, and every layer is
Keras's own, so that it loads without this package.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.discrete import LOGITS, build_network
from nascore.runs.atomic import placing
from nascore.training.config import FinalConfig
from nascore.training.exports.formats import (
    FILE_NAMES,
    KERAS,
    LITERT,
    LITERT_INT8,
    ONNX,
    OPENVINO,
    SAVED_MODEL,
    WRITERS,
    XML,
    without_telemetry,
)
from nascore.training.exports.keras_file import check_keras_file


def inference_model(
    network: keras.Model,
    config: FinalConfig,
    scaling: tuple[Any, Any],
) -> keras.Model:
    """The trained network as it is exported.

    Args:
      network: the network with its trained weights.
      config: what it was built from.
      scaling: mean and deviation that pixels in [0, 1] are standardized by.

    Returns:
      A model from pixels in [0, 255], `[n, h, w, c]`, to probabilities,
      `[n, classes]`, both float32.
    """
    shape, classes = network.input.shape[1:], network.output[LOGITS].shape[-1]
    plain = build_network(
        config.architecture, shape, classes, config.network.for_inference()
    )
    for layer in plain.layers:
        if layer.weights:
            layer.set_weights(network.get_layer(layer.name).get_weights())
    # With an axis for each of an image: of a flat list, Rescaling would take
    # the axis from the keras.json of whoever loads it.
    mean, std = (np.broadcast_to(value, (1, 1, shape[-1])) for value in scaling)
    pixels = keras.Input(shape, name="pixels")
    x = keras.layers.Rescaling(
        (1 / (255 * std)).tolist(), (-mean / std).tolist(), name="scaling"
    )(pixels)
    probabilities = keras.layers.Softmax(name="probabilities")(plain(x)[LOGITS])
    return keras.Model(pixels, probabilities, name="classifier")


# What Keras calls the formats that it converts to.
_CONVERTED = {
    SAVED_MODEL: "tf_saved_model",
    ONNX: "onnx",
    LITERT: "litert",
    LITERT_INT8: "litert",
    OPENVINO: "openvino",
}
# Images whose activations say how wide the steps of 8 bits are.
CALIBRATION_IMAGES = 200


def export(
    model: keras.Model,
    folder: Path,
    formats: Sequence[str],
    images: np.ndarray | None = None,
    names: Mapping[str, str] = FILE_NAMES,
) -> list[Path]:
    """Writes a model in these formats; returns the paths.

    Args:
      model: of `inference_model`, or another of one input.
      folder: where.
      formats: of `formats.FORMATS`.
      images: pixels `[n, h, w, c]` of training images, see `calibration`;
        for `litert_int8`.
      names: of the files.

    Raises:
      InputError: a path that cannot be written.
    """
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in formats:
            path = folder / names[name]
            with placing(path) as partial:
                _write(model, partial, name, images, path)
            paths.append(path)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from None
    return paths


def calibration(images: np.ndarray) -> np.ndarray:
    """Some of these images, always the same: those `export` looks at."""
    order = np.random.default_rng(0).permutation(len(images))
    return images[order[:CALIBRATION_IMAGES]]


def check_converters(formats: Sequence[str]) -> None:
    """Imports what an export needs, so that a training does not end at that.

    Raises:
      InputError: a package is installed and does not work.
    """
    without_telemetry()
    for name in formats:
        for package in WRITERS.get(name, ()):
            try:
                with Silence():
                    importlib.import_module(package)
            # A package of another version fails in its own way.
            except Exception as error:
                raise InputError(
                    f"{name} needs the package {package}, which cannot be "
                    f"used here ({_reason(error)}): pip install "
                    f"'ienas[{name}]'"
                ) from None


def _write(
    model: keras.Model,
    path: Path,
    name: str,
    images: np.ndarray | None,
    final: Path,
) -> None:
    if name == KERAS:
        model.save(path)
        return
    target, options = path, {}
    if name == OPENVINO:
        without_telemetry()
        # It is two files.
        path.mkdir()
        target = path / XML
    elif name == LITERT_INT8:
        if images is None:
            raise ValueError(f"{name} needs images")
        options = _int8(images)
    try:
        with Silence():
            if name in (ONNX, OPENVINO):
                # Keras converts only what was called before.
                model(_example(model))
            model.export(
                str(target), format=_CONVERTED[name], verbose=False, **options
            )
    except OSError:
        raise
    # Each converter has errors of its own.
    except Exception as error:
        raise InputError(
            f"{final.parent} gets no {final.name}, its converter failed "
            f"({_reason(error)}); leave {name} out of the formats"
        ) from error


def _example(model: keras.Model) -> np.ndarray:
    """The smallest batch that a model takes, of zeros."""
    (tensor,) = model.inputs
    return np.zeros([size or 1 for size in tensor.shape], tensor.dtype)


def _int8(images: np.ndarray) -> dict[str, Any]:
    """Options of a quantization after training, of weights and maps.

    Pixels and probabilities stay float32.
    """
    seen = images.astype(np.float32)
    return {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": lambda: ([image[None]] for image in seen),
    }


def _reason(error: Exception) -> str:
    """One line of what an error says."""
    return (" ".join(str(error).split()) or type(error).__name__)[:200]


def load_keras(path: Path) -> keras.Model:
    """Loads a `.keras` file of ours; code in it is never run.

    Raises:
      InputError: it is none, or holds what no exported network has.
    """
    check_keras_file(path)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    # Keras has another error for every damage.
    except Exception as error:
        raise InputError(
            f"{path} cannot be loaded as a Keras model: {_reason(error)}"
        ) from None


class Silence:
    """Keeps the chatter of libraries on stdout and stderr away."""

    def __enter__(self) -> None:
        sys.stdout.flush()
        self._null = os.open(os.devnull, os.O_WRONLY)
        self._saved = [os.dup(1), os.dup(2)]
        os.dup2(self._null, 1)
        os.dup2(self._null, 2)

    def __exit__(self, *error: object) -> None:
        for number, saved in enumerate(self._saved, 1):
            os.dup2(saved, number)
            os.close(saved)
        os.close(self._null)
