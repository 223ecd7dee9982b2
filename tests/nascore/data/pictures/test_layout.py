"""Folders of pictures as people have them: what is read, and what is said."""

import numpy as np
import pytest
from PIL import Image

from experiments.predict import read_pixels
from nascore.data.config import DataConfig
from nascore.data.images import load, load_raw
from nascore.data.pictures.class_folders import read_class_folders
from nascore.data.pictures.layout import find_layout
from nascore.errors import InputError
from nascore.training.exports.card import Intake


def draw(path, level=0, mode="L", count=1, ending="png", **options):
    """Writes pictures of one level into a folder, which it makes."""
    path.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = Image.new("L", (8, 8), level + number).convert(mode)
        image.save(path / f"{number}.{ending}", **options)


def read(root):
    """Images by part, names, and all that is said."""
    notes = []
    parts, names = read_class_folders(root, 8, notes)
    return parts, names, "\n".join(notes)


def refusal(root):
    with pytest.raises(InputError) as error:
        find_layout(root)
    return str(error.value)


def test_what_was_read_is_counted(tmp_path):
    draw(tmp_path / "cat", mode="RGB", count=5)
    draw(tmp_path / "dog", count=3)
    draw(tmp_path / "dog" / "old", mode="RGBA", count=2)
    Image.new("LA", (8, 8), (0, 0)).save(tmp_path / "dog" / "b.PNG")
    (tmp_path / "dog" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "dog" / "._0.png").write_bytes(b"x")
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"x")
    _, names, said = read(tmp_path)
    assert names == ("cat", "dog")
    assert said.splitlines() == [
        "11 pictures: 7 RGB, 4 grey (taken as colour); 1 wholly transparent "
        "(nothing but white is left); 2 in sub-folders of their class",
        "2 classes: cat 5, dog 6",
    ]


def test_what_is_left_out_is_counted_with_an_example(tmp_path):
    for name in ("cat", "dog"):
        draw(tmp_path / name)
    for number in range(3):
        (tmp_path / "cat" / f"{number}.HEIC").write_bytes(b"ftypheic")
    (tmp_path / "cat" / "labels.csv").write_text("a,b")
    (tmp_path / "LICENSE").write_text("free")
    draw(tmp_path, count=1)
    _, _, said = read(tmp_path)
    (line,) = [line for line in said.splitlines() if "left out" in line]
    assert "3 .heic (not read here: convert them" in line
    assert f"such as {tmp_path / 'cat' / '0.HEIC'}" in line
    assert "1 .csv" in line and "1 without an ending" in line
    assert "1 picture(s) beside the class folders" in line


def test_many_kinds_of_files_make_a_short_line(tmp_path):
    for name in ("cat", "dog"):
        draw(tmp_path / name)
    for number in range(40):
        (tmp_path / "cat" / f"a.x{number}").write_text("text")
    _, _, said = read(tmp_path)
    assert "34 others" in said and said.count("such as") == 6


def test_many_classes_make_a_short_line(tmp_path):
    for number in range(20):
        draw(tmp_path / f"c{number:02d}", count=1 + (number == 7))
    _, _, said = read(tmp_path)
    assert "20 classes: from c00 1 to c07 2" in said


def test_pictures_by_ending_or_by_content(tmp_path):
    names = ("a.jfif", "b.JPE", "c.JPG", "download", "d.jpg_large", "e.apng")
    for label, folder in enumerate(("cat", "dog")):
        (tmp_path / folder).mkdir()
        for number, name in enumerate(names):
            kind = "PNG" if name.endswith("apng") else "JPEG"
            image = Image.new("L", (8, 8), 100 * label + number)
            image.save(tmp_path / folder / name, kind)
    parts, _, said = read(tmp_path)
    assert len(parts["train"][0]) == 12
    assert "left out" not in said


def test_raw_files_of_cameras_are_left_out(tmp_path):
    for name in ("cat", "dog"):
        draw(tmp_path / name)
        # They begin as a TIFF does, which holds a small preview.
        Image.new("L", (8, 8)).save(tmp_path / name / "photo.dng", "TIFF")
    parts, _, said = read(tmp_path)
    assert len(parts["train"][0]) == 2 and "2 .dng (not read" in said


