import dataclasses

import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import train_test_split

from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.data.pictures.fitting import pad_to, resize
from nascore.errors import InputError


def folder_data(root, parts=("",), classes=("cat", "dog"), count=40, **image):
    """Writes little pictures whose grey level tells class and number."""
    mode = image.get("mode", "L")
    for part in parts:
        for label, name in enumerate(classes):
            path = root / part / name
            path.mkdir(parents=True)
            for number in range(count):
                size = image.get("size", (12, 9 + number % 3))
                level = 100 * label + number
                colour = level if mode == "L" else (level, 5, 250)
                Image.new(mode, size, colour).save(path / f"{number}.png")
    return root


def folder_config(root, **fields):
    fields = {"validation_fraction": 0.2, "image_size": 8, **fields}
    return DataConfig(dataset="folder", data_dir=str(root), **fields)


def test_digits_are_upsampled_and_split_by_class():
    data = load(DataConfig())
    assert data.image_shape == (16, 16, 1)
    assert data.classes == 10
    total = sum(
        len(s)
        for s in (data.train, data.validation, data.search_test, data.test)
    )
    assert total == 1797
    assert data.train.images.dtype == np.uint8
    assert data.train.labels.dtype == np.int32
    everyone = np.bincount(data.train.labels) / len(data.train)
    part = np.bincount(data.validation.labels) / len(data.validation)
    np.testing.assert_allclose(everyone, part, atol=0.01)
    assert data.train.images.max() == 255


def test_splits_do_not_overlap():
    data = load(DataConfig())
    seen = [
        {image.tobytes() for image in split.images}
        for split in (data.train, data.validation, data.search_test, data.test)
    ]
    sizes = [
        len(s)
        for s in (data.train, data.validation, data.search_test, data.test)
    ]
    # The 1,797 digits are all different.
    assert [len(s) for s in seen] == sizes
    assert len(set.union(*seen)) == sum(sizes)


def test_the_split_follows_its_own_seed():
    first, again = load(DataConfig()), load(DataConfig())
    assert first.fingerprint == again.fingerprint
    other = load(DataConfig(split_seed=2))
    assert other.fingerprint != first.fingerprint
    assert other.test.labels.tolist() == first.test.labels.tolist()


def test_published_protocol_takes_rewards_from_the_test_set():
    data = load(DataConfig(split="ienas"))
    clean = load(DataConfig())
    assert len(data.validation) == round(0.3 * len(clean.test))
    assert len(data.validation) + len(data.search_test) == len(clean.test)
    assert len(data.train) == 1797 - len(clean.test)
    assert "official test images" in data.notes[-1]


def test_training_subset_is_stratified():
    data = load(DataConfig(train_examples=500))
    assert len(data.train) == 500
    assert np.bincount(data.train.labels).min() >= 45
    whole = load(DataConfig())
    assert data.validation.images.tobytes() == whole.validation.images.tobytes()
    almost = len(whole.train) - 3
    assert len(load(DataConfig(train_examples=almost)).train) == almost


@pytest.mark.parametrize("wanted", [300, 333, 600, 601, 1000])
def test_a_training_subset_has_exactly_as_many_images(wanted):
    assert len(load(DataConfig(train_examples=wanted)).train) == wanted


@pytest.mark.parametrize("wanted", [500, 466])
def test_subsets_that_were_exact_are_the_same_images(wanted):
    data = load(DataConfig(train_examples=wanted))
    whole = load(DataConfig()).train
    _, places = train_test_split(
        np.arange(len(whole)),
        test_size=wanted / len(whole),
        random_state=1,
        stratify=whole.labels,
    )
    assert len(places) == wanted
    np.testing.assert_array_equal(data.train.images, whole.images[places])


