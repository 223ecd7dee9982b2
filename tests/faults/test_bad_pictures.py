"""Pictures and archives that scripts refuse, or read and say how."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8)
FLOATS = Image.fromarray(RAMP / np.float32(64))
HEIC = b"\0\0\0\x18ftypheic" + bytes(50)


def save(folder, name, image, **options):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(image, bytes):
        path.write_bytes(image)
    else:
        image.save(path, **options)


GREY = Image.fromarray(RAMP)
PLAIN = {f"{name}/{n}.png": GREY for name in "ab" for n in range(9)}
FOLDERS = [
    ({**PLAIN, "b/x.tif": FLOATS}, "photos/b/x.tif cannot be read as an image"),
    ({**PLAIN, "b/x.jpg": HEIC}, "it is HEIC"),
    ({**PLAIN, "b/x.png": b"", "b/y.png": b""}, "1 more file, too"),
    ({**PLAIN, "c/1.png": GREY}, "class 'c'"),
    ({**PLAIN, "train/c/1.png": GREY}, "rename train"),
    ({f"{n}/x/1.png": GREY for n in ("train1", "test1")}, "rename test1"),
    ({f"{n}/1.png": GREY for n in ("train", "test")}, "without a class"),
]


@pytest.mark.parametrize(
    ("files", "words"), FOLDERS, ids=[words for _, words in FOLDERS]
)
def test_folders_that_a_search_refuses(refused, tmp_path, files, words):
    for name, image in files.items():
        save(tmp_path / "photos", name, image)
    arguments = ["--dataset=folder", "--data_dir=photos", "--run_dir=run"]
    refused("search_enas", arguments, words)


def png(image=GREY):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


ZIPS = [
    ({"photos.zip": b"x"}, "holds no picture but archives (photos.zip)"),
    ({"cats/1.png": png()}, "a.zip has 1 class folder(s)"),
    ({"cats/1.png": png(), "dogs/1.png": b"x"}, "a.zip/dogs/1.png cannot be"),
    ({"cats/1.png": png(), "dogs/1.heic": HEIC}, "but 1 .heic"),
]


@pytest.mark.parametrize(
    ("files", "words"), ZIPS, ids=[words for _, words in ZIPS]
)
def test_archives_that_prepare_data_refuses(refused, tmp_path, files, words):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    arguments = ["--dataset=folder", "--source=a.zip", "--data_dir=new"]
    refused("prepare_data", arguments, words)


@pytest.fixture
def model(tmp_path):
    """A network of colours that a folder of pictures could have trained."""
    import keras

    pixels = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    network = keras.Model(pixels, keras.layers.Dense(2, "softmax")(x))
    network.save(tmp_path / "network.keras")
    card = {
        "input": {"shape": [8, 8, 3], "other_sizes": "resize"},
        "classes": ["cat", "dog"],
    }
    (tmp_path / "model_card.json").write_text(json.dumps(card))
    return tmp_path / "network.keras"


def test_predict_takes_pictures_of_every_kind(forked, tmp_path, model):
    colours = GREY.convert("RGB")
    clear = colours.copy()
    clear.putalpha(GREY)
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path, "plain.png", colours)
    save(tmp_path, "grey.png", GREY)
    save(tmp_path, "clear.png", clear)
    save(tmp_path, "turned.png", colours, exif=exif)
    save(tmp_path, "deep.png", Image.fromarray(RAMP.astype(np.uint16) * 999))
    names = [f"{n}.png" for n in ("plain", "grey", "clear", "turned", "deep")]
    done = forked("predict", model.name, *names, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert [line.split(":")[0] for line in answers] == names
    (note,) = done.stderr.splitlines()
    assert note.startswith("note: 5 pictures: 3 RGB, 2 grey (taken as colour)")
    for words in ("laid on white", "more than 8 bits", "EXIF"):
        assert words in note


def test_predict_says_nothing_of_usual_pictures(forked, tmp_path, model):
    save(tmp_path, "plain.png", GREY.convert("RGB"))
    done = forked("predict", model.name, "plain.png", folder=tmp_path)
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize(
    ("image", "words"), [(FLOATS, "real numbers"), (HEIC, "it is HEIC")]
)
def test_pictures_that_predict_refuses(refused, tmp_path, model, image, words):
    save(tmp_path, "x.tif", image)
    refused("predict", [model.name, "x.tif"], words)
