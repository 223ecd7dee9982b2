"""The exported model against the encoder and a network in NumPy."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from mlpnas.dense import initial_weights
from mlpnas.encoders import MISSING, ImageEncoder, TableEncoder
from mlpnas.export import build_model, raw_batch, save_model
from mlpnas.space import MlpSpace
from nascore.errors import InputError


def forward(features, architecture, weights):
    """The network in NumPy, to the last layer's logits."""
    functions = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0),
        "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    }
    x = features
    for layer, (kernel, bias) in zip(architecture, weights, strict=False):
        x = functions[layer.activation](x @ kernel + bias)
    kernel, bias = weights[-1]
    return x @ kernel + bias


def table(rows, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            # A large number with a small deviation, which float32 would lose.
            "year": 1e8 + rng.normal(size=rows),
            "size": rng.lognormal(0, 2, rows),
            "town": rng.choice(["Ulm", "Bonn", "Köln", MISSING], rows),
            "kind": rng.choice(["1", "2"], rows),
        }
    )
    frame.loc[[1, 5], "size"] = np.nan
    return frame


@pytest.mark.parametrize(
    ("numeric", "categorical"),
    [(["year", "size"], ["town", "kind"]), (["size"], []), ([], ["town"])],
)
def test_a_model_takes_raw_columns_in_safe_mode(numeric, categorical, tmp_path):
    train, fresh = table(50, 0), table(20, 1)
    fresh.loc[0, "town"] = "Rome"
    encoder = TableEncoder(train, numeric, categorical)
    space = MlpSpace(classes=3)
    architecture = space.parse("16 elu | dropout | 8 tanh | softmax")
    encoded = encoder.encode(fresh)
    weights = initial_weights(architecture, encoded.shape[1], 3, [1, 2])
    model = build_model(encoder, architecture, weights, 0.2)
    save_model(model, tmp_path / "model.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    inputs = {
        name: tf.constant(column)
        for name, column in raw_batch(encoder, fresh).items()
    }
    logits = forward(encoded, architecture, weights)
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(loaded(inputs), expected, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 10])
def test_a_model_takes_raw_images(classes, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (7, 8, 8, 1), np.uint8)
    encoder = ImageEncoder((8, 8, 1))
    space = MlpSpace(classes=classes)
    architecture = space.parse(f"32 relu | 8 sigmoid | {space.final}")
    weights = initial_weights(architecture, 64, space.outputs, [3, 4])
    model = build_model(encoder, architecture, weights, 0.2)
    save_model(model, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    ours = loaded.predict(raw_batch(encoder, images), verbose=0)
    logits = forward(encoder.encode(images), architecture, weights)
    if classes == 2:
        expected = 1 / (1 + np.exp(-logits))
    else:
        expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_a_model_that_cannot_be_written_is_one_clear_line(tmp_path):
    encoder = ImageEncoder((8, 8, 1))
    architecture = MlpSpace().parse("8 relu | softmax")
    weights = initial_weights(architecture, 64, 10, [3, 4])
    model = build_model(encoder, architecture, weights, 0.2)
    with pytest.raises(InputError, match="cannot be written"):
        save_model(model, tmp_path / "nowhere" / "model.keras")
