"""Files that somebody else made, and made to do harm: nothing of it runs."""

import ast
import io
import json
import os
import pickle
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nascore.data import archives, cifar
from nascore.data.unpacking import unpack_folder
from nascore.errors import InputError
from nascore.training.exports import keras_file

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("nascore", "enas", "ienas", "mlpnas", "flags", "experiments")
BATCHES = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def payload(tmp_path):
    """Something to pickle; in the end it must not have run."""
    marker = tmp_path / "marker"
    # The sample does what it says: else the tests would show nothing.
    pickle.loads(pickle.dumps(Payload(marker)))
    marker.rmdir()
    yield Payload(marker)
    assert not marker.exists()


def test_no_module_can_load_a_pickle_or_run_text():
    modules = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
    modules |= {"yaml", "torch"}
    calls = {"eval", "exec", "compile", "unsafe_load", "read_pickle"}
    for path in (p for name in PACKAGES for p in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                names.append(getattr(node, "module", None) or "")
                assert not modules & {n.split(".")[0] for n in names}, path
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).split(".")[-1]
            # A model is compiled, too; it is the built-in that is meant.
            assert name not in calls or isinstance(node.func, ast.Attribute)
            if ast.unparse(node.func) in ("np.load", "numpy.load"):
                options = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert options["allow_pickle"] == "False", path


@pytest.mark.parametrize("packing", ["folder", "archive"])
@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_cifar_are_not_loaded(payload, tmp_path, protocol, packing):
    """CIFAR's python version is refused, whatever is in its files."""
    for dataset, names in (
        ("cifar10", [*BATCHES, "batches.meta"]),
        ("cifar100", ["train", "test", "meta"]),
    ):
        source = tmp_path / dataset
        source.mkdir()
        for name in names:
            content = {b"data": payload, b"label_names": payload}
            (source / name).write_bytes(pickle.dumps(content, protocol))
        if packing == "archive":
            source = tmp_path / f"{dataset}.tar.gz"
            with tarfile.open(source, "w:gz") as archive:
                archive.add(tmp_path / dataset, dataset)
        words = f"holds the python version of {dataset} .*is not read"
        with pytest.raises(InputError, match=words):
            cifar.read_cifar(source, dataset)
        assert cifar.read_cifar_names(source, dataset) == {}


def test_pickles_beside_the_binary_version_are_not_loaded(payload, tmp_path):
    for name in BATCHES:
        (tmp_path / f"{name}.bin").write_bytes(bytes(3073))
    for name in [*BATCHES, "batches.meta", "batches.meta.txt"]:
        (tmp_path / name).write_bytes(pickle.dumps(payload, 0))
    images, _ = cifar.read_cifar(tmp_path, "cifar10")["train"]
    assert len(images) == 5
    assert cifar.read_cifar_names(tmp_path, "cifar10")["label"]


def test_tables_cannot_run_code(refused, payload, tmp_path):
    import pyarrow
    import pyarrow.parquet

    evil = np.array([payload, payload], dtype=object)
    np.savez(tmp_path / "t.npz", x=evil, label=np.arange(2))
    (tmp_path / "p.npz").write_bytes(pickle.dumps(payload))
    (tmp_path / "p.csv").write_bytes(pickle.dumps(payload))
    (tmp_path / "p.parquet").write_bytes(pickle.dumps(payload))
    # pyarrow once unpickled what such a column asked for.
    field = pyarrow.field(
        "x",
        pyarrow.int64(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": pickle.dumps(payload),
        },
    )
    label = pyarrow.field("label", pyarrow.string())
    table = pyarrow.table(
        [[1, 2], ["a", "a"]], schema=pyarrow.schema([field, label])
    )
    pyarrow.parquet.write_table(table, tmp_path / "e.parquet")
    for name in ("t.npz", "p.npz", "p.csv", "p.parquet", "e.parquet"):
        arguments = ["--dataset=table", "--label_column=label"]
        refused(
            "search_mlpnas",
            [*arguments, f"--data_file={name}", "--run_dir=run"],
            "class only" if name == "e.parquet" else name,
        )


