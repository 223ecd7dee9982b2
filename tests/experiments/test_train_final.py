"""From a search to a trained, exported network, as a user does it."""

import contextlib
import csv
import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enas.config import ControllerConfig, EnasConfig
from enas.search import make_search
from experiments import predict
from nascore.data.config import DataConfig
from nascore.data.images import load
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.runs.reader import read_run
from nascore.search.config import SearchConfig
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.exports import formats
from nascore.training.exports.card import Intake
from nascore.training.exports.classifier import load_classifier
from nascore.training.provenance.origin import Origin, SearchOrigin
from nascore.training.run import FinalTraining

ROOT = Path(__file__).parent.parent.parent
CHILD = {
    "num_nodes": 1,
    "filters": 4,
    "num_normal_cells": 1,
    "num_reduction_cells": 1,
    # Each operation is traced in each slot, which takes most of the time.
    "operations": "sep_conv_3x3,identity",
}
SEARCH = EnasConfig(
    DataConfig(image_size=8, train_examples=160),
    SupernetConfig(**CHILD),
    ControllerConfig(train_steps=1, num_aggregate=1),
    SharedWeightsConfig(batch_size=80),
    SearchConfig(epochs=1, epoch_samples=1, derive_samples=2),
)
TINY = (
    "--dataset=digits",
    "--image_size=8",
    "--train_examples=160",
    "--num_nodes=1",
    "--filters=4",
    "--num_layers=1",
    "--epochs=2",
    "--batch_size=40",
    "--aux_weight=0",
    "--keep_prob=1",
    "--drop_path_keep_prob=1",
)
ARCHITECTURE = "--architecture=0 0 1 3 0 1 1 4"