def test_links_are_followed(tmp_path):
    draw(tmp_path / "elsewhere" / "more", 50)
    for name in ("cat", "dog"):
        draw(tmp_path / "photos" / name)
    (tmp_path / "photos" / "cat" / "1.png").symlink_to(
        tmp_path / "elsewhere" / "more" / "0.png"
    )
    (tmp_path / "photos" / "emu").symlink_to(tmp_path / "elsewhere")
    parts, names, _ = read(tmp_path / "photos")
    assert names == ("cat", "dog", "emu")
    images, labels = parts["train"]
    np.testing.assert_array_equal(labels, [0, 0, 1, 2])
    np.testing.assert_array_equal(images[:, 0, 0, 0], [0, 50, 0, 50])


@pytest.mark.parametrize("target", ["photos", "photos/cat", "photos/cat/in"])
def test_links_that_lead_back_are_refused(tmp_path, target):
    for name in ("cat/in", "dog"):
        draw(tmp_path / "photos" / name)
    (tmp_path / "photos" / "cat" / "in" / "x").symlink_to(tmp_path / target)
    assert "is a link that leads back to" in refusal(tmp_path / "photos")


def test_a_lost_link_is_refused_by_its_name(tmp_path):
    for name in ("cat", "dog"):
        draw(tmp_path / name)
    (tmp_path / "cat" / "x.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="cat/x.png .* does not exist"):
        read(tmp_path)


def test_bad_files_are_counted_before_any_is_read(tmp_path):
    for name in ("cat", "dog"):
        draw(tmp_path / name)
        (tmp_path / name / "empty.jpg").touch()
    (tmp_path / "dog" / "text.png").write_text("no picture")
    with pytest.raises(InputError) as error:
        read(tmp_path)
    assert "cat/empty.jpg" in str(error.value)
    assert "2 more files, too" in str(error.value)


@pytest.mark.parametrize(
    "classes",
    [
        ("car", "plane", "train"),
        ("test", "word"),
        ("val", "x", "y"),
        ("bus", "train", "training"),
    ],
)
def test_classes_may_be_called_as_parts_are(tmp_path, classes):
    for name in classes:
        draw(tmp_path / name)
    layout = find_layout(tmp_path)
    assert layout.classes == classes and list(layout.files) == ["train"]


@pytest.mark.parametrize(
    "parts",
    [
        ("train", "test"),
        ("Train", "Test"),
        ("Training", "Testing"),
        ("TRAIN", "Validation", "TEST"),
        ("train", "val"),
        ("train",),
    ],
)
def test_parts_as_people_call_them(tmp_path, parts):
    for part in parts:
        for name in ("cat", "dog"):
            draw(tmp_path / part / name)
    layout = find_layout(tmp_path)
    assert layout.classes == ("cat", "dog")
    assert {path.name for path in layout.folders.values()} == set(parts)
    assert len(layout.files) == len(parts)


def test_what_is_beside_the_parts_is_said(tmp_path):
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            draw(tmp_path / part / name)
    draw(tmp_path / "samples")
    (tmp_path / "sample_submission.csv").write_text("id,label")
    _, _, said = read(tmp_path)
    assert "1 folder(s) beside the parts, such as" in said
    assert "samples" in said and "1 .csv" in said


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        # A part, and classes beside it.
        (("train/cat", "train/dog", "cat", "dog"), "rename train"),
        (("car/a", "plane/b", "train/2024"), "rename train"),
        (("cat", "dog", "test/cat", "test/dog"), "rename test"),
        (("trn/cat", "trn/dog", "test/cat", "test/dog"), "rename test"),
        (
            ("train1/cat", "train1/dog", "test1/cat", "test1/dog"),
            "rename test1",
        ),
        (("val/cat", "val/dog", "test/cat", "test/dog"), "no train folder"),
        (("train/a", "train/b", "val/a", "val/b", "valid/a"), "rename one"),
        # Nothing to tell the classes by.
        (("train", "test"), "1 picture(s) lie in it without a class"),
        (("photos/cat", "photos/dog"), "are they in"),
        (("cat",), "1 class folder(s)"),
    ],
)
def test_folders_that_can_be_misread_are_refused(tmp_path, folders, words):
    for name in folders:
        draw(tmp_path / name)
    said = refusal(tmp_path)
    assert words in said and "\n" not in said


