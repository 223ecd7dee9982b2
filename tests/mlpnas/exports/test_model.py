"""The exported model against the encoder and a network in NumPy."""

import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from mlpnas.candidates.dense import initial_weights
from mlpnas.data.encoders import MISSING, ImageEncoder, TableEncoder
from mlpnas.exports.model import build_model, raw_batch, save_model
from mlpnas.exports.table_inputs import input_names
from nascore.errors import InputError
from nascore.spaces.perceptrons import MlpSpace


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


NAMES = [
    "km/h", "dense", "dense_1", "[UNK]", "", "a", "A", "_x", ".x", "a.b",
    "x" * 3000, "Länge (µm)", "l\nb", "训练", "where", "take", "a b", "a_b",
    "column_0", "column_0_", "numbers", "texts", "cast_1", "a\x00b", "%",
    "concatenate_2", "string_lookup", "functional", "inputs", "mask",
]  # fmt: skip
WORDS = ["[UNK]", "[UNK]_", MISSING, "None", "dense", "ß", "a/b", "x" * 500]


def export(encoder, frame, folder, missing=()):
    """A small model: saved, loaded as a user loads it, and by hand."""
    space = MlpSpace(classes=3)
    architecture = space.parse("8 elu | softmax")
    encoded = encoder.encode(frame)
    weights = initial_weights(architecture, encoded.shape[1], 3, [1, 2])
    model = build_model(encoder, architecture, weights, 0.2, missing)
    save_model(model, folder / "model.keras")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "When providing `inputs` as a dict")
        loaded = keras.models.load_model(folder / "model.keras")
    logits = forward(encoded, architecture, weights)
    return loaded, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def tensors(encoder, frame):
    batch = raw_batch(encoder, frame)
    return {name: tf.constant(column) for name, column in batch.items()}


@pytest.mark.parametrize("numeric", [True, False])
def test_any_name_of_a_column_is_what_the_model_takes(numeric, tmp_path):
    rng = np.random.default_rng(0)
    if numeric:
        frame = pd.DataFrame({name: rng.normal(size=20) for name in NAMES})
        encoder = TableEncoder(frame, NAMES, [])
    else:
        frame = pd.DataFrame({name: rng.choice(WORDS, 20) for name in NAMES})
        encoder = TableEncoder(frame, [], NAMES)
    loaded, expected = export(encoder, frame, tmp_path)
    assert set(loaded.input) == set(NAMES)
    given = tensors(encoder, frame)
    np.testing.assert_allclose(loaded(given), expected, atol=1e-5)
    # In any order, and as arrays of one dimension.
    other = {name: frame[name].to_numpy() for name in reversed(NAMES)}
    found = loaded.predict(other, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_operations_are_called_as_columns_may_not_be(tmp_path):
    frame = table(20, 0)
    encoder = TableEncoder(frame, ["year", "size"], ["town", "kind"])
    loaded, _ = export(encoder, frame, tmp_path, ("?",))
    names = [operation.name for operation in loaded.operations]
    assert len(names) > 10
    inside = set(input_names(["year", "size", "town", "kind"]).values())
    for name in set(names) - inside:
        assert input_names([name])[name] != name


def test_texts_that_count_as_missing_do_so_in_the_model(tmp_path):
    frame = pd.DataFrame({"town": ["Ulm", MISSING, "Bonn", MISSING] * 5})
    encoder = TableEncoder(frame, [], ["town"])
    loaded, expected = export(encoder, frame, tmp_path, ("?", "[UNK]"))
    given = {"town": tf.constant(["Ulm", "?", "Bonn", "[UNK]"])}
    np.testing.assert_allclose(loaded(given), expected[:4], atol=1e-5)
    unknown = np.asarray(loaded({"town": tf.constant(["Rome"])}))
    assert abs(unknown - expected[:4]).sum(1).min() > 1e-3


@pytest.mark.parametrize(("numbers", "texts"), [(1001, 0), (999, 2), (1, 1000)])
def test_a_wide_table_comes_in_matrices(numbers, texts, tmp_path):
    rng = np.random.default_rng(0)
    data = {f"n{n}": 1e8 + rng.normal(size=20) for n in range(numbers)}
    data |= {f"t{n}": rng.choice(["p", "q", MISSING], 20) for n in range(texts)}
    frame = pd.DataFrame(data)
    frame.iloc[3, 0] = np.nan
    names = list(frame)
    encoder = TableEncoder(frame, names[:numbers], names[numbers:])
    loaded, expected = export(encoder, frame, tmp_path)
    assert set(loaded.input) == {"numbers", "texts"} - (
        set() if texts else {"texts"}
    )
    given = tensors(encoder, frame)
    assert given["numbers"].shape == (20, numbers)
    np.testing.assert_allclose(loaded(given), expected, atol=1e-5)
    # Few operations, however many columns.
    assert len(loaded.operations) < 20


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
