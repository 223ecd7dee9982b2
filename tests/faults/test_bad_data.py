"""Data files that are damaged, of another kind, or not as they should be."""

import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

BATCHES = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]


def idx(*shape, kind=8, fill=1):
    header = struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape)
    return header + bytes([fill]) * int(np.prod(shape))


MNIST = {
    "train-images-idx3-ubyte.gz": gzip.compress(idx(3, 28, 28), mtime=0),
    "train-labels-idx1-ubyte.gz": gzip.compress(idx(3), mtime=0),
    "t10k-images-idx3-ubyte": idx(2, 28, 28),
    "t10k-labels-idx1-ubyte": idx(2),
}
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
MNIST_CASES = [
    ({LABELS: None}, "holds no file train-labels-idx1-ubyte.gz"),
    ({IMAGES: b""}, f"{IMAGES} cannot be read"),
    ({IMAGES: b"\x1f\x8b\x08"}, f"{IMAGES} cannot be read"),
    ({IMAGES: MNIST[IMAGES][:-9]}, f"{IMAGES} cannot be read"),
    ({IMAGES: b"P5 28 28 255 " + bytes(99)}, f"{IMAGES} is not an IDX file"),
    ({IMAGES: idx(3, 28, 28, kind=13)}, f"{IMAGES} is not an IDX file"),
    ({IMAGES: struct.pack(">HBB", 0, 8, 200) + bytes(99)}, "not an IDX file"),
    ({IMAGES: struct.pack(">HBB", 0, 8, 0)}, f"{IMAGES} is not an IDX file"),
    ({IMAGES: struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 1, 1)}, "impossible"),
    ({IMAGES: idx(3, 28, 28)[:-1]}, f"{IMAGES}: its header says"),
    ({IMAGES: idx(3, 28, 28) + b"x"}, f"{IMAGES}: its header says"),
    ({IMAGES: idx(4, 28, 28)}, "do not belong together"),
    ({IMAGES: idx(3, 784)}, "do not belong together"),
    ({IMAGES: idx(3, 20, 20)}, "20x20"),
    ({IMAGES: idx(0, 28, 28), LABELS: idx(0)}, "no images"),
    ({LABELS: idx(3, fill=10)}, "it has the label 10"),
    ({LABELS: idx(3, 1)}, "do not belong together"),
]


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content)


@pytest.mark.parametrize(("changes", "words"), MNIST_CASES)
def test_bad_mnist(refused, tmp_path, changes, words):
    write(tmp_path / "files", {**MNIST, **changes})
    arguments = ["--dataset=mnist", "--source=files", "--data_dir=tfds"]
    refused("prepare_data", arguments, words)


def binary(label=1, count=2):
    return bytes([label, *bytes(3072)]) * count


