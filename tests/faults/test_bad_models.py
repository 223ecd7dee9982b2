"""Exported networks, model cards, pictures and checkpoints that are no good."""

import io
import json
import shutil
import zipfile

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

DEEP = "[" * 100_000
CARD = {
    "input": {"shape": [8, 8, 1], "other_sizes": "none"},
    "classes": ["cat", "dog"],
}
KERAS = ["model/network.keras", "photo.png"]
ONNX = ["model/network.onnx", "photo.png"]
SAVED = ["model/saved_model", "photo.png"]
TRUST = [*SAVED, "--trust_saved_model"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A network that tells cats from dogs in every format."""
    import keras

    folder = tmp_path_factory.mktemp("exported")
    pixels = keras.Input((8, 8, 1))
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    model = keras.Model(pixels, keras.layers.Dense(2, "softmax")(x))
    model.save(folder / "network.keras")
    model.export(folder / "saved_model", verbose=False)
    graph = helper.make_graph(
        [helper.make_node("Concat", ["a", "a"], ["y"], axis=1)],
        "classifier",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 8, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor("a", TensorProto.FLOAT, [1, 1], [0.5])],
    )
    onnx.save(helper.make_model(graph), folder / "network.onnx")
    (folder / "model_card.json").write_text(json.dumps(CARD))
    return folder


@pytest.fixture
def model(exported, tmp_path):
    """The folder `model` of all formats, and a picture beside it."""
    shutil.copytree(exported, tmp_path / "model")
    Image.new("L", (8, 8), 7).save(tmp_path / "photo.png")
    return tmp_path / "model"


def content(name, new):
    return lambda model: (model / name).write_bytes(new)


def cut(name, part):
    def damage(model):
        whole = (model / name).read_bytes()
        (model / name).write_bytes(whole[: int(len(whole) * part)])

    return damage


def remove(*names):
    def damage(model):
        for name in names:
            (model / name).unlink()

    return damage


def card(**changes):
    new = json.dumps({**CARD, **changes}).encode()
    return content("model_card.json", new)


def member(name, edit):
    """Edits a member of the .keras file; None leaves it out."""

    def damage(model):
        path = model / "network.keras"
        with zipfile.ZipFile(path) as archive:
            members = {n: archive.read(n) for n in archive.namelist()}
        members[name] = edit(members.get(name, b""))
        with zipfile.ZipFile(path, "w") as archive:
            for key, value in members.items():
                if value is not None:
                    archive.writestr(key, value)

    return damage


def config(old, new):
    def edit(text):
        assert old in text
        return text.replace(old, new, 1)

    return member("config.json", edit)


def shape(*sides):
    return card(input={"shape": list(sides), "other_sizes": "none"})


MODELS = [
    ("predict", KERAS, remove("model_card.json"), "model_card.json does not"),
    ("predict", KERAS, content("model_card.json", b"[]"), "must be an object"),
    ("predict", KERAS, content("model_card.json", DEEP.encode()), "deeply"),
    ("predict", KERAS, content("model_card.json", b"\xff"), "cannot be read"),
    ("predict", KERAS, card(input=5), "lacks 'input.shape'"),
    ("predict", KERAS, card(classes="cat"), "'classes' must be a list"),
    ("predict", KERAS, card(classes=[1, 2]), "'classes' must be a text"),
    ("predict", KERAS, card(classes=["cat"]), "gives 2 classes and"),
    ("predict", KERAS, shape(8, 8), "no image has the shape"),
    ("predict", KERAS, shape(0, 8, 1), "no image has the shape"),
    ("predict", KERAS, shape(10**9, 10**9, 1), "no image has the shape"),
    ("predict", KERAS, shape("8", "8", 1), "'input.shape' must be a whole"),
    ("predict", KERAS, shape(9, 9, 1), "is no exported network"),
    ("predict", KERAS, content("network.keras", b""), "as a Keras model"),
    ("predict", KERAS, content("network.keras", b"PK\3\4x"), "a Keras model"),
    ("predict", KERAS, cut("network.keras", 0.5), "network.keras cannot be"),
    ("predict", KERAS, member("config.json", lambda c: None), "'config.json'"),
    ("predict", KERAS, member("config.json", lambda c: b"{"), "network.keras"),
    ("predict", KERAS, member("config.json", lambda c: b"7"), "network.keras"),
    (
        "predict",
        KERAS,
        member("config.json", lambda c: DEEP.encode()),
        "nested too deeply",
    ),
    ("predict", KERAS, config(b'"Dense"', b'"Dance"'), "'keras.layers.Dance'"),
    ("predict", KERAS, config(b'"Dense"', b'["a"]'), "is no exported network"),
    (
        "predict",
        KERAS,
        member("model.weights.h5", lambda w: w[:500]),
        "network.keras cannot be loaded",
    ),
    ("predict", KERAS, member("more.py", lambda c: b"1"), "holds 'more.py'"),
    ("predict", ONNX, content("network.onnx", b""), "is no exported network"),
    ("predict", ONNX, content("network.onnx", b"\x08\x09xyz"), "no exported"),
    ("predict", ONNX, cut("network.onnx", 0.6), "is no exported network"),
    ("predict", SAVED, lambda model: None, "a program that may read and write"),
    ("predict", TRUST, content("saved_model/saved_model.pb", b"x"), "no exp"),
    ("predict", TRUST, remove("saved_model/variables/variables.index"), "no"),
    ("predict", ["model/model_card.json", "photo.png"], lambda m: None, ".onn"),
    ("predict", ["nowhere", "photo.png"], lambda m: None, "nowhere does not"),
    ("export_model", ["."], remove("model_card.json"), "model_card.json does"),
    ("export_model", ["."], content("network.keras", b"x"), "a Keras model"),
    ("export_model", ["."], config(b'"Dense"', b'"Lambda"'), "ers.Lambda'"),
    ("export_model", ["."], content("model_card.json", b"4"), "an object"),
]


@pytest.mark.parametrize(("name", "arguments", "damage", "words"), MODELS)
def test_bad_models(refused, model, name, arguments, damage, words):
    damage(model)
    refused(name, arguments, words)


def picture(kind="PNG", mode="L", size=(8, 8)):
    file = io.BytesIO()
    Image.new(mode, size, 7).save(file, kind)
    return file.getvalue()


PNG = picture()
PICTURES = [
    (b"", "photo.png cannot be read as an image"),
    (b"no picture", "photo.png cannot be read as an image"),
    (PNG[:20], "photo.png cannot be read as an image"),
    (PNG[:46], "photo.png cannot be read as an image"),
    (PNG[:43] + bytes(9) + PNG[52:], "photo.png cannot be read as an image"),
    (picture("JPEG")[:150], "photo.png cannot be read as an image"),
    (picture("GIF")[:25], "photo.png cannot be read as an image"),
    (picture("TIFF")[:30], "photo.png cannot be read as an image"),
    (picture("BMP")[:50], "photo.png cannot be read as an image"),
    (picture("WEBP")[:30], "photo.png cannot be read as an image"),
    (picture("PPM"), "none of PNG, JPEG"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "none of PNG"),
    (picture("PNG", "L", (9, 8)), "has 9x8 pixels and the model takes 8x8"),
    (picture("PNG", "RGB"), "has colours and the model takes grey"),
]


@pytest.mark.parametrize(("new", "words"), PICTURES)
def test_bad_pictures(refused, model, new, words):
    (model.parent / "photo.png").write_bytes(new)
    refused("predict", [*KERAS, "--noconvert"], words)


@pytest.mark.parametrize("name", ["nowhere.png", "model"])
def test_pictures_that_are_no_files(refused, model, name):
    refused("predict", ["model/network.keras", name], f"{name} cannot be read")


@pytest.fixture(scope="module")
def fingerprint():
    """Of the images that the runs below searched on."""
    from nascore.data.config import DataConfig
    from nascore.data.images import load

    return load(DataConfig(image_size=8)).fingerprint


CELLS = "0 0 1 1 0 2 1 3 0 0 1 1 0 2 1 3"
CHECKPOINTS = [
    ("score_architecture", ["run", CELLS], {}, "has no checkpoint yet", 0),
    (
        "score_architecture",
        ["run", CELLS],
        {"ckpt-1.index": b"no checkpoint", "ckpt-1.data-00000-of-00001": b""},
        "no checkpoint in run/checkpoints can be used",
        0,
    ),
    (
        "train_final",
        [
            "--from_run=run",
            "--init_from_supernet=run",
            "--image_size=8",
            "--filters=4",
            "--num_layers=2",
            "--run_dir=final",
        ],
        {"ckpt-7.index": bytes(100), "ckpt-6.index": b""},
        "no checkpoint in run/checkpoints can be used",
        1,
    ),
]


@pytest.mark.parametrize(
    ("name", "arguments", "files", "words", "warnings"), CHECKPOINTS
)
def test_bad_checkpoints(
    refused, search_run, fingerprint, name, arguments, files, words, warnings
):
    settings = json.loads((search_run / "config.json").read_text())
    settings["data"]["fingerprint"] = fingerprint
    settings["config"] |= {"image_size": 8, "num_layers": 2, "batch_size": 40}
    (search_run / "config.json").write_text(json.dumps(settings))
    (search_run / "checkpoints").mkdir()
    for file, new in files.items():
        (search_run / "checkpoints" / file).write_bytes(new)
    refused(name, arguments, words, warnings)


def test_the_models_themselves_are_good(exported):
    from nascore.training.exports.classifier import load_classifier

    image = np.full((3, 8, 8, 1), 7, np.uint8)
    for name in ("network.keras", "network.onnx", "saved_model"):
        classifier = load_classifier(exported / name, trust=True)
        assert classifier.run(image[:1].astype(np.float32)).shape == (1, 2)
