"""Names of classes that file formats, outputs or Keras might stumble over."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.faults.kill_anywhere import ROOT
from tests.faults.test_streams import ASCII

NAMES = ["[UNK]", "a b, c", "grün", "nan", "собака"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A training on such classes, where outputs and files are ASCII."""
    folder = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    for place, name in enumerate(NAMES):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(20):
            noise = rng.normal(40 * place, 20, (8, 8)).clip(0, 255)
            image = Image.fromarray(noise.astype(np.uint8))
            image.save(folder / "photos" / name / f"{number}.png")
    done = run(
        folder,
        "train_final",
        *("--dataset=folder", "--data_dir=photos", "--image_size=8"),
        *("--architecture=0 0 1 3 0 1 1 4", "--num_nodes=1", "--filters=4"),
        *("--num_normal_cells=1", "--num_reduction_cells=1", "--epochs=1"),
        *("--batch_size=8", "--export=onnx,keras", "--run_dir=final"),
    )
    return folder, done


def run(folder, name, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"experiments.{name}", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **ASCII},
        capture_output=True,
    )


def test_files_have_the_names_as_they_are(trained):
    folder, done = trained
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert rb"gr\xfcn" in done.stdout
    final = folder / "final"
    with (final / "per_class.csv").open(encoding="utf-8", newline="") as file:
        assert [row["class"] for row in csv.DictReader(file)] == NAMES
    with (final / "confusion.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == [row[0] for row in rows] == NAMES
    card = json.loads((final / "model" / "model_card.json").read_bytes())
    assert card["classes"] == NAMES
    assert card["files"] == ["network.onnx", "network.keras"]
    assert (final / "plots" / "confusion.png").stat().st_size > 5000


def test_a_prediction_names_them(trained):
    folder, _ = trained
    done = run(
        folder,
        "predict",
        *("final/model/network.onnx", "photos/grün/0.png", "--top=5"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(rb"photos/gr\xfcn/0.png: ")
    for name in NAMES:
        assert name.encode("ascii", "backslashreplace") in done.stdout
