"""The found network as a Keras model that takes raw examples.

Nothing in the file is code: it loads in Keras' safe mode.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from mlpnas.candidates.tasks import LayerWeights
from mlpnas.data.encoders import Encoder, ImageEncoder
from mlpnas.exports.table_inputs import NUMBERS, TEXTS, is_wide, table_inputs
from nascore.errors import InputError
from nascore.runs.atomic import placing
from nascore.spaces.perceptrons import MlpArchitecture


def build_model(
    encoder: Encoder,
    architecture: MlpArchitecture,
    weights: list[LayerWeights],
    dropout_rate: float,
    missing: Sequence[str] = (),
) -> keras.Model:
    """Builds the model, its preprocessing included.

    Args:
      encoder: how raw examples become numbers.
      architecture: hidden layers.
      weights: of all layers.
      dropout_rate: of dropout layers, for training it further.
      missing: texts of a table that count as missing, beside "".

    Returns:
      A model from images `[n, h, w, c]` (0 to 255), or from what
      `table_inputs` says, to the probabilities of the classes, or of the
      second of two.
    """
    if isinstance(encoder, ImageEncoder):
        inputs, x = _image_inputs(encoder)
    else:
        inputs, x = table_inputs(encoder, missing)
    outputs = len(weights[-1][1])
    dense = []
    for layer in architecture:
        dense.append(keras.layers.Dense(layer.units, layer.activation))
        x = dense[-1](x)
        if layer.dropout:
            x = keras.layers.Dropout(dropout_rate)(x)
    final = "sigmoid" if outputs == 1 else "softmax"
    dense.append(keras.layers.Dense(outputs, final))
    with warnings.catch_warnings():
        # Of columns whose names Keras does not take for its own.
        warnings.filterwarnings("ignore", "When providing `inputs` as a dict")
        model = keras.Model(inputs, dense[-1](x))
    for layer, arrays in zip(dense, weights, strict=True):
        layer.set_weights(list(arrays))
    return model


def _image_inputs(encoder: ImageEncoder) -> tuple:
    inputs = keras.Input(encoder.shape)
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    return inputs, keras.layers.Flatten()(scaled)


def save_model(model: keras.Model, path: Path) -> None:
    """Writes a .keras file whole or not at all.

    Raises:
      InputError: it cannot be written.
    """
    try:
        with placing(path) as partial:
            model.save(partial)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}") from None


def raw_batch(encoder: Encoder, examples: object) -> object:
    """Brings raw examples to what the exported model takes.

    Args:
      encoder: the model's.
      examples: uint8 images, or the frame that a `TableEncoder` encodes.
    """
    if isinstance(encoder, ImageEncoder):
        return examples
    if not isinstance(examples, pd.DataFrame):
        raise TypeError(f"rows must be a frame. Received: {type(examples)}")
    kinds = (
        (NUMBERS, encoder.numeric, np.float64),
        (TEXTS, encoder.categorical, object),
    )
    if is_wide(encoder):
        return {
            kind: examples[list(names)].to_numpy(dtype)
            for kind, names, dtype in kinds
            if names
        }
    return {
        name: examples[name].to_numpy(dtype)[:, None]
        for _, names, dtype in kinds
        for name in names
    }
