"""Whatever bytes they get, parsers give a value or an InputError."""

import io
import json
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from enas.config import EnasConfig
from ienas.config import IenasConfig
from mlpnas.config import MlpnasConfig
from mlpnas.data import load as mlpnas_data
from mlpnas.data.config import MlpDataConfig
from mlpnas.data.tables.files import read_table as read_data_table
from nascore.config import flatten, unflatten
from nascore.data.cifar import read_cifar, read_cifar_names
from nascore.data.mnist import read_idx
from nascore.data.pictures.class_folders import read_image
from nascore.data.unpacking import unpack_folder
from nascore.errors import InputError
from nascore.runs.csv_files import read_table
from nascore.runs.reader import read_run
from nascore.spaces.cells import CellSpace
from nascore.spaces.macro import MacroSpace, macro_layers
from nascore.spaces.perceptrons import MlpSpace
from nascore.training.config import FinalConfig
from nascore.training.exports.keras_file import check_keras_file

# The same examples every time, and no folder of them left behind.
SETTINGS = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": list(hypothesis.HealthCheck),
}


def examples(count):
    return hypothesis.settings(max_examples=count, **SETTINGS)


def value_or_input_error(parse, *arguments):
    """What a parser returns; None for an InputError that is one line."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return parse(*arguments)
        except InputError as error:
            assert str(error).isprintable()
            return None


@st.composite
def damaged(draw, *samples):
    """A sample with bytes replaced, put in or left out, perhaps cut off."""
    content = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(content)))
        new = draw(st.binary(max_size=4))
        content[place : place + draw(st.integers(0, 6))] = new
    return bytes(content[: draw(st.integers(0, len(content)) | st.none())])


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def parse_file(folder, name, content, parse, *arguments):
    path = folder / name
    path.write_bytes(content)
    return value_or_input_error(parse, path, *arguments)


words = st.lists(
    st.integers(-2, 12).map(str) | st.text(max_size=4), max_size=20
).map(" ".join)


@examples(300)
@hypothesis.given(text=words | st.text())
def test_architectures_of_cells(text):
    space = CellSpace(num_nodes=1)
    found = value_or_input_error(space.parse, text)
    assert found is None or space.parse(str(found)) == found


layers = st.sampled_from(["8 relu", "dropout", "softmax", "8  elu", "9 relu"])


@examples(300)
@hypothesis.given(text=st.lists(layers, max_size=6).map("|".join) | st.text())
def test_architectures_of_perceptrons(text):
    space = MlpSpace((8, 16), max_layers=4)
    found = value_or_input_error(space.parse, text)
    assert found is None or space.parse(space.format(found)) == found


numbers = st.sampled_from(["0", "1", "5", "6", "-1", "011", "2 1", "x", "|"])


@examples(300)
@hypothesis.given(text=st.lists(numbers, max_size=8).map(" ".join) | st.text())
def test_whole_networks(text):
    space = MacroSpace(num_layers=2)
    found = value_or_input_error(space.parse, text)
    assert found is None or space.parse(space.format(found)) == found
    layers = macro_layers(text)
    assert found is None or layers in (2, None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "kind", [EnasConfig, IenasConfig, FinalConfig, MlpnasConfig]
)
@examples(150)
@hypothesis.given(data=st.data())
def test_settings_of_a_run(kind, data):
    names = st.sampled_from(list(flatten(kind())))
    values = data.draw(st.dictionaries(names, JSON, max_size=3))
    value_or_input_error(unflatten, kind(), values)


RUN = {
    "config": {"epochs": 1},
    "space": {"operations": ["a", "b"], "num_nodes": 1, "cell_types": ["n"]},
}
RANKING = {
    "epochs": 1,
    "architectures": [
        {
            "rank": 1,
            "architecture": "0 0 1 1",
            "validation_accuracy": 0.5,
            "search_test_accuracy": 0.5,
        }
    ],
}
CONTROLLER = (
    b"epoch,step,accuracy,reward,baseline,entropy,n_cell\n"
    b"0,0,0.5,0.5,0.5,2.5,0 0 1 1\n"
)


@st.composite
def changed(draw, content):
    """JSON in which a value, somewhere, is another or missing."""
    content = json.loads(json.dumps(content))
    place = content
    while True:
        keys = list(place if isinstance(place, dict) else range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or draw(st.booleans()):
            break
        place = place[key]
    if draw(st.booleans()):
        place[key] = draw(JSON)
    else:
        del place[key]
    return content


@examples(250)
@hypothesis.given(
    run=st.just(RUN) | changed(RUN),
    ranking=st.just(RANKING) | changed(RANKING) | JSON,
    controller=damaged(CONTROLLER),
)
def test_run_folders(folder, run, ranking, controller):
    (folder / "config.json").write_text(json.dumps(run))
    (folder / "derived_architectures.json").write_text(json.dumps(ranking))
    (folder / "controller.csv").write_bytes(controller)
    value_or_input_error(read_run, folder)


@examples(100)
@hypothesis.given(content=damaged(json.dumps(RUN).encode()) | st.binary())
def test_json_of_a_run_folder(folder, content):
    (folder / "config.json").write_bytes(content)
    value_or_input_error(read_run, folder)


@examples(250)
@hypothesis.given(content=damaged(b"epoch,x,t\n0,1.5,a\n1,,b\n", b"epoch\n"))
def test_csv_files_of_a_run(folder, content):
    parse_file(folder, "a.csv", content, read_table, ["epoch", "x"], ["t"])


IDX = b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03abcdef"


@examples(300)
@hypothesis.given(content=damaged(IDX) | st.binary())
def test_idx_files(folder, content):
    parse_file(folder, "a", content, read_idx)


RECORDS = [bytes([label, *bytes(3072)]) * 2 for label in (1, 200)]
NAMES = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]


@examples(300)
@hypothesis.given(content=damaged(*RECORDS) | st.binary())
def test_batches_of_cifar(folder, content):
    for name in NAMES:
        (folder / name).write_bytes(RECORDS[0])
    (folder / NAMES[0]).write_bytes(content)
    parts = value_or_input_error(read_cifar, folder, "cifar10")
    assert parts is None or parts["train"][0].shape[1:] == (32, 32, 3)


def cifar_archive(mode):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name in NAMES:
            member = tarfile.TarInfo(f"cifar/{name}")
            member.size = len(RECORDS[0])
            archive.addfile(member, io.BytesIO(RECORDS[0]))
    return file.getvalue()


@examples(150)
@hypothesis.given(content=damaged(*map(cifar_archive, ("w", "w:gz", "w:xz"))))
def test_archives_of_cifar(folder, content):
    parse_file(folder, "cifar.tar", content, read_cifar, "cifar10")
    (folder / "cifar.tar").unlink()


@examples(150)
@hypothesis.given(content=damaged(b"airplane\nautomobile\nbird") | st.binary())
def test_names_of_the_classes_of_cifar(folder, content):
    (folder / "batches.meta.txt").write_bytes(content)
    found = value_or_input_error(read_cifar_names, folder, "cifar10")
    assert found is not None and all(found["label"])


def picture(kind):
    file = io.BytesIO()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@examples(150)
@hypothesis.given(data=st.data())
def test_pictures(folder, kind, data):
    content = data.draw(damaged(picture(kind)))
    parse_file(folder, "picture", content, read_image, "L")


TABLE = pd.DataFrame({"x": [1.5, 2.0] * 4, "label": ["a", "b", "b", "a"] * 2})


def as_file(name):
    file = io.BytesIO()
    if name == "t.npz":
        columns = {"x": TABLE["x"].to_numpy(), "label": np.arange(8)}
        np.savez(file, **columns)
    elif name == "t.parquet":
        TABLE.to_parquet(file)
    else:
        TABLE.to_csv(file, index=False)
    return file.getvalue()


@pytest.mark.parametrize("name", ["t.csv", "t.npz", "t.parquet"])
@examples(200)
@hypothesis.given(data=st.data())
def test_tables(folder, name, data):
    content = data.draw(damaged(as_file(name)))
    parse_file(folder, name, content, read_data_table, "data_file")


cells = st.sampled_from(["", "1", "2", "1e400", "nan", "x", "True", "9" * 25])


@examples(150)
@hypothesis.given(
    columns=st.lists(st.tuples(cells, cells, cells, cells), min_size=2),
    repeat=st.sampled_from([1, 5]),
)
def test_tables_to_learn_from(folder, columns, repeat):
    names = ",".join([*(f"c{n}" for n in range(len(columns) - 1)), "label"])
    rows = [",".join(row) for row in zip(*columns, strict=True)] * repeat
    path = folder / "learn.csv"
    path.write_text("\n".join([names, *rows]) + "\n")
    config = MlpDataConfig(
        dataset="table", data_file=str(path), label_column="label"
    )
    value_or_input_error(mlpnas_data.load, config)


def packed(kind):
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a/1.png", b"1" * 50)
    else:
        with tarfile.open(fileobj=file, mode=kind) as tar:
            member = tarfile.TarInfo("a/1.png")
            member.size = 50
            tar.addfile(member, io.BytesIO(b"1" * 50))
    return file.getvalue()


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz"])
@examples(150)
@hypothesis.given(data=st.data())
def test_archives(tmp_path_factory, kind, data):
    folder = tmp_path_factory.mktemp("archive")
    content = data.draw(damaged(packed(kind)))
    parse_file(folder, "a", content, unpack_folder, folder / "out" / "in")
    assert {path.name for path in folder.iterdir()} <= {"a", "out"}


LAYER = {"module": "keras.layers", "class_name": "Dense", "config": {"a": [1]}}


@examples(150)
@hypothesis.given(config=changed({"class_name": "Sequential", "x": [LAYER]}))
def test_configurations_of_keras_files(folder, config):
    with zipfile.ZipFile(folder / "a.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    value_or_input_error(check_keras_file, folder / "a.keras")