def start(name, *arguments, **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    # As in a terminal of a user who has set nothing.
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.Popen(
        [sys.executable, "-m", f"experiments.{name}", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def script(name, *arguments):
    process = start(name, *arguments)
    out, error = process.communicate()
    return subprocess.CompletedProcess(name, process.returncode, out, error)


def rows(path):
    with (path / "epochs.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    path = tmp_path_factory.mktemp("search") / "run"
    with RunFolder.create(path) as run:
        make_search(SEARCH, run).run()
    return path


@pytest.fixture(scope="module")
def trained(search, tmp_path_factory):
    path = tmp_path_factory.mktemp("final") / "run"
    done = script(
        "train_final",
        *TINY[2:3],
        *TINY[4:],
        "--num_normal_cells=1",
        "--num_reduction_cells=1",
        f"--from_run={search}",
        "--rank=1",
        f"--init_from_supernet={search}",
        "--export=keras,saved_model,onnx",
        f"--run_dir={path}",
    )
    return path, done


def test_a_found_architecture_is_trained_tested_and_drawn(search, trained):
    path, done = trained
    assert done.returncode == 0, done.stderr
    # No warnings, no start-up noise of libraries.
    assert done.stderr == ""
    ranking = json.loads((search / "derived_architectures.json").read_text())
    card = json.loads((path / "model" / "model_card.json").read_text())
    assert card["architecture"] == ranking["architectures"][0]["architecture"]
    assert card["input"]["shape"] == [8, 8, 1]
    assert "blocks start from shared weights: stem" in done.stdout
    assert len(rows(path)) == 2
    test = json.loads((path / "test.json").read_text())
    assert test["images"] == 360 and test["epochs"] == 2
    assert f"accuracy {test['accuracy']:.2%} (95% interval" in done.stdout
    assert test["measured_on"] == "the official test set, once, after training"
    for uses in (test["searches"]["architecture"], card["searches"]["weights"]):
        assert uses["run"] == str(search)
        assert not any(uses["test_images"].values())
        assert uses["validation_images"]["rewarded"] == 144
    assert "architecture of" in done.stdout  # Chosen by validation images.
    confusion = np.loadtxt(path / "confusion.csv", delimiter=",", skiprows=1)[
        :, 1:
    ]
    assert confusion.sum() == 360
    assert np.trace(confusion) / 360 == pytest.approx(test["accuracy"])
    for name in ("learning_curve", "confusion", "calibration"):
        with Image.open(path / "plots" / f"{name}.png") as picture:
            assert min(picture.size) > 400
    assert list((path / "tensorboard").iterdir())


ON_TESTS = dataclasses.replace(
    SEARCH, data=dataclasses.replace(SEARCH.data, split="ienas")
)


def test_an_architecture_that_test_images_chose(tmp_path, forked):
    with RunFolder.create(tmp_path / "search") as run:
        make_search(ON_TESTS, run).run()
    path = tmp_path / "final"
    done = forked(
        "train_final",
        *("--filters=4", "--num_normal_cells=1", "--num_reduction_cells=1"),
        *("--batch_size=128", "--epochs=1", "--export=keras"),
        *(f"--from_run={tmp_path / 'search'}", f"--run_dir={path}"),
    )
    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert "108 of 360 (30.0%) official test images" in warning
    assert "not clean: 108 of 360 (30.0%) test images" in done.stdout
    test = json.loads((path / "test.json").read_text())
    card = json.loads((path / "model" / "model_card.json").read_text())
    assert card["test"]["measured_on"] == test["measured_on"]
    assert "108 of 360 (30.0%) images gave the rewards" in test["measured_on"]
    rest = test["without_rewarded_images"]
    assert rest["images"] == 252
    assert f"252 others: accuracy {rest['accuracy']:.2%}" in done.stdout
    # The same by the exported network, on the images themselves.
    data = load(dataclasses.replace(SEARCH.data, split="ienas"))
    classifier = load_classifier(path / "model" / "network.keras")
    for part, accuracy in (
        (data.search_test, rest["accuracy"]),
        (data.test, test["accuracy"]),
    ):
        hits = classifier.predict(part.images).argmax(1) == part.labels
        assert hits.mean() == pytest.approx(accuracy)


def test_resumed_without_the_search_that_it_started_from(
    search, tmp_path, forked
):
    source = tmp_path / "search"
    shutil.copytree(search, source)
    found = read_run(source)
    config = FinalConfig(
        SEARCH.data,
        NetworkConfig(**CHILD),
        TrainingConfig(
            architecture=found.derived[0]["architecture"],
            init_from_supernet=str(source),
            epochs=2,
            batch_size=40,
            export="keras",
        ),
    )
    path = tmp_path / "final"
    origin = Origin(None, SearchOrigin.of(found))
    with RunFolder.create(path) as run:
        training = FinalTraining(config, run, origin=origin)
        training.lifecycle.save()
    shutil.rmtree(source)
    done = forked("train_final", f"--run_dir={path}", "--resume")
    assert done.returncode == 0, done.stderr
    assert "blocks start from shared weights" not in done.stdout
    test = json.loads((path / "test.json").read_text())
    uses = test["searches"]["weights"]
    assert uses["run"] == str(source)
    assert uses["test_images"] == {"trained": 0, "rewarded": 0, "reported": 0}


LOAD = """
import sys
for room in ("nascore", "enas", "experiments"):
    sys.modules[room] = None  # Importing it fails.
import keras, numpy as np, onnxruntime, tensorflow as tf
folder = sys.argv[1]
x = np.load(folder + "/x.npy")
y = keras.models.load_model(folder + "/network.keras", safe_mode=True)(x)
loaded = tf.saved_model.load(folder + "/saved_model")
s = loaded.serve(tf.constant(x))
o = onnxruntime.InferenceSession(folder + "/network.onnx")
o = o.run(None, {o.get_inputs()[0].name: x})[0]
np.savez(folder + "/y.npz", keras=y, saved_model=s, onnx=o)
"""


def test_exports_agree_in_a_fresh_process_without_this_package(trained):
    path, _ = trained
    folder = path / "model"
    pixels = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1))
    np.save(folder / "x.npy", pixels.astype(np.float32))
    subprocess.run([sys.executable, "-c", LOAD, folder], check=True)
    expected = load_classifier(folder).predict(pixels.astype(np.uint8))
    np.testing.assert_allclose(expected.sum(1), 1, atol=1e-5)
    assert expected.std() > 0
    with np.load(folder / "y.npz", allow_pickle=False) as found:
        assert set(found) == {"keras", "saved_model", "onnx"}
        for name in found:
            np.testing.assert_allclose(
                found[name], expected, atol=1e-4, err_msg=name
            )


def test_test_accuracy_is_that_of_the_exported_network(trained):
    path, _ = trained
    data = load(DataConfig(image_size=8))
    for name in ("network.keras", "saved_model", "network.onnx"):
        classifier = load_classifier(path / "model" / name, trust=True)
        guesses = classifier.predict(data.test.images).argmax(1)
        test = json.loads((path / "test.json").read_text())
        accuracy = (guesses == data.test.labels).mean()
        assert accuracy == pytest.approx(test["accuracy"])


def picture(path, mode, size):
    Image.new(mode, size, 7).save(path)
    return path


def test_predict_names_classes_and_refuses_other_pictures(
    trained, tmp_path, forked
):
    path, _ = trained
    good = picture(tmp_path / "good.png", "L", (8, 8))
    done = forked("predict", str(path), str(good), "--top=2")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"{good}: \d [\d.]+%, \d [\d.]+%\n", done.stdout)
    for mode, size, words in (
        ("L", (9, 8), "has 9x8 pixels and the model takes 8x8"),
        ("RGB", (8, 8), "--noconvert out to turn them grey"),
    ):
        bad = picture(tmp_path / "bad.png", mode, size)
        with pytest.raises(InputError, match=words):
            predict.read_pixels(bad, Intake((8, 8, 1), "none"), False)
        pixels = predict.read_pixels(bad, Intake((8, 8, 1), "none"), True)
        assert pixels.shape == (8, 8, 1)
    grey = picture(tmp_path / "grey.png", "L", (6, 6))
    with pytest.raises(InputError, match="is grey and the model takes"):
        predict.read_pixels(grey, Intake((8, 8, 3), "none"), False)
    assert predict.read_pixels(grey, Intake((8, 8, 1), "pad"), False).min() == 7
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InputError, match="cannot be read as an image"):
        predict.read_pixels(
            tmp_path / "text.png", Intake((8, 8, 1), "none"), False
        )


