"""The wheel, in a fresh environment, away from the checkout."""

import json
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.package.conftest import (
    FILES,
    ROOMS,
    ROOT,
    files_of,
    user_environment,
)

TINY = (
    "--dataset=digits",
    "--image_size=8",
    "--train_examples=160",
    "--filters=4",
    "--num_normal_cells=1",
    "--num_reduction_cells=1",
    "--epochs=1",
)
SEARCH = (
    *("--num_nodes=1", "--batch_size=40", "--train_steps=1"),
    "--operations=sep_conv_3x3,identity",
    *("--num_aggregate=2", "--epoch_samples=2", "--derive_samples=2"),
)
TRAIN = ("--aux_weight=0", "--export=keras", "--run_dir=final")


@pytest.fixture
def folder(tmp_path):
    """A working folder of somebody whose own files have names of ours."""
    for name in ("flags.py", "enas.py", "nascore.py"):
        (tmp_path / name).write_text(f"raise SystemExit('{name} was run')\n")
    for name in ("experiments", "mlpnas"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit(9)\n")
    return tmp_path


def start(*words, folder):
    return subprocess.run(
        words,
        cwd=folder,
        env=user_environment(),
        capture_output=True,
        text=True,
    )


def test_a_wheel_holds_the_packages_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == files_of(*ROOMS)
    assert {f"{room}/py.typed" for room in ROOMS} <= inside


def test_an_sdist_holds_what_tests_read(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.isfile()]
    names = {member.name.partition("/")[2] for member in members}
    assert files_of(*ROOMS) <= names
    for kind in ("tests", "benchmarks", "docs", "results"):
        missing = {file.rpartition(".")[2] for file in files_of(kind) - names}
        assert missing <= {"png", "pdf", "html"}, kind
    assert {*FILES, ".ci/run"} <= names


def test_the_wheel_says_what_it_is(distribution):
    about = distribution.metadata
    assert about["License-Expression"] == "Apache-2.0"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert about["Description-Content-Type"] == "text/markdown"
    assert text.splitlines()[0] in about.get_payload()
    versions = [c.split()[-1] for c in about.get_all("Classifier")]
    assert {"3.11", "3.12", "3.13", "Typed"} <= set(versions)


def test_everything_comes_from_the_wheel(python, folder):
    """All modules can be imported, and all commands are there."""
    code = """
import importlib, json, pathlib, sys
from importlib import metadata, resources
files = [file for file in metadata.files("ienas") if file.suffix == ".py"]
for file in files:
    parts = file.with_suffix("").parts
    importlib.import_module(".".join(parts).removesuffix(".__init__"))
for command in metadata.distribution("ienas").entry_points:
    assert callable(command.load()), command
rooms = {file.parts[0] for file in files}
places = {
    str(pathlib.Path(module.__file__).parents[name.count(".") + (
        module.__file__.endswith("__init__.py"))])
    for name, module in sys.modules.items()
    if name.partition(".")[0] in rooms
}
print(json.dumps([len(files), sorted(places), sorted(rooms)]))
"""
    done = start(python, "-P", "-c", code, folder=folder)
    assert done.returncode == 0, done.stderr
    count, places, rooms = json.loads(done.stdout.splitlines()[-1])
    assert count > 200 and set(rooms) == set(ROOMS)
    (place,) = places
    assert place.startswith(str(python.parents[1]))


@pytest.mark.slow
def test_a_search_a_training_and_a_prediction(python, folder, distribution):
    run, final = (folder / name for name in ("run", "final"))
    Image.fromarray(np.full((8, 8), 99, np.uint8)).save(folder / "photo.png")
    for words in (
        ("search_enas", *TINY, *SEARCH, "--run_dir=run"),
        ("train_final", *TINY, *TRAIN, "--from_run=run"),
        ("predict", "final", "photo.png"),
    ):
        name, *arguments = words
        module = (python, "-P", "-m", f"experiments.{name}")
        done = start(*module, *arguments, folder=folder)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert "photo.png" in done.stdout and "%" in done.stdout
    (begun,) = json.loads((run / "config.json").read_text())["starts"]
    assert begun["versions"]["ienas"] == distribution.version
    assert (run / "plots").is_dir() and (final / "test.json").is_file()
    # A command does not look into the working folder at all.
    script = min(entry.name for entry in distribution.entry_points)
    done = start(python.parent / script, "--help", folder=folder)
    assert len(done.stdout.splitlines()) > 3 and done.stderr == ""
