import gzip
import io
import struct
import tarfile

import numpy as np
import pytest

from nascore.data.cifar import read_cifar, read_cifar_names
from nascore.data.mnist import read_idx, read_mnist
from nascore.errors import InputError

RNG = np.random.default_rng(0)


def idx(array):
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def bytes_like(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


def add_file(archive, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_idx_round_trip(tmp_path, pack):
    array = bytes_like(3, 4, 5)
    (tmp_path / "a").write_bytes(pack(idx(array)))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ends inside its header"),
        (b"hello world", "is not an IDX file"),
        (idx(bytes_like(3, 4))[:-1], "the file is damaged"),
        (idx(bytes_like(3, 4)) + b"x", "the file is damaged"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 9), "impossible shape"),
        (
            gzip.compress(idx(bytes_like(99, 9)), mtime=0)[:-30],
            "cannot be read",
        ),
        (b"\x1f\x8b" + b"\x00" * 30, "cannot be read"),
    ],
)
def test_damaged_idx_files(tmp_path, content, words):
    path = tmp_path / "broken.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_idx(path)
    assert "broken.gz" in str(error.value)


def test_mnist_files_must_belong_together(tmp_path):
    images, labels = bytes_like(6, 28, 28), bytes_like(5)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(idx(images))
    )
    with pytest.raises(InputError, match="holds no file train-labels"):
        read_mnist(tmp_path, "train")
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(labels)))
    with pytest.raises(InputError, match="do not belong together"):
        read_mnist(tmp_path, "train")
    path.write_bytes(gzip.compress(idx(bytes_like(6))))
    ours, columns = read_mnist(tmp_path, "train")
    np.testing.assert_array_equal(ours[..., 0], images)
    assert columns["label"].shape == (6,)


def cifar10_batches(count=2):
    """Images, labels, and the official files of them."""
    images, labels = bytes_like(6, count, 32, 32, 3), bytes_like(6, count) % 10
    files = {}
    names = [f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"]
    for name, pictures, classes in zip(names, images, labels, strict=True):
        planes = pictures.transpose(0, 3, 1, 2).reshape(count, -1)
        rows = np.concatenate([classes[:, None], planes], 1)
        files[f"{name}.bin"] = rows.tobytes()
    return images, labels, files


def put(folder, packing, files):
    """Writes files as they come: unpacked or in their archive."""
    if packing == "folder":
        for name, content in files.items():
            (folder / name).write_bytes(content)
    else:
        with tarfile.open(folder / f"cifar{packing}", "w:gz") as archive:
            for name, content in files.items():
                add_file(archive, f"cifar-batches/{name}", content)


@pytest.mark.parametrize("packing", ["folder", ".tar.gz", ".tgz"])
def test_cifar10_in_every_packing(tmp_path, packing):
    images, labels, files = cifar10_batches()
    put(tmp_path, packing, files)
    parts = read_cifar(tmp_path, "cifar10")
    ours, columns = parts["train"]
    np.testing.assert_array_equal(ours, images[:5].reshape(-1, 32, 32, 3))
    np.testing.assert_array_equal(columns["label"], labels[:5].ravel())
    np.testing.assert_array_equal(parts["test"][0], images[5])


def test_cifar100_has_two_labels(tmp_path):
    rows = bytes_like(3, 2 + 3072)
    for name in ("train.bin", "test.bin"):
        (tmp_path / name).write_bytes(rows.tobytes())
    (tmp_path / "fine_label_names.txt").write_text("apple\nbear\n")
    (tmp_path / "coarse_label_names.txt").write_text("fruit\nbeast\n")
    images, labels = read_cifar(tmp_path, "cifar100")["train"]
    np.testing.assert_array_equal(labels["coarse_label"], rows[:, 0])
    np.testing.assert_array_equal(labels["label"], rows[:, 1])
    assert images[1, 0, 0].tolist() == rows[1, [2, 1026, 2050]].tolist()
    names = read_cifar_names(tmp_path, "cifar100")
    assert names["label"] == ["apple", "bear"]


# As the official archives of the python version have them.
PYTHON = {
    "cifar10": [
        "data_batch_4",
        "readme.html",
        "test_batch",
        "data_batch_3",
        "batches.meta",
        "data_batch_2",
        "data_batch_5",
        "data_batch_1",
    ],
    "cifar100": ["meta", "test", "file.txt~", "train"],
}


@pytest.mark.parametrize("packing", ["folder", ".tar.gz"])
@pytest.mark.parametrize(
    ("dataset", "found", "archive"),
    [
        ("cifar10", "data_batch_1", "cifar-10-binary.tar.gz"),
        ("cifar100", "train", "cifar-100-binary.tar.gz"),
    ],
)
def test_the_python_version_is_told_by_its_names(
    tmp_path, packing, dataset, found, archive
):
    put(tmp_path, packing, dict.fromkeys(PYTHON[dataset], b"any bytes"))
    with pytest.raises(InputError) as error:
        read_cifar(tmp_path, dataset)
    assert str(error.value) == (
        f"{tmp_path} holds the python version of {dataset} ({found}), which "
        "is not read; fetch the binary one, "
        f"https://www.cs.toronto.edu/~kriz/{archive}"
    )
    assert read_cifar_names(tmp_path, dataset) == {}


def test_the_python_version_may_lie_beside_the_binary_one(tmp_path):
    images, _, files = cifar10_batches()
    put(tmp_path, ".tar.gz", files)
    put(tmp_path, "folder", dict.fromkeys(PYTHON["cifar10"], b"any bytes"))
    ours, _ = read_cifar(tmp_path, "cifar10")["test"]
    np.testing.assert_array_equal(ours, images[5])


def test_damaged_cifar(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_cifar(tmp_path / "nowhere", "cifar10")
    with pytest.raises(InputError, match="holds no complete cifar10"):
        read_cifar(tmp_path, "cifar10")
    _, _, files = cifar10_batches()
    put(tmp_path, "folder", files)
    (tmp_path / "data_batch_2.bin").write_bytes(b"x" * 3000)
    with pytest.raises(InputError, match="data_batch_2.bin: 3000 bytes"):
        read_cifar(tmp_path, "cifar10")
    (tmp_path / "z.tar.gz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="z.tar.gz cannot be read"):
        read_cifar(tmp_path, "cifar10")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_official_idx_files(official_files, name):
    images, columns = read_mnist(official_files / name, "test")
    assert images.shape == (10_000, 28, 28, 1)
    counts = np.bincount(columns["label"]).tolist()
    published = {
        "mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        "fashion_mnist": [1000] * 10,
    }
    assert counts == published[name]


@pytest.mark.slow
def test_official_cifar10(official_files):
    parts = read_cifar(official_files / "cifar10", "cifar10")
    images, columns = parts["train"]
    assert images.shape == (50_000, 32, 32, 3)
    assert np.bincount(columns["label"]).tolist() == [5000] * 10
    # The first record of the official file begins 6, 59 43 50 68 98.
    assert columns["label"][0] == 6
    assert images[0, 0, :5, 0].tolist() == [59, 43, 50, 68, 98]
    mean = images.mean((0, 1, 2)) / 255
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=2e-4)
    names = read_cifar_names(official_files / "cifar10", "cifar10")
    assert names["label"][:2] == ["airplane", "automobile"]
