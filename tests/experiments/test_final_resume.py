"""A final training goes on though its searches and its images have moved."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enas.config import ControllerConfig, EnasConfig
from enas.search import make_search
from nascore.data.config import DataConfig
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import NetworkConfig, SupernetConfig
from nascore.runs.folder import RunFolder
from nascore.runs.reader import read_run
from nascore.search.config import SearchConfig
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.provenance.origin import Origin, SearchOrigin
from nascore.training.run import FinalTraining

ROOT = Path(__file__).parents[2]
CHILD = {
    "num_nodes": 1,
    "filters": 4,
    "num_normal_cells": 1,
    "num_reduction_cells": 1,
    # Each operation is traced in each slot, which takes most of the time.
    "operations": "sep_conv_3x3,identity",
}


def write_photos(folder):
    rng = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for number in range(40):
            noise = rng.normal(60 + 80 * place, 30, (8, 8)).clip(0, 255)
            image = Image.fromarray(noise.astype(np.uint8))
            image.save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A search, and a training from it that was stopped at its beginning.

    In the folders `search`, `photos` and `final`.
    """
    out = tmp_path_factory.mktemp("begun")
    write_photos(out / "photos")
    data = DataConfig("folder", str(out / "photos"), image_size=8)
    with RunFolder.create(out / "search") as run:
        make_search(
            EnasConfig(
                data,
                SupernetConfig(**CHILD),
                ControllerConfig(train_steps=1, num_aggregate=1),
                SharedWeightsConfig(batch_size=8),
                SearchConfig(epochs=1, epoch_samples=1, derive_samples=2),
            ),
            run,
        ).run()
    found = read_run(out / "search")
    config = FinalConfig(
        data,
        NetworkConfig(**CHILD),
        TrainingConfig(
            architecture=found.derived[1]["architecture"],
            init_from_supernet=str(out / "search"),
            epochs=1,
            batch_size=8,
            export="keras",
        ),
    )
    origin = Origin(
        SearchOrigin.of(found), SearchOrigin.of(found, weights=True)
    )
    with RunFolder.create(out / "final") as run:
        FinalTraining(config, run, origin=origin)
    return out


@pytest.fixture
def moved(begun, tmp_path):
    """All of it elsewhere; the old place is gone."""
    for name in ("search", "photos", "final"):
        shutil.copytree(begun / name, tmp_path / name)
    path = tmp_path / "final" / "config.json"
    text = path.read_text().replace(str(begun), str(tmp_path / "gone"))
    path.write_text(text)
    path = tmp_path / "search" / "config.json"
    path.write_text(path.read_text().replace(str(begun), "/gone"))
    return tmp_path


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def save(folder):
    """What a training has that was stopped later: only its name counts."""
    (folder / "checkpoints").mkdir()
    for suffix in ("index", "data-00000-of-00001"):
        (folder / "checkpoints" / f"ckpt-1.{suffix}").write_text("")


def words(moved, *names):
    flags = {
        "data": f"--data_dir={moved / 'photos'}",
        "weights": f"--init_from_supernet={moved / 'search'}",
        "search": f"--from_run={moved / 'search'}",
    }
    return [
        f"--run_dir={moved / 'final'}",
        "--resume",
        *(flags[name] for name in names),
    ]


def test_a_training_that_had_saved_nothing_follows_all_of_it(forked, moved):
    # Former versions did not say of what kind the space is.
    file = moved / "final" / "config.json"
    settings = json.loads(file.read_text())
    assert settings["space"].pop("kind") == "cells"
    file.write_text(json.dumps(settings))
    done = forked("train_final", *words(moved, "data", "weights", "search"))
    assert done.returncode == 0, done.stderr
    assert "blocks start from shared weights: stem" in done.stdout
    settings = json.loads((moved / "final" / "config.json").read_text())
    for name in ("architecture", "weights"):
        assert settings["origin"][name]["run"] == str(moved / "search")
    assert settings["config"]["data_dir"] == str(moved / "photos")
    test = json.loads((moved / "final" / "test.json").read_text())
    # The search's images were found, too, where they are now.
    uses = test["searches"]["weights"]
    assert uses["test_images"] == {"trained": 0, "rewarded": 0, "reported": 0}


def refuse(forked, arguments, text):
    done = forked("train_final", *arguments)
    assert done.returncode == 2, done.stderr
    assert text in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_search_that_is_gone_while_it_is_needed(forked, moved):
    before = (moved / "final" / "config.json").read_bytes()
    refuse(forked, words(moved, "data"), "say where it is now")
    assert (moved / "final" / "config.json").read_bytes() == before


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("name", ["weights", "search"])
def test_a_search_on_other_images(forked, moved, name, saved):
    if saved:
        save(moved / "final")
    file = moved / "search" / "config.json"
    own = json.loads(file.read_text())["data"]["fingerprint"]
    change(file, own, "0" * 16)
    refuse(forked, words(moved, "data", name), "searched on other images")


def test_other_shared_weights(forked, moved):
    (path,) = (moved / "search" / "checkpoints").glob("ckpt-*.index")
    path.write_bytes(path.read_bytes() + b"more")
    refuse(forked, words(moved, "weights"), "has other shared weights than")


def test_another_ranking(forked, moved):
    arguments = words(moved, "search", "weights")
    refuse(forked, [*arguments, "--rank=1"], "does not rank the architecture")
    path = moved / "search" / "derived_architectures.json"
    ranking = json.loads(path.read_text())
    trained = ranking["architectures"].pop()["architecture"]
    assert all(
        entry["architecture"] != trained for entry in ranking["architectures"]
    )
    path.write_text(json.dumps(ranking))
    refuse(forked, arguments, "does not rank the architecture")


def test_what_the_training_was_begun_without(forked, moved):
    file = moved / "final" / "config.json"
    settings = json.loads(file.read_text())
    settings["origin"] = {"architecture": None, "weights": None}
    settings["config"]["init_from_supernet"] = ""
    file.write_text(json.dumps(settings))
    refuse(forked, words(moved, "search"), "begun without --from_run")
    refuse(forked, words(moved, "weights"), "begun without --init_from")


def test_leaving_the_weights_out(forked, moved):
    arguments = [*words(moved), "--init_from_supernet="]
    refuse(forked, arguments, "begun with --init_from_supernet")


def test_a_rank_of_no_ranking(forked):
    arguments = ["--architecture=0 0 1 3 0 1 1 4", "--num_nodes=1"]
    refuse(forked, [*arguments, "--rank=2"], "--rank=2 needs --from_run=RUN")


def test_scores_of_a_search_whose_images_moved(forked, moved):
    search = moved / "search"
    cell = read_run(search).derived[0]["architecture"]
    done = forked(
        "score_architecture", search, cell, f"--data_dir={moved / 'photos'}"
    )
    assert done.returncode == 0, done.stderr
    assert "on the validation set" in done.stdout
    done = forked("score_architecture", search, cell)
    assert done.returncode == 2
    assert "/gone/photos is not an existing folder" in done.stderr