def test_statistics_of_the_training_pixels():
    data = load(DataConfig())
    pixels = data.train.images / 255.0
    np.testing.assert_allclose(data.mean, pixels.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(data.std, pixels.std((0, 1, 2)), rtol=1e-5)


def test_padding_repeats_the_border():
    image = np.arange(28 * 28 * 2).reshape(2, 28, 28, 1) % 251
    padded = pad_to(image.astype(np.uint8), 32)
    assert padded.shape == (2, 32, 32, 1)
    np.testing.assert_array_equal(padded[:, 2:30, 2:30], image)
    np.testing.assert_array_equal(padded[:, 0, 2:30], image[:, 0])
    np.testing.assert_array_equal(padded[:, 31, 31], image[:, 27, 27])


def test_resizing_keeps_colours_apart():
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[..., 1] = 200
    resized = resize(image, 8)
    assert resized.shape == (1, 8, 8, 3)
    assert (resized == [0, 200, 0]).all()


def test_folder_of_grey_pictures(tmp_path):
    data = load(folder_config(folder_data(tmp_path)))
    assert data.class_names == ("cat", "dog")
    assert data.image_shape == (8, 8, 1)
    assert "set aside as the test set" in data.notes[0]
    levels = data.train.images[:, 0, 0, 0]
    np.testing.assert_array_equal(levels >= 100, data.train.labels == 1)


def test_one_coloured_picture_makes_all_coloured(tmp_path):
    folder_data(tmp_path)
    Image.new("RGB", (5, 5), (9, 8, 7)).save(tmp_path / "cat" / "z.jpg")
    assert load(folder_config(tmp_path)).image_shape == (8, 8, 3)


def test_folder_with_its_own_parts(tmp_path):
    folder_data(tmp_path, ("train",))
    folder_data(tmp_path, ("valid", "test"), count=20)
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "train" / "cat" / "notes.txt").write_text("not a picture")
    data = load(folder_config(tmp_path))
    assert (len(data.validation), len(data.test)) == (40, 40)
    assert len(data.train) + len(data.search_test) == 80


def broken(root):
    (root / "cat" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")


def truncated(root):
    path = root / "dog" / "3.png"
    noise = np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:900])


def bomb(root):
    Image.new("1", (14_000, 14_000)).save(root / "cat" / "bomb.png")


def emptied(root):
    for path in (root / "dog").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (broken, ["7.png", "cannot be read as an image"]),
        (truncated, ["3.png", "cannot be read as an image"]),
        (bomb, ["bomb.png", "cannot be read as an image"]),
        (emptied, ["dog", "holds no image"]),
    ],
)
def test_broken_pictures_are_named(tmp_path, spoil, words):
    spoil(folder_data(tmp_path))
    with pytest.raises(InputError) as error:
        load(folder_config(tmp_path))
    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(InputError, match="is not an existing folder"):
        load(folder_config(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="0 class folder"):
        load(folder_config(tmp_path))


def test_classes_must_be_the_same_everywhere(tmp_path):
    folder_data(tmp_path, ("train",))
    folder_data(tmp_path, ("test",), ("cat", "fish"))
    with pytest.raises(InputError, match="different classes: dog, fish"):
        load(folder_config(tmp_path))


def test_more_validation_than_training_images(tmp_path):
    folder_data(tmp_path, ("train",), count=20)
    folder_data(tmp_path, ("valid",), count=60)
    with pytest.raises(InputError, match="validation images are more than"):
        load(folder_config(tmp_path))


def test_classes_too_small_to_split(tmp_path):
    folder_data(tmp_path, count=2)
    with pytest.raises(InputError, match="is too small to set"):
        load(folder_config(tmp_path))


@pytest.mark.parametrize("count", [5, 5000])
def test_impossible_subsets(count):
    with pytest.raises(InputError, match="must be from 10 .* to 1149"):
        load(DataConfig(train_examples=count))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dataset": "imagenet"}, "is not one of: digits, mnist"),
        ({"validation_fraction": float("nan")}, "--validation_fraction=nan"),
        ({"validation_fraction": -0.1}, "--validation_fraction=-0.1"),
        (
            {"validation_fraction": 0.6, "search_test_fraction": 0.4},
            "leave under 5%",
        ),
        ({"dataset": "folder"}, "needs --data_dir"),
        ({"train_examples": -1}, "--train_examples=-1"),
    ],
)
def test_impossible_settings(fields, message):
    with pytest.raises(InputError) as error:
        dataclasses.replace(DataConfig(), **fields)
    assert message in str(error.value)