def test_weights_in_a_checkpoint_cannot_run_code(payload):
    from mlpnas.trained_store import TrainedStore
    from mlpnas.weight_bank import WeightBank

    file = io.BytesIO()
    np.savez(file, **{"0|a|b|kernel": np.array([payload], dtype=object)})
    for content in (file.getvalue(), pickle.dumps(payload)):
        for store in (TrainedStore(), WeightBank(1.0)):
            with pytest.raises(ValueError, match="allow_pickle"):
                store.deserialize(content)


CARD = {
    "input": {"shape": [8, 8, 1], "other_sizes": "none"},
    "classes": ["a", "b"],
}
# What a network would be made of, in a Sequential.
LAYERS = {
    "lambda": {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {}}},
    },
    "function": {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "system",
    },
    "class": {"module": "subprocess", "class_name": "Popen", "config": {}},
    "look-alike": {"module": "kerasx.layers", "class_name": "Dense"},
    "saved model": {
        "module": "keras.layers",
        "class_name": "TFSMLayer",
        "config": {"filepath": "evil"},
    },
    "vocabulary": {
        "module": "keras.layers",
        "class_name": "StringLookup",
        "config": {"vocabulary": "/etc/passwd"},
    },
    "download": {"module": "keras.utils", "class_name": "get_file"},
    "custom": {"module": None, "class_name": "Evil", "registered_name": "a>b"},
    "tensor": {"class_name": "__tensor__", "config": {"value": [1]}},
}


def keras_zip(path, config, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", json.dumps(config))
        for name, content in extra:
            archive.writestr(name, content)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model_card.json").write_text(json.dumps(CARD))
    Image.new("L", (8, 8)).save(tmp_path / "photo.png")
    return tmp_path / "network.keras"


@pytest.mark.parametrize("kind", LAYERS)
def test_keras_files_hold_layers_of_networks_only(model, kind):
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [LAYERS[kind]]},
    }
    keras_zip(model, config)
    name = LAYERS[kind]["class_name"]
    with pytest.raises(InputError, match=rf"it names '.*{name}'"):
        keras_file.check_keras_file(model)


def test_a_lambda_layer_with_code_is_refused_twice(refused, payload, model):
    """By us, and by the safe mode of Keras should ours ever miss it."""
    import keras

    path = str(payload.path)
    evil = keras.layers.Lambda(lambda x: (os.mkdir(path), x)[1])
    inputs = keras.Input((8, 8, 1))
    keras.Model(inputs, evil(inputs)).save(model)
    payload.path.rmdir()  # Keras called it to learn the shape.
    with pytest.raises(ValueError, match="safe"):
        keras.models.load_model(model, safe_mode=True)
    refused("predict", ["network.keras", "photo.png"], "Lambda'")
    with zipfile.ZipFile(model) as archive:
        config = json.loads(archive.read("config.json"))
    keras_zip(model, config, [("../evil.txt", "x")])
    refused("predict", ["network.keras", "photo.png"], "holds '../evil.txt'")


def test_keras_bombs_are_refused(monkeypatch, model):
    monkeypatch.setattr(keras_file, "MAX_CONFIG_BYTES", 1000)
    monkeypatch.setattr(keras_file, "MAX_WEIGHT_BYTES", 1000)
    keras_zip(model, " " * 5000)
    with pytest.raises(InputError, match="its config.json has"):
        keras_file.check_keras_file(model)
    keras_zip(model, {}, [("model.weights.h5", bytes(5000))])
    with pytest.raises(InputError, match="its model.weights.h5 has"):
        keras_file.check_keras_file(model)


