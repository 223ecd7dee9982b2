"""Arrays of the user's: what they mean, and what is refused."""

import numpy as np
import pytest

from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.data.own_images.arrays import (
    check_more,
    check_parts,
    read_arrays,
    write_arrays,
)
from nascore.errors import InputError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 4, 4, 1), np.uint8)
LABELS = np.array([10, 9, 10, 2, 2, 9])


def parts(x=PIXELS, y=LABELS, **others):
    return check_parts({"train": (x, y), **others})


def test_labels_are_places_in_the_order_of_numbers_not_of_texts():
    found, names = parts()
    assert names == ("2", "9", "10")
    assert found["train"][1].tolist() == [2, 1, 2, 0, 0, 1]
    assert found["train"][1].dtype == np.int32


@pytest.mark.parametrize(
    "y",
    [
        np.array(["b", "a", "b", "c", "c", "a"]),
        np.array(["b", "a", "b", "c", "c", "a"], object),
        ["b", "a", "b", "c", "c", "a"],
    ],
)
def test_labels_may_be_texts(y):
    found, names = parts(y=y)
    assert names == ("a", "b", "c")
    assert found["train"][1].tolist() == [1, 0, 1, 2, 2, 0]


@pytest.mark.parametrize(
    "y",
    [np.eye(3)[[2, 1, 2, 0, 0, 1]], np.array([[2], [1], [2], [0], [0], [1]])],
)
def test_rows_of_ones_and_zeros_and_columns_are_labels(y):
    assert parts(y=y)[0]["train"][1].tolist() == [2, 1, 2, 0, 0, 1]


@pytest.mark.parametrize(
    "x",
    [
        PIXELS,
        PIXELS[..., 0],
        PIXELS.astype(np.int64),
        PIXELS.astype(np.float64),
        PIXELS.astype(np.float32) / 255,
    ],
)
def test_the_same_pixels_in_any_form(x):
    assert np.array_equal(parts(x=x)[0]["train"][0], PIXELS)


def test_other_parts_are_read_as_the_training_images_are():
    # Darker than 1 of 255, in an array of floats whose training part is not.
    dark = np.full((2, 4, 4), 1.0)
    whole = PIXELS.astype(float)
    assert parts(x=whole, test=(dark, [2, 9]))[0]["test"][0].max() == 1
    unit = whole / 255
    assert parts(x=unit, test=(dark, [2, 9]))[0]["test"][0].max() == 255


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": PIXELS - 1.0}, "x_train has values from -1 to 2"),
        ({"x": PIXELS.astype(float) * 300}, "x_train has values from"),
        ({"x": np.full((6, 4, 4), np.nan)}, "x_train has values from nan"),
        ({"x": PIXELS[..., [0, 0]]}, r"1 or 3\]. Received: \[6, 4, 4, 2\]"),
        ({"x": PIXELS.reshape(6, 16)}, r"Received: \[6, 16\]"),
        ({"x": np.array(["a"] * 6)}, "x_train must be numbers"),
        ({"x": PIXELS[:0]}, "x_train must be images"),
        ({"y": LABELS[:5]}, "y_train has 5 labels for 6 images"),
        ({"y": LABELS + 0.5}, "y_train must be a whole number or a text"),
        ({"y": np.zeros((6, 3))}, "each row must have one 1"),
        ({"y": np.zeros(6, int)}, "y_train has one class only, '0'"),
        ({"y": None}, "there is no y_train"),
        ({"test": (PIXELS, LABELS + 1)}, "y_test has the class '3'"),
        ({"test": (PIXELS[:, :3], LABELS)}, "x_test are 3x4x1, those of x_tr"),
        (
            {"x": PIXELS / 255, "test": (PIXELS.astype(float), LABELS)},
            "x_test has values from",
        ),
    ],
)
def test_one_line_for_what_is_no_images_with_classes(given, message):
    with pytest.raises(InputError, match=message):
        parts(**given)


def test_names_are_of_the_places():
    y = np.array([0, 1, 1, 0, 1, 1])
    found, names = check_parts({"train": (PIXELS, y)}, ["cat", "dog", "owl"])
    assert names == ("cat", "dog", "owl")
    assert found["train"][1].tolist() == y.tolist()
    with pytest.raises(InputError, match="y_train has the label 10; there are"):
        check_parts({"train": (PIXELS, LABELS)}, ["cat", "dog"])
    with pytest.raises(InputError, match="a name twice"):
        check_parts({"train": (PIXELS, y)}, ["cat", "cat"])


def test_later_labels_are_names_or_where_none_is_a_number_places():
    one = PIXELS[:1]
    assert check_more(one, ["dog"], ("cat", "dog"))[1] == 1
    assert check_more(one, [1], ("cat", "dog"))[1] == 1
    assert check_more(one, [10], ("2", "9", "10"))[1] == 2
    with pytest.raises(InputError, match="y has the class '0'"):
        check_more(one, [0], ("2", "9", "10"))
    with pytest.raises(InputError, match="y has the class 'owl'"):
        check_more(one, ["owl"], ("cat", "dog"))


def test_what_is_written_is_read(tmp_path):
    found, names = parts(test=(PIXELS[:3], LABELS[:3]))
    write_arrays(tmp_path / "a.npz", found, names)
    again, same = read_arrays(tmp_path / "a.npz")
    assert same == names and again.keys() == found.keys()
    for part in found:
        assert all(map(np.array_equal, again[part], found[part]))


def broken(path):
    path.write_bytes(b"PK nonsense")


def pickled(path):
    np.savez(path, x_train=np.array([{}], object), y_train=[1])


def foreign(path):
    np.savez(path, images=PIXELS, y_train=LABELS)


def cut_short(path):
    np.savez(path, x_train=PIXELS, y_train=LABELS)
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (broken, "is no NPZ file of plain arrays"),
        (pickled, "is no NPZ file of plain arrays"),
        (foreign, "holds 'images', which is none of: class_names, x_test"),
        (cut_short, "is no NPZ file of plain arrays"),
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
)
def test_one_line_for_a_file_that_is_none(tmp_path, make, message):
    make(tmp_path / "a.npz")
    with pytest.raises(InputError, match=message):
        read_arrays(tmp_path / "a.npz")


def test_a_file_of_keras_is_a_data_set(tmp_path):
    count = 60
    x = RNG.integers(0, 256, (count, 6, 4), np.uint8)
    file = tmp_path / "mnist.npz"
    y = np.arange(count) % 3
    np.savez(file, x_train=x, y_train=y, x_test=x[:9], y_test=y[:9])
    with pytest.raises(InputError, match="6x4 pixels; .* --image_size=6"):
        load(DataConfig("arrays", str(file)))
    data = load(DataConfig("arrays", str(file), image_size=4))
    assert data.image_shape == (4, 4, 1) and data.class_names == tuple("012")
    assert len(data.test) == 9
    assert sum(map(len, (data.train, data.validation, data.search_test))) == 60
    np.savez(file, x_train=x[:, :4], y_train=y)
    data = load(DataConfig("arrays", str(file)))
    assert len(data.test) == 12 and "has no x_test: 12 images" in data.notes[0]
