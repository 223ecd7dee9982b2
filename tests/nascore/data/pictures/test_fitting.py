"""Pictures come to a network's size alike in training and by predict."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments.predict import read_pixels
from nascore.data.config import FITS, DataConfig
from nascore.data.images import load_raw
from nascore.data.pictures.fitting import fit, pad_to
from nascore.data.pictures.tally import Tally
from nascore.errors import InputError
from nascore.training.exports.card import Intake, read_card

BILINEAR = Image.Resampling.BILINEAR


def noise(width, height, mode="RGB", seed=0):
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, shape, np.uint8))


@pytest.mark.parametrize("how", FITS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_square_pictures_are_resized_whatever_is_asked(how, mode):
    image, tally = noise(20, 20, mode), Tally()
    wanted = np.asarray(image.resize((8, 8), BILINEAR))
    assert np.array_equal(fit(image, (8, 8), how, tally), wanted)
    assert tally.remarks() == []


def test_stretching_is_what_earlier_versions_did():
    image = noise(30, 20)
    wanted = np.asarray(image.resize((8, 8), BILINEAR))
    assert np.array_equal(fit(image, (8, 8)), wanted)


def test_cropping_takes_the_middle():
    image = noise(32, 16)
    middle = image.crop((8, 0, 24, 16)).resize((8, 8), BILINEAR)
    pixels = fit(image, (8, 8), "crop")
    # At the cut Pillow looks at the pixels beside it, too.
    assert np.array_equal(pixels[:, 1:-1], np.asarray(middle)[:, 1:-1])
    high = image.transpose(Image.Transpose.ROTATE_90)
    turned = np.rot90(pixels)
    assert np.array_equal(fit(high, (8, 8), "crop"), turned)


def test_padding_keeps_the_whole_picture_and_repeats_its_border():
    image = noise(32, 16)
    pixels = fit(image, (8, 8), "pad")
    inside = np.asarray(image.resize((8, 4), BILINEAR))
    assert np.array_equal(pixels[2:6], inside)
    assert all(np.array_equal(row, inside[0]) for row in pixels[:2])
    assert all(np.array_equal(row, inside[-1]) for row in pixels[6:])


@pytest.mark.parametrize("how", FITS)
@pytest.mark.parametrize("size", [(500, 1), (1, 500)])
def test_lines_are_pictures_too(how, size):
    assert fit(noise(*size, "L"), (8, 8), how).shape == (8, 8)


@pytest.mark.parametrize("how", FITS)
def test_predicting_fits_as_training_did(tmp_path, how):
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for number in range(4):
            image = noise(12 + 5 * number, 17, seed=10 * place + number)
            image.save(tmp_path / name / f"{number}.png")
    config = DataConfig(
        dataset="folder", data_dir=str(tmp_path), image_size=8, fit=how
    )
    raw = load_raw(config)
    every = [*raw.train.images, *raw.test.images]
    trained = {image.tobytes() for image in every}
    assert len(trained) == 8
    # One picture of each class is square.
    assert any("6 of other proportions" in note for note in raw.notes)
    for path in tmp_path.rglob("*.png"):
        intake = Intake((8, 8, 3), "resize", how)
        assert read_pixels(path, intake, True).tobytes() in trained


def test_only_folders_have_pictures_to_fit():
    with pytest.raises(InputError, match="--fit=pad is for --dataset=folder"):
        DataConfig(dataset="mnist", fit="pad")


def test_what_was_padded_in_training_is_padded_again(tmp_path):
    path, tally = tmp_path / "digit.png", Tally()
    image = noise(28, 28, "L")
    image.save(path)
    intake = Intake((32, 32, 1), "pad", padded_from=28)
    wanted = pad_to(np.asarray(image)[None, ..., None], 32)[0]
    assert np.array_equal(read_pixels(path, intake, True, tally), wanted)
    assert tally.unusual("L") == []
    # A larger one becomes as large as those of the data set first.
    image.resize((280, 280), Image.Resampling.NEAREST).save(path)
    inside = np.asarray(Image.open(path).resize((28, 28), BILINEAR))
    wanted = pad_to(inside[None, ..., None], 32)[0]
    assert np.array_equal(read_pixels(path, intake, True, tally), wanted)
    (line,) = tally.unusual("L")
    assert "1 of another size (brought to the model's)" in line
    with pytest.raises(InputError, match="280x280 pixels .*--noconvert"):
        read_pixels(path, intake, False)
    # Of former versions: nobody knows how large those were.
    former = read_pixels(path, Intake((32, 32, 1), "pad"), True)
    wanted = np.asarray(Image.open(path).resize((32, 32), BILINEAR))
    assert np.array_equal(former[..., 0], wanted)


def write_card(path, **images):
    images = {"shape": [8, 8, 1], "other_sizes": "pad", **images}
    content = {"input": images, "classes": ["a", "b"]}
    path.write_text(json.dumps(content))
    return path


def test_cards_of_former_versions_stretch(tmp_path):
    card = write_card(tmp_path / "card.json")
    intake, classes = read_card(card)
    assert intake == Intake((8, 8, 1), "pad", "stretch", 0)
    assert classes == ("a", "b")
    card = write_card(card, fit="crop", padded_from=6)
    assert read_card(card)[0] == Intake((8, 8, 1), "pad", "crop", 6)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ({"fit": "fill"}, "'input.fit' is 'fill'"),
        ({"fit": ["pad"]}, "'input.fit'"),
        ({"padded_from": 9}, "'input.padded_from' is 9"),
        ({"padded_from": "6"}, "'input.padded_from' must be a whole number"),
    ],
)
def test_damaged_cards_are_refused(tmp_path, images, words):
    with pytest.raises(InputError) as refusal:
        read_card(write_card(tmp_path / "card.json", **images))
    assert words in str(refusal.value)