def test_every_operation_makes_a_file_that_is_taken(tmp_path):
    from nascore.networks.config import NetworkConfig
    from nascore.networks.discrete import build_network
    from nascore.networks.operations.catalogue import OPERATIONS
    from nascore.training.config import FinalConfig, TrainingConfig
    from nascore.training.exports.write import (
        export,
        inference_model,
        load_keras,
    )

    names = tuple(OPERATIONS)
    pairs = range(0, len(names), 2)
    nodes = " ".join(f"0 {op} 1 {min(op + 1, len(names) - 1)}" for op in pairs)
    network = NetworkConfig(",".join(names), len(pairs), 4, 1)
    config = FinalConfig(
        network=network,
        training=TrainingConfig(architecture=f"{nodes} {nodes}"),
    )
    built = build_network(config.architecture, (8, 8, 3), 2, network)
    model = inference_model(built, config, (0.0, 1.0))
    (path,) = export(model, tmp_path, ["keras"])
    assert load_keras(path).count_params() == model.count_params()


def test_a_saved_model_is_a_program_and_needs_trust(refused, payload, model):
    import tensorflow as tf

    path = str(payload.path)

    class Evil(tf.Module):
        @tf.function(
            input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32)]
        )
        def serve(self, pixels):
            tf.io.write_file(path, "this graph writes files")
            return tf.zeros((tf.shape(pixels)[0], 2))

    folder = model.parent / "saved_model"
    tf.saved_model.save(Evil(), str(folder))
    for name in ("saved_model", "."):
        refused("predict", [name, "photo.png"], "--trust_saved_model")
    assert not payload.path.exists()
    # The sample does what it says, which is why it is refused.
    loaded = tf.saved_model.load(str(folder))
    loaded.serve(tf.zeros((1, 8, 8, 1)))
    payload.path.unlink()


def test_onnx_weights_outside_the_folder_are_refused(refused, tmp_path):
    import onnx
    from onnx import TensorProto, helper

    (tmp_path / "secret").write_bytes(bytes(8))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model_card.json").write_text(json.dumps(CARD))
    for place in ("../secret", str(tmp_path / "secret")):
        tensor = TensorProto(name="y", data_type=1, dims=[1, 2])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", place), ("length", "8")):
            tensor.external_data.add(key=key, value=value)
        shapes = {"x": [1, 8, 8, 1], "z": [1, 2]}
        x, z = (
            helper.make_tensor_value_info(name, 1, shape)
            for name, shape in shapes.items()
        )
        node = helper.make_node("Identity", ["y"], ["z"])
        graph = helper.make_graph([node], "g", [x], [z], [tensor])
        content = helper.make_model(graph).SerializeToString()
        (folder / "network.onnx").write_bytes(content)
        assert onnx.load(folder / "network.onnx", load_external_data=False)
        arguments = ["model/network.onnx", "photo.png"]
        refused("predict", arguments, "is no exported network")


def tar_of(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, target in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member, io.BytesIO())
    return path


ESCAPES = [
    [("../evil", tarfile.REGTYPE, "")],
    [("a/../../evil", tarfile.REGTYPE, "")],
    [("link", tarfile.SYMTYPE, "../.."), ("link/evil", tarfile.REGTYPE, "")],
    [("link", tarfile.SYMTYPE, "/etc/passwd")],
    [("a/link", tarfile.SYMTYPE, "../../x")],
    [("link", tarfile.LNKTYPE, "../secret")],
    [("pipe", tarfile.FIFOTYPE, "")],
    [("disk", tarfile.BLKTYPE, "")],
    [("tty", tarfile.CHRTYPE, "")],
]


@pytest.mark.parametrize("members", ESCAPES)
def test_tars_cannot_reach_outside(tmp_path, members):
    (tmp_path / "secret").write_text("secret")
    before = sorted(tmp_path.iterdir())
    path = tar_of(tmp_path / "evil.tar.gz", *members)
    with pytest.raises(InputError, match="evil.tar.gz cannot be unpacked"):
        unpack_folder(path, tmp_path / "in" / "out")
    path.unlink()
    assert not list((tmp_path / "in").iterdir())
    (tmp_path / "in").rmdir()
    assert sorted(tmp_path.iterdir()) == before


