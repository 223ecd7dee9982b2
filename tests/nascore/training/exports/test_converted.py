"""LiteRT and OpenVINO: what they give, and files that are none of them."""

import json

import keras
import numpy as np
import pytest

from nascore.errors import InputError
from nascore.training.exports import formats
from nascore.training.exports.classifier import load_classifier
from nascore.training.exports.formats import CARD, FILE_NAMES
from nascore.training.exports.write import calibration, export

CONVERTED = ("litert", "litert_int8", "openvino")
SHAPE = (8, 8, 3)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (40, *SHAPE), np.uint8)


@pytest.fixture(scope="module")
def folder(images, tmp_path_factory):
    """A network of the layers that ours have, in all of these formats."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Rescaling(1 / 64, -2.0),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.AveragePooling2D(3, 2, "same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
            layers.Softmax(),
        ]
    )
    folder = tmp_path_factory.mktemp("converted") / "model"
    export(model, folder, ("keras", *CONVERTED), calibration(images))
    card = {
        "input": {"shape": list(SHAPE), "other_sizes": "none"},
        "classes": ["a", "b", "c"],
    }
    (folder / CARD).write_text(json.dumps(card))
    return folder


def predict(folder, name, images):
    return load_classifier(folder / FILE_NAMES[name]).predict(images)


@pytest.mark.parametrize("name", CONVERTED)
def test_it_gives_what_the_network_gives(folder, images, name):
    expected = predict(folder, "keras", images)
    found = predict(folder, name, images)
    assert expected.std() > 0.01
    limit = 0.05 if name == "litert_int8" else 1e-5
    np.testing.assert_allclose(found, expected, atol=limit)
    # Eight bits are not thirty-two.
    assert (abs(found - expected).max() > 1e-5) == (name == "litert_int8")


def test_nobody_is_told_of_it(folder):
    import sys

    assert sys.modules["openvino_telemetry"] is None


def test_eight_bits_are_smaller(tmp_path, images):
    dense = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten()])
    dense.add(keras.layers.Dense(200))
    export(dense, tmp_path, CONVERTED[:2], images)
    sizes = [(tmp_path / FILE_NAMES[n]).stat().st_size for n in CONVERTED[:2]]
    assert sizes[1] < 0.35 * sizes[0]


def test_the_same_images_calibrate_each_time(images):
    many = np.concatenate([images] * 10)
    assert np.array_equal(calibration(many), calibration(many))
    assert len(calibration(many)) == 200 and len(calibration(images)) == 40


@pytest.mark.parametrize(
    "name", ["network.tflite", "openvino/network.xml", "openvino/network.bin"]
)
def test_a_damaged_file_is_one_line(folder, tmp_path, name):
    import shutil

    copy = shutil.copytree(folder, tmp_path / "model")
    file = copy / name
    file.write_bytes(file.read_bytes()[:40])
    path = copy / "openvino" if "openvino" in name else file
    with pytest.raises(InputError, match="is no exported network"):
        load_classifier(path)


@pytest.mark.parametrize("name", ["openvino", "onnx"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, name):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=rf"pip install 'ienas\[{name}\]'"):
        formats.parse_formats(f"keras,{name}")
    formats.parse_formats("keras,litert")


def test_litert_names_its_extra_when_it_is_run(folder, monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"pip install 'ienas\[litert\]'"):
        load_classifier(folder / "network.tflite")