def packed(files, name="cifar.tar.gz", mode="w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return {name: file.getvalue()}


BINARY = {f"{name}.bin": binary() for name in BATCHES}
PYTHON = dict.fromkeys([*BATCHES, "batches.meta"], b"a pickle")
CIFAR_CASES = [
    ({}, "holds no complete cifar10"),
    ({**BINARY, "data_batch_2.bin": None}, "holds no complete cifar10"),
    ({**BINARY, "data_batch_2.bin": b""}, "data_batch_2.bin: 0 bytes"),
    ({**BINARY, "data_batch_2.bin": binary()[:-1]}, "data_batch_2.bin: 6145"),
    ({**BINARY, "test_batch.bin": binary(200)}, "it has the label 200"),
    ({**BINARY, "batches.meta.txt": b"cat dog"}, "names 2 classes"),
    ({**BINARY, "batches.meta.txt": b"cat " * 10}, "names 1 classes"),
    ({**BINARY, "batches.meta.txt": b"\xff " * 10}, "names 1 classes"),
    ({}, "cifar-10-binary.tar.gz"),
    (PYTHON, "holds the python version of cifar10 (data_batch_1), which is"),
    (PYTHON, "the binary one, https://www.cs.toronto.edu/~kriz/cifar-10-bi"),
    ({"data_batch_4": b""}, "holds the python version of cifar10 (data_ba"),
    ({"batches.meta": b"x"}, "holds the python version of cifar10 (batche"),
    (packed(PYTHON), "holds the python version of cifar10 (data_batch_1)"),
    ({**PYTHON, "test_batch.bin": binary()}, "holds no complete cifar10"),
    ({"cifar.tar.gz": b"no archive"}, "cifar.tar.gz cannot be read"),
    ({"cifar.tar.gz": packed(BINARY)["cifar.tar.gz"][:60]}, "cannot be read"),
    (packed({"a/readme.txt": b"x"}), "holds no complete cifar10"),
    (
        packed({**BINARY, "test_batch.bin": b"x"}, "c.tar.xz", "w:xz"),
        "test_batch.bin: 1 bytes",
    ),
]


@pytest.mark.parametrize(("files", "words"), CIFAR_CASES)
def test_bad_cifar(refused, tmp_path, files, words):
    write(tmp_path / "files", files)
    arguments = ["--dataset=cifar10", "--source=files", "--data_dir=tfds"]
    refused("prepare_data", arguments, words)


def png(mode="L", size=(8, 8)):
    file = io.BytesIO()
    Image.new(mode, size, 7).save(file, "PNG")
    return file.getvalue()


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


GOOD_ZIP = zipped({"a/1.png": png(), "b/1.png": png()})
ARCHIVES = [
    (b"", "new", "photos cannot be unpacked"),
    (b"no archive", "new", "photos cannot be unpacked"),
    (GOOD_ZIP[:-30], "new", "photos cannot be unpacked"),
    (GOOD_ZIP[:40] + b"xxxx" + GOOD_ZIP[44:], "new", "photos cannot be unpac"),
    (zipped({}), "new", "photos is empty"),
    (packed({})["cifar.tar.gz"], "new", "photos is empty"),
    (packed({"a": png() * 99})["cifar.tar.gz"][:90], "new", "photos cannot be"),
    (GOOD_ZIP, "photos", "--data_dir=photos exists already"),
    (GOOD_ZIP, "photos/new", "--data_dir=photos/new cannot be made"),
    (None, "new", "--source=photos is not an existing file"),
]


# Archives hold the time they were made at, which must not be in a test's name.
@pytest.mark.parametrize(
    ("content", "target", "words"),
    ARCHIVES,
    ids=[f"{n} {words}" for n, (_, _, words) in enumerate(ARCHIVES)],
)
def test_bad_archives(refused, tmp_path, content, target, words):
    if content is not None:
        (tmp_path / "photos").write_bytes(content)
    arguments = ["--dataset=folder", "--source=photos", f"--data_dir={target}"]
    refused("prepare_data", arguments, words)


FEW = {f"{name}/{n}.png": png() for name in "ab" for n in range(2)}
FOLDERS = [
    ({}, "photos has 0 class folder(s)"),
    ({"a/1.png": png()}, "photos has 1 class folder(s)"),
    ({"a/1.png": png(), "b/1.txt": b""}, "photos/b holds no image"),
    ({**FEW, "b/1.png": b"no image"}, "photos/b/1.png cannot be read"),
    ({**FEW, "b/1.png": png()[:-25]}, "photos/b/1.png cannot be read"),
    ({**FEW, "\x1b[31m/1.png": png()}, r"photos/\x1b[31m has characters"),
    (
        {f"{n}/1.png": png() for n in ("train/a", "train/b", "val/a", "val/c")},
        "have different classes",
    ),
    (FEW, "photos is too small"),
]


@pytest.mark.parametrize(("files", "words"), FOLDERS)
def test_bad_class_folders(refused, tmp_path, files, words):
    (tmp_path / "photos").mkdir()
    for name, content in files.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    arguments = ["--dataset=folder", "--data_dir=photos", "--run_dir=run"]
    refused("search_enas", arguments, words)


def table(**changes):
    rows = np.arange(12)
    columns = {"x": rows % 5, "label": np.array(["a", "b"])[rows % 2]}
    return pd.DataFrame({**columns, **changes})


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(shape, kind="<f8", content=b""):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    text = head.ljust(117).encode() + b"\n"
    start = b"\x93NUMPY\1\0" + struct.pack("<H", len(text))
    return zipped({"x.npy": start + text + content, "label.npy": b""})


def parquet(frame):
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


PARQUET = parquet(table())
TABLES = [
    ("t.csv", b"", "t.csv has no header line"),
    ("t.csv", b"x,label\n", "t.csv has no rows"),
    ("t.csv", b"x,label\n1,a,2\n", "line 2 has 3 fields"),
    ("t.csv", b"x,label\n1,a\n2,\xff\n", "t.csv is not UTF-8"),
    ("t.csv", b'x,label\n1,"a', "t.csv cannot be read at line"),
    ("t.csv", b"x,x,label\n", "names the column 'x' more than once"),
    ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(99), "t.csv"),
    ("t.csv", b"x\n1\n2\n", "--label_column=label is no column"),
    ("t.csv", b"x,label\n1,1e999\n2,1\n3,2\n", "column 'label' is not finite"),
    ("t.csv", b"x,label\n1e999,a\n2,b\n", "column 'x' is not finite"),
    ("t.csv", b"x,label\n" + b"1,a\n" * 9, "one class only"),
    ("t.csv.gz", b"x,label\n1,a\n", "t.csv.gz cannot be read"),
    (
        "t.csv.gz",
        gzip.compress(b"x,label\n" * 50, mtime=0)[:-6],
        "cannot be read",
    ),
    ("t.npz", b"", "t.npz cannot be read"),
    ("t.npz", b"\x93NUMPY\1\0", "t.npz cannot be read"),
    ("t.npz", npz(x=table()["x"].to_numpy()), "--label_column=label is no"),
    ("t.npz", npz(x=np.zeros(3), label=np.zeros(2)), "of different lengths"),
    ("t.npz", npz(x=np.float64(1), label=np.zeros(2)), "the shape ()"),
    ("t.npz", npz(x=np.zeros(2, complex), label=np.zeros(2)), "x.npy has val"),
    ("t.npz", npy("(999999999999,)"), "the shape (999999999999,)"),
    ("t.npz", npy("(-1,)"), "the shape (-1,)"),
    ("t.npz", npy("'many'"), "t.npz cannot be read"),
    ("t.npz", zipped({"x.npy": b"no array"}), "t.npz cannot be read"),
    ("t.parquet", b"", "t.parquet cannot be read"),
    ("t.parquet", b"PAR1" + bytes(50) + b"PAR1", "t.parquet cannot be read"),
    ("t.parquet", PARQUET[: len(PARQUET) // 2], "t.parquet cannot be read"),
    ("t.parquet", PARQUET[:99] + bytes(9) + PARQUET[108:], "t.parquet"),
    ("t.parquet", parquet(table(x=[[1]] * 12)), "column 'x' holds"),
    ("t.xlsx", b"PK", "t.xlsx must end in"),
    ("t.csv", None, "t.csv is not an existing file"),
]


@pytest.mark.parametrize(("name", "content", "words"), TABLES)
def test_bad_tables(refused, tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    arguments = ["--dataset=table", "--label_column=label", "--run_dir=run"]
    refused("search_mlpnas", [*arguments, f"--data_file={name}"], words)


def test_tables_of_another_data_set(refused, tmp_path):
    (tmp_path / "t.csv").write_bytes(table().to_csv().encode())
    refused(
        "search_mlpnas",
        ["--dataset=wine_quality", "--data_file=t.csv"],
        "lacks the column 'quality_label'",
    )
    refused(
        "search_mlpnas",
        ["--dataset=japanese_vowels", "--data_file=t.csv"],
        "lacks the column 'split'",
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A small MNIST as tensorflow-datasets keeps it."""
    from nascore.data.tfds import prepare

    folder = tmp_path_factory.mktemp("mnist")
    labels = struct.pack(">HBBI", 0, 8, 1, 100) + bytes(range(10)) * 10
    changes = {IMAGES: idx(100, 28, 28), LABELS: labels}
    write(folder / "files", {**MNIST, **changes})
    path = prepare("mnist", folder / "files", str(folder / "tfds"))
    return {file.name: file.read_bytes() for file in path.iterdir()}, path.name


PREPARED = [
    ("dataset_info.json", b"{"),
    ("dataset_info.json", b"[]"),
    ("dataset_info.json", b"\xff\xfe"),
    ("mnist-train.tfrecord-00000-of-00001", b"short"),
]


@pytest.mark.parametrize(("name", "content"), PREPARED)
def test_bad_prepared_data(refused, tmp_path, prepared, name, content):
    files, version = prepared
    assert name in files
    folder = tmp_path / "tfds" / "mnist" / version
    folder.mkdir(parents=True)
    write(folder, {**files, name: content})
    fractions = ["--validation_fraction=0.2", "--search_test_fraction=0.2"]
    arguments = ["--dataset=mnist", "--data_dir=tfds", *fractions]
    refused("search_enas", [*arguments, "--run_dir=run"], "tfds/mnist")
