"""Exported files, in every order, loaded where this package is not.

By a user whose keras.json is that of other programs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nascore.errors import InputError
from nascore.training.exports import write as export

ROOT = Path(__file__).parents[4]
ORDERS = (
    ("onnx",),
    ("saved_model",),
    ("onnx", "saved_model"),
    ("saved_model", "onnx", "keras"),
)
FILES = {
    "keras": "network.keras",
    "saved_model": "saved_model",
    "onnx": "network.onnx",
}
# Height, width and channels, and the weight of the auxiliary head.
KINDS = {"grey": ((16, 16, 1), 0.0), "colour": ((16, 16, 3), 0.4)}

WRITE = """
import sys
from pathlib import Path
from nascore.training.config import FinalConfig, NetworkConfig, TrainingConfig
from nascore.training.exports.write import export, inference_model, load_keras
from nascore.networks.discrete import build_network
from tests.nascore.training.exports.test_write import KINDS, ORDERS
import keras, numpy as np

out = Path(sys.argv[1])
cell = "0 0 1 3 0 1 1 4"
for kind, (shape, aux_weight) in KINDS.items():
    config = FinalConfig(
        network=NetworkConfig(
            num_nodes=1, filters=4, num_layers=1, aux_weight=aux_weight
        ),
        training=TrainingConfig(architecture=cell),
    )
    keras.utils.set_random_seed(1)
    network = build_network(config.architecture, shape, 4, config.network)
    assert ("auxiliary" in network.output) == (kind == "colour")
    scaling = np.full(shape[-1], 0.4), np.full(shape[-1], 0.2)
    model = inference_model(network, config, scaling)
    folder = out / kind
    export(model, folder, ["keras"])
    pixels = np.random.default_rng(0).uniform(0, 255, (5, *shape))
    np.save(folder / "x.npy", pixels.astype(np.float32))
    np.save(folder / "y.npy", model.predict_on_batch(pixels))
    for order in ORDERS:
        fresh = load_keras(folder / "network.keras")
        export(fresh, folder / "-".join(order), order)
"""
READ = """
import sys
for room in ("nascore", "enas", "experiments"):
    sys.modules[room] = None  # Importing it fails.
import json, keras, numpy as np, onnxruntime, tensorflow as tf
assert keras.config.image_data_format() == "channels_first"
assert keras.config.floatx() == "float64"

def run_keras(path, x):
    return keras.models.load_model(path, safe_mode=True).predict_on_batch(x)

def run_saved_model(path, x):
    loaded = tf.saved_model.load(path)
    return loaded.serve(tf.constant(x)).numpy()

def run_onnx(path, x):
    session = onnxruntime.InferenceSession(path)
    (name,) = [each.name for each in session.get_inputs()]
    return session.run(None, {name: x})[0]

found = []
for kind, path, order, name in json.loads(sys.stdin.read()):
    x = np.load(f"{kind}/x.npy")
    y = globals()[f"run_{name}"](f"{kind}/{path}", x)
    found.append([kind, order, name, y.tolist()])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """What each file gives: kind, order of formats, format, probabilities."""
    out = tmp_path_factory.mktemp("exported")
    home = out / "home"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(
        json.dumps({"image_data_format": "channels_first", "floatx": "float64"})
    )
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    for name in ("KERAS_HOME", "KERAS_BACKEND"):
        environment.pop(name, None)
    subprocess.run(
        [sys.executable, "-c", WRITE, out], env=environment, check=True
    )
    files = [
        (kind, f"{'-'.join(order)}/{FILES[name]}", order, name)
        for kind in KINDS
        for order in ORDERS
        for name in order
    ]
    files += [(kind, FILES["keras"], ("keras",), "keras") for kind in KINDS]
    done = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=out,
        env=environment,
        input=json.dumps(files),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert len(files) == 16
    return out, json.loads(done.stdout.splitlines()[-1])


def test_every_file_gives_what_the_network_gave(exported):
    out, found = exported
    assert len(found) == 16
    for kind, order, name, values in found:
        expected = np.load(out / kind / "y.npy")
        assert expected.std() > 1e-3
        np.testing.assert_allclose(
            values, expected, atol=1e-5, err_msg=f"{kind} {order} {name}"
        )


def test_a_converter_that_does_not_work_is_found_before_training(
    monkeypatch,
):
    def fail(name):
        raise AttributeError(f"{name} wants\nanother NumPy")

    monkeypatch.setattr(export.importlib, "import_module", fail)
    export.check_converters(("keras", "saved_model"))
    with pytest.raises(InputError, match="onnx wants another NumPy") as error:
        export.check_converters(("keras", "onnx"))
    assert "pip install 'ienas[onnx]'" in str(error.value)


def test_a_conversion_that_fails_is_one_line(tmp_path):
    class Model:
        input_shape = (None, 8, 8, 1)

        def __call__(self, images):
            assert images.shape == (1, 8, 8, 1)

        def export(self, path, **options):
            raise KeyError("no such\noperation")

    with pytest.raises(InputError, match="gets no network.onnx") as error:
        export.export(Model(), tmp_path / "model", ["onnx"])
    assert "leave onnx out" in str(error.value)
    assert list((tmp_path / "model").iterdir()) == []