def test_files_that_are_no_models(trained, tmp_path):
    card = (trained[0] / "model" / "model_card.json").read_text()
    for name in ("a.keras", "a.onnx", "a.txt"):
        (tmp_path / "model_card.json").write_text(card)
        (tmp_path / name).write_bytes(b"PK\x03\x04 no model")
        with pytest.raises(InputError, match=name) as error:
            load_classifier(tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(InputError, match="does not exist"):
        load_classifier(tmp_path / "nowhere.keras")
    (tmp_path / "model_card.json").write_text("{}")
    with pytest.raises(InputError, match="it lacks 'input'"):
        load_classifier(tmp_path / "a.keras")


def test_missing_packages_name_the_extra(monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'ienas\[onnx\]'"):
        formats.parse_formats("keras,onnx")
    assert formats.parse_formats("keras,saved_model")


def free_ports(count):
    """Ports that nobody listens to."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for_all(processes):
    """Waits for processes that wait for each other."""

    def follow(process):
        _, error = process.communicate()
        if process.returncode:
            # The others would wait for it for ever.
            for other in processes:
                other.kill()
        return error

    with ThreadPoolExecutor(len(processes)) as pool:
        errors = list(pool.map(follow, processes))
    codes = [process.returncode for process in processes]
    assert codes == [0] * len(processes), errors


MIRRORED = """
import sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, two)
from experiments import train_final
sys.argv[0] = "train_final"
train_final.cli()
"""


def test_two_devices_and_two_workers_equal_one(tmp_path, forked):
    alone = tmp_path / "alone"
    flags = (*TINY, ARCHITECTURE, "--ema_decay=0.9", "--export=")
    # A single cell: all four trace it.
    flags += ("--num_normal_cells=1", "--num_reduction_cells=0")
    done = forked("train_final", *flags, f"--run_dir={alone}")
    assert done.returncode == 0, done.stderr
    mirrored = tmp_path / "mirrored"
    subprocess.run(
        [
            *(sys.executable, "-c", MIRRORED, *flags),
            *("--distribute=mirrored", f"--run_dir={mirrored}"),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    workers = tmp_path / "workers"
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(2)]}
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        variable = json.dumps({"cluster": cluster, "task": task})
        processes.append(
            start(
                *("train_final", *flags, "--distribute=multiworker"),
                f"--run_dir={workers}",
                TF_CONFIG=variable,
            )
        )
    wait_for_all(processes)
    expected = rows(alone)
    for path in (mirrored, workers):
        for ours, theirs in zip(rows(path), expected, strict=True):
            for name in ("loss", "accuracy", "validation_loss"):
                assert float(ours[name]) == pytest.approx(
                    float(theirs[name]), rel=1e-3
                ), (path, name)
        assert (path / "test.json").exists()


def test_a_published_cell_of_darts_is_trained_and_exported(tmp_path, forked):
    path = tmp_path / "final"
    done = forked(
        "train_final",
        "--preset=final/darts_quick",
        "--architecture=DARTS_V2",
        *("--image_size=8", "--train_examples=160", "--num_layers=3"),
        *("--filters=4", "--epochs=1", "--drop_path_keep_prob=0.8"),
        *("--aux_weight=0.4", "--export=keras", f"--run_dir={path}"),
    )
    assert done.returncode == 0, done.stderr
    assert "note: --architecture taken as" in done.stdout
    card = json.loads((path / "model" / "model_card.json").read_text())
    assert card["layers"] == ["normal", "reduction", "reduction"]
    assert "dil_conv_3x3(node 0)" in card["cells"]
    assert "Genotype(normal=[('sep_conv_3x3', 0)" in card["cells"]
    classifier = load_classifier(path / "model" / "network.keras")
    pixels = np.zeros((2, 8, 8, 1), np.uint8)
    assert classifier.predict(pixels).shape == (2, 10)
    config = json.loads((path / "config.json").read_text())["config"]
    assert (config["layout"], config["num_nodes"]) == ("darts", 4)
    done = forked(
        "describe_architecture", path, f"--output={tmp_path}", "--input=8x8x1"
    )
    assert done.returncode == 0, done.stderr
    assert f"parameters: {card['parameters']:,} (and " in done.stdout


def test_describe_draws_without_training(tmp_path, forked):
    done = forked(
        "describe_architecture",
        "0 0 1 3 0 1 1 4",
        *("--num_nodes=1", "--num_layers=1", "--filters=4"),
        *("--input=8x8x1", f"--output={tmp_path}"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (
        "node 0 = sep_conv_3x3(input 0) + max_pool_3x3(input 1)" in done.stdout
    )
    assert re.search(r"multiply-adds for an image: [\d,]+\n", done.stdout)
    for name in ("cells", "network"):
        assert (tmp_path / f"{name}.png").stat().st_size > 5000
        assert "<svg" in (tmp_path / f"{name}.svg").read_text()


@pytest.mark.parametrize(
    "name, arguments, words",
    [
        ("train_final", [], "--architecture="),
        ("train_final", ["--architecture=1 2 x"], "must be an integer"),
        (
            "train_final",
            ["--architecture=DARTS_V3"],
            "no published name; these are: DARTS_V1, DARTS_V2",
        ),
        ("train_final", ["--architecture=9"], "has 40 integers"),
        ("train_final", [*TINY, ARCHITECTURE, "--precision=half"], "precision"),
        ("train_final", [*TINY, ARCHITECTURE, "--export=zip"], "'zip'"),
        ("train_final", [*TINY, ARCHITECTURE, "--split=ienas"], "clean"),
        (
            "train_final",
            [*TINY, ARCHITECTURE, "--distribute=multiworker"],
            "TF_CONFIG",
        ),
        (
            "train_final",
            [*TINY, ARCHITECTURE, "--image_size=10"],
            "multiples of 4",
        ),
        (
            "train_final",
            [*TINY, ARCHITECTURE, "--precision=float16"],
            "needs a GPU",
        ),
        ("describe_architecture", ["0 0"], "has 40 integers"),
        ("describe_architecture", ["0 0", "--input=8"], "integers"),
        ("predict", ["nothing"], "predict MODEL IMAGE"),
        ("export_model", ["nothing"], "does not exist"),
        ("plot_final", ["nothing"], "is not a folder"),
    ],
)
def test_bad_input_is_one_clear_line(forked, name, arguments, words, tmp_path):
    folder = [f"--run_dir={tmp_path / 'run'}"] * (name == "train_final")
    done = forked(name, *arguments, *folder)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "run").glob("*.csv"))


def test_runs_that_cannot_be_continued_or_followed(
    forked, search, trained, tmp_path
):
    path, _ = trained
    before = {p: p.read_bytes() for p in path.glob("*.*")}
    done = forked("train_final", f"--run_dir={path}", "--resume")
    assert done.returncode == 2 and "is finished" in done.stderr
    done = forked("train_final", f"--from_run={search}", "--rank=9")
    assert done.returncode == 2 and "must be from 1 to" in done.stderr
    unfinished = tmp_path / "search"
    unfinished.mkdir()
    for name in ("config.json", "evaluations.csv"):
        (unfinished / name).write_bytes((search / name).read_bytes())
    done = forked("train_final", f"--from_run={unfinished}")
    assert done.returncode == 2 and "no finished search" in done.stderr
    assert before == {p: p.read_bytes() for p in path.glob("*.*")}


@pytest.mark.parametrize(
    "preset",
    sorted((ROOT / "flags" / "presets" / "final").glob("*.flags")),
    ids=lambda path: path.stem,
)
def test_presets_of_final_training(preset):
    lines = preset.read_text().splitlines()
    assert lines[0].startswith("# python -m experiments.train_final ")
    code = (
        "from absl import flags; from flags import final; final.define(); "
        f"flags.FLAGS(['x', '--flagfile={preset}']); "
        "from experiments.support.subject import read_final; "
        "c = read_final(); c.training.architecture and c.architecture"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