def test_an_absolute_path_of_a_tar_is_taken_as_a_relative_one(tmp_path):
    name = str(tmp_path / "evil")
    tar = tar_of(tmp_path / "t.tar.gz", (name, tarfile.REGTYPE, ""))
    unpack_folder(tar, tmp_path / "out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil", stat.S_IFREG),
        ("a/../../evil", stat.S_IFREG),
        ("/tmp/evil", stat.S_IFREG),
        ("..\\evil", stat.S_IFREG),
        ("C:/evil", stat.S_IFREG),
        ("\0", stat.S_IFREG),
        ("link", stat.S_IFLNK),
        ("pipe", stat.S_IFIFO),
        ("disk", stat.S_IFBLK),
    ],
)
def test_zips_cannot_reach_outside(tmp_path, name, kind):
    member = zipfile.ZipInfo("x")
    member.filename, member.external_attr = name, kind << 16
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(InputError, match="evil.zip cannot be unpacked"):
        unpack_folder(tmp_path / "evil.zip", tmp_path / "in" / "out")
    assert not list((tmp_path / "in").iterdir())


def test_archive_bombs_have_limits(monkeypatch, tmp_path):
    with zipfile.ZipFile(
        tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED
    ) as archive:
        for place in range(20):
            archive.writestr(f"a/{place}", bytes(10_000))
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        for place in range(20):
            member = tarfile.TarInfo(f"a/{place}")
            member.size = 10_000
            tar.addfile(member, io.BytesIO(bytes(10_000)))
    for limit, value, words in (
        ("MAX_BYTES", 100_000, "it holds more than 0.0001 GB"),
        ("MAX_MEMBERS", 10, "it holds more than 10 files"),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(archives, limit, value)
            for name in ("b.zip", "b.tar.gz"):
                with pytest.raises(InputError, match=words):
                    unpack_folder(tmp_path / name, tmp_path / "out")
                assert not (tmp_path / "out").exists()
    monkeypatch.setattr(cifar, "MAX_ARCHIVE_BYTES", 100_000)
    with pytest.raises(InputError, match="far more than CIFAR"):
        cifar.read_cifar(tmp_path / "b.tar.gz", "cifar10")


def test_a_picture_that_claims_to_be_huge_is_not_decoded(refused, model):
    def chunk(name, content):
        checksum = zlib.crc32(name + content)
        size = struct.pack(">I", len(content))
        return size + name + content + struct.pack(">I", checksum)

    keras_zip(model, {})
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10**6))
    content = chunk(b"IHDR", header) + chunk(b"IDAT", rows)
    folder = model.parent / "pictures"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        (folder / name / "huge.png").write_bytes(
            b"\x89PNG\r\n\x1a\n" + content + chunk(b"IEND", b"")
        )
    refused(
        "search_enas",
        ["--dataset=folder", "--data_dir=pictures", "--run_dir=run"],
        "a/huge.png cannot be read as an image: Image size (3600000000",
    )


def test_a_gigantic_field_of_a_csv_file_is_refused(
    refused, tmp_path, monkeypatch
):
    from mlpnas.data.tables import delimited as csv_tables
    from mlpnas.data.tables import files as table_files

    (tmp_path / "t.csv").write_bytes(b"x,label\n" + b"9" * 2_000_000 + b",a\n")
    arguments = ["--dataset=table", "--label_column=label", "--run_dir=run"]
    refused("search_mlpnas", [*arguments, "--data_file=t.csv"], "field limit")
    monkeypatch.setattr(csv_tables, "_LONGEST_LINE", 1_000_000)
    with pytest.raises(InputError, match="line 2 has more than 1 million"):
        table_files.read_table(tmp_path / "t.csv", "data_file")


def test_a_compressed_table_that_becomes_too_large(tmp_path, monkeypatch):
    import gzip

    from mlpnas.data.tables import delimited as csv_tables
    from mlpnas.data.tables import files as table_files

    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,label\n" + b"1,a\n" * 500_000))
    monkeypatch.setattr(csv_tables, "available", lambda: 10**6)
    with pytest.raises(InputError, match="it becomes more than"):
        table_files.read_table(path, "data_file")