def test_a_class_of_files_that_are_not_read_says_which(tmp_path):
    draw(tmp_path / "cat")
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "1.heic").write_bytes(b"x")
    assert "but 1 .heic" in refusal(tmp_path)


def test_classes_that_differ_in_case_only_are_said(tmp_path):
    for name in ("a", "A"):
        draw(tmp_path / name)
    _, names, said = read(tmp_path)
    assert names == ("A", "a") and "differ only in upper and lower" in said


def folder_config(root, **fields):
    fields = {"validation_fraction": 0.2, "image_size": 8, **fields}
    return DataConfig(dataset="folder", data_dir=str(root), **fields)


def test_a_rare_class_is_named(tmp_path):
    for name, count in (("car", 40), ("plane", 40), ("zebra", 1)):
        draw(tmp_path / name, count=count)
    with pytest.raises(InputError, match="1 image .* class 'zebra'"):
        load(folder_config(tmp_path))


def test_a_class_that_a_later_split_uses_up_is_named(tmp_path):
    draw(tmp_path / "train" / "car", count=40)
    draw(tmp_path / "train" / "yak", count=2)
    draw(tmp_path / "test" / "car", count=3)
    draw(tmp_path / "test" / "yak", count=3)
    with pytest.raises(InputError, match="the training set .* 'yak'"):
        load(folder_config(tmp_path, validation_fraction=0.4))


def test_a_class_that_a_part_has_none_of_is_said(tmp_path):
    for name, count in (("car", 60), ("plane", 60), ("zebra", 4)):
        draw(tmp_path / name, count=count)
    data = load(folder_config(tmp_path, search_test_fraction=0.1))
    zebras = [
        (data.train.labels == 2).sum(),
        (data.validation.labels == 2).sum(),
        (data.search_test.labels == 2).sum(),
        (data.test.labels == 2).sum(),
    ]
    said = [note for note in data.notes if "has no image of 'zebra'" in note]
    assert zebras.count(0) == len(said) > 0


def test_many_rare_classes_make_one_short_line(tmp_path):
    draw(tmp_path / "car", count=40)
    for number in range(9):
        draw(tmp_path / f"rare{number}")
    with pytest.raises(InputError, match="'rare2' and 6 others"):
        load(folder_config(tmp_path))


def test_predicting_reads_as_training_does(tmp_path):
    """Every file of a mixed folder gives the same pixels either way."""
    exif = Image.Exif()
    exif[0x0112] = 6
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    deep = rng.integers(0, 65536, (9, 7), np.uint16)
    clear = photo.copy()
    clear.putalpha(photo.convert("L"))
    for name in ("cat", "dog"):
        folder = tmp_path / name
        folder.mkdir()
        photo.save(folder / "1.png")
        photo.save(folder / "2.jpg", exif=exif)
        photo.convert("L").save(folder / "3.png")
        photo.quantize(16).save(folder / "4.gif")
        photo.convert("CMYK").save(folder / "5.jpg")
        clear.save(folder / "6.png")
        Image.fromarray(deep).save(folder / "7.tif")
    raw = load_raw(folder_config(tmp_path, train_examples=0))
    every = [*raw.train.images, *raw.test.images]
    trained = {image.tobytes() for image in every}
    paths = sorted(tmp_path.rglob("*.*"))
    assert len(paths) == 14 and len(trained) == 7
    for path in paths:
        pixels = read_pixels(path, Intake((8, 8, 3), "resize"), False)
        assert pixels.tobytes() in trained, path
