import gzip
import io
import struct
import tarfile

import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds
from sklearn.model_selection import train_test_split

from nascore.data import tfds as prepare
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.data.mnist import read_idx, read_mnist
from nascore.data.unpacking import unpack_folder
from nascore.errors import InputError


@pytest.fixture
def tiny_mnist(tmp_path):
    """Official-looking files with 40 + 20 images."""
    rng = np.random.default_rng(0)
    source = tmp_path / "source"
    source.mkdir()
    parts = {}
    for prefix, count in (("train", 80), ("t10k", 20)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        parts[prefix] = images, labels
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(
                f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape
            )
            path = source / f"{prefix}-{kind}-ubyte.gz"
            path.write_bytes(gzip.compress(header + array.tobytes()))
    return source, parts


def test_prepared_data_load_with_tfds_itself(tmp_path, tiny_mnist):
    source, parts = tiny_mnist
    folder = str(tmp_path / "tfds")
    assert prepare.prepare("mnist", source, folder) is not None
    assert prepare.prepare("mnist", source, folder) is None
    batch = tfds.as_numpy(
        tfds.load(
            "mnist",
            split="train",
            data_dir=folder,
            batch_size=-1,
            download=False,
        )
    )
    images, labels = parts["train"]
    ours = {
        (image.tobytes(), int(label))
        for image, label in zip(batch["image"], batch["label"], strict=True)
    }
    assert ours == {
        (i.tobytes(), int(n)) for i, n in zip(images, labels, strict=True)
    }
    data = load(
        DataConfig(
            dataset="mnist",
            data_dir=folder,
            search_test_fraction=0.2,
            validation_fraction=0.2,
        )
    )
    assert data.image_shape == (32, 32, 1)
    assert data.class_names == tuple("0123456789")
    assert len(data.test) == 20


def test_broken_source_leaves_nothing_that_loads(tmp_path, tiny_mnist):
    source, _ = tiny_mnist
    (source / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    folder = str(tmp_path / "tfds")
    with pytest.raises(InputError, match="t10k-labels"):
        prepare.prepare("mnist", source, folder)
    assert not prepare.make_builder("mnist", folder).is_prepared()


def test_without_network_both_ways_are_named(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(requests, "head", no_network)
    config = DataConfig(dataset="cifar100", data_dir=str(tmp_path))
    with pytest.raises(InputError) as error:
        load(config)
    message = str(error.value)
    assert "With internet, run the same command again" in message
    assert (
        "experiments.prepare_data --dataset=cifar100 --source=FOLDER" in message
    )
    assert "\n" not in message


def test_damaged_prepared_data(tmp_path, tiny_mnist):
    source, _ = tiny_mnist
    path = prepare.prepare("mnist", source, str(tmp_path / "tfds"))
    for file in path.glob("*.tfrecord*"):
        file.write_bytes(file.read_bytes()[:100])
    config = DataConfig(dataset="mnist", data_dir=str(tmp_path / "tfds"))
    with pytest.raises(InputError, match="is damaged.*prepare the data"):
        load(config)


def test_unpacking_class_folders(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name in ("birds/owl/1.png", "birds/emu/2.png"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    unpack_folder(tmp_path / "a.tar.gz", tmp_path / "birds")
    assert (tmp_path / "birds" / "owl" / "1.png").is_file()
    with pytest.raises(InputError, match="exists already"):
        unpack_folder(tmp_path / "a.tar.gz", tmp_path / "birds")


def test_archives_cannot_reach_outside(tmp_path):
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("../evil.txt"), io.BytesIO())
    with pytest.raises(InputError, match="cannot be unpacked"):
        unpack_folder(tmp_path / "evil.tar", tmp_path / "in" / "out")
    assert not (tmp_path / "evil.txt").exists()
    assert not list((tmp_path / "in").iterdir())


def test_file_order_is_that_of_the_source(tmp_path, tiny_mnist):
    source, parts = tiny_mnist
    folder = str(tmp_path / "tfds")
    prepare.prepare("mnist", source, folder)
    hashed, _ = prepare.read_prepared("mnist", folder)
    ordered, _ = prepare.read_prepared("mnist", folder, file_order=True)
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = parts[prefix]
        np.testing.assert_array_equal(ordered[part][0][..., 0], images)
        np.testing.assert_array_equal(ordered[part][1], labels)
        assert (hashed[part][0][..., 0] != images).any()
    notes = load(
        DataConfig(dataset="mnist", data_dir=folder, split="ienas")
    ).notes
    assert "not the official ones" in notes[0]


def test_file_order_of_cifar_is_that_of_the_source(tmp_path):
    rng = np.random.default_rng(0)
    source = tmp_path / "source"
    source.mkdir()
    rows = rng.integers(0, 256, (60, 1 + 3072), np.uint8)
    rows[:, 0] %= 10
    names = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]
    for name, batch in zip(names, np.split(rows, 6), strict=True):
        (source / name).write_bytes(batch.tobytes())
    folder = str(tmp_path / "tfds")
    prepare.prepare("cifar10", source, folder)
    parts, _ = prepare.read_prepared("cifar10", folder, file_order=True)
    images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    for part, places in (("train", slice(50)), ("test", slice(50, 60))):
        np.testing.assert_array_equal(parts[part][0], images[places])
        np.testing.assert_array_equal(parts[part][1], rows[places, 0])


@pytest.fixture(scope="module", params=["mnist", "fashion_mnist"])
def official(request, official_files, tmp_path_factory):
    """Official files and, prepared, the whole test files of them.

    Of the training files the first 3,000 images.
    """
    folder = tmp_path_factory.mktemp("official")
    source = folder / "source"
    source.mkdir()
    name, files = request.param, official_files / request.param
    for path in files.glob("t10k-*.gz"):
        (source / path.name).symlink_to(path)
    for kind, shape in (("images-idx3", (28, 28)), ("labels-idx1", ())):
        path = f"train-{kind}-ubyte.gz"
        array = read_idx(files / path)
        assert array.shape == (60_000, *shape)
        header = struct.pack(
            f">HBB{array.ndim}I", 0, 8, array.ndim, 3000, *shape
        )
        content = header + array[:3000].tobytes()
        (source / path).write_bytes(gzip.compress(content, 1))
    prepare.prepare(name, source, str(folder))
    return name, files, str(folder)


@pytest.mark.slow
def test_official_files(official):
    name, files, folder = official
    data = load(DataConfig(dataset=name, data_dir=folder))
    first = {"mnist": "0", "fashion_mnist": "T-shirt/top"}
    assert data.class_names[0] == first[name]
    assert len(data.test) == 10_000
    _, columns = read_mnist(files, "train")
    labels = columns["label"][:3000]
    counts = np.bincount(labels)
    # A tenth of each class; four fifths of all are left.
    found = np.bincount(data.validation.labels)
    assert np.abs(found - 0.1 * counts).max() < 1
    assert found.sum() == 300 and len(data.train) == 2400


def test_published_split_of_the_official_files(official):
    """Whole test files; of the training files what there is."""
    name, files, folder = official
    data = load(
        DataConfig(dataset=name, data_dir=folder, split="ienas", image_size=28)
    )
    assert len(data.notes) == 1  # That of the protocol; none of the order.
    images, labels = read_mnist(files, "test")
    rest, chosen = train_test_split(
        np.arange(10_000), test_size=0.3, random_state=1
    )
    for split, places in ((data.validation, chosen), (data.search_test, rest)):
        np.testing.assert_array_equal(split.images, images[places])
        np.testing.assert_array_equal(split.labels, labels["label"][places])
    train, _ = read_mnist(files, "train")
    np.testing.assert_array_equal(data.train.images, train[:3000])
