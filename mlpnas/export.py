"""The found network as a Keras model that takes raw examples.

Nothing in the file is code: it loads in Keras' safe mode.
"""

from pathlib import Path

import keras
import numpy as np

from mlpnas.encoders import Encoder, ImageEncoder, TableEncoder
from mlpnas.space import MlpArchitecture
from mlpnas.tasks import LayerWeights
from nascore.errors import InputError
from nascore.files import placing


def build_model(
    encoder: Encoder,
    architecture: MlpArchitecture,
    weights: list[LayerWeights],
    dropout_rate: float,
) -> keras.Model:
    """Builds the model, its preprocessing included.

    Args:
      encoder: how raw examples become numbers.
      architecture: hidden layers.
      weights: of all layers.
      dropout_rate: of dropout layers, for training it further.

    Returns:
      A model from images `[n, h, w, c]` (0 to 255), or from a dictionary of
      a table's columns, each `[n, 1]` (numbers with NaN where missing, texts
      with "" where missing), to the probabilities of the classes, or of the
      second of two.
    """
    if isinstance(encoder, ImageEncoder):
        inputs, x = _image_inputs(encoder)
    else:
        inputs, x = _table_inputs(encoder)
    outputs = len(weights[-1][1])
    dense = []
    for layer in architecture:
        dense.append(keras.layers.Dense(layer.units, layer.activation))
        x = dense[-1](x)
        if layer.dropout:
            x = keras.layers.Dropout(dropout_rate)(x)
    final = "sigmoid" if outputs == 1 else "softmax"
    dense.append(keras.layers.Dense(outputs, final))
    model = keras.Model(inputs, dense[-1](x))
    for layer, arrays in zip(dense, weights, strict=True):
        layer.set_weights(list(arrays))
    return model


def _image_inputs(encoder: ImageEncoder) -> tuple:
    inputs = keras.Input(encoder.shape)
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    return inputs, keras.layers.Flatten()(scaled)


def _table_inputs(encoder: TableEncoder) -> tuple:
    inputs, parts = {}, []
    numbers = zip(
        encoder.numeric,
        encoder.medians,
        encoder.means,
        encoder.deviations,
        strict=True,
    )
    for name, median, mean, deviation in numbers:
        # Doubles, as the table was encoded: a large number with a small
        # deviation would lose its digits.
        raw = inputs[name] = keras.Input((1,), name=name, dtype="float64")
        known = keras.ops.where(keras.ops.isnan(raw), float(median), raw)
        scaled = keras.ops.divide(
            keras.ops.subtract(known, float(mean)), float(deviation)
        )
        parts.append(keras.ops.cast(scaled, "float32"))
    for name, texts in zip(
        encoder.categorical, encoder.categories, strict=True
    ):
        raw = inputs[name] = keras.Input((1,), name=name, dtype="string")
        # The first place is for texts that training did not have: all zeros
        # among the others.
        lookup = keras.layers.StringLookup(
            vocabulary=list(texts), output_mode="one_hot"
        )
        parts.append(lookup(raw)[:, 1:])
    joined = parts[0] if len(parts) == 1 else keras.ops.concatenate(parts, -1)
    return inputs, joined


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
    columns = {name: np.float64 for name in encoder.numeric}
    return {
        name: examples[name].to_numpy(columns.get(name, object))[:, None]  # type: ignore[index]
        for name in (*encoder.numeric, *encoder.categorical)
    }
