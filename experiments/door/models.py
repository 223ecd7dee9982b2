"""Trained networks of a run folder."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from experiments import launch, plot_final
from experiments.door.arrays import to_arrays
from experiments.door.settings import convert
from experiments.support import final_run, program, small_presets
from experiments.train_final import settings_of_run
from nascore.config import flatten, unflatten
from nascore.data.own_images.arrays import check_more
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.paths import quote
from nascore.runs.config import DATA_FILE, FINAL_END, FINAL_METHOD, RunConfig
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.reader import read_run, read_settings
from nascore.training.config import FinalConfig
from nascore.training.evaluation import evaluate
from nascore.training.exports.card import read_card
from nascore.training.exports.formats import CARD, FILE_NAMES, KERAS
from nascore.training.exports.write import load_keras
from nascore.training.finish import MODEL_FOLDER
from nascore.training.provenance.origin import Origin, SearchOrigin

_TINY = 1e-38


def trained(
    path: Path, rank: int, preset: str, settings: Mapping[str, Any]
) -> Path:
    """The folder of a training of an architecture that a search found.

    Args:
      path: the folder of the search.
      rank: place of the architecture in its ranking.
      preset: of the training; empty: its defaults.
      settings: others, by name.

    Raises:
      InputError: there is no such rank or setting.
    """
    config = _configure(path, rank, preset, settings)
    for number in itertools.count(1):
        folder = path / (f"final-{rank}" + f"-{number}" * (number > 1))
        if not (folder / "config.json").exists():
            _train(config, path, folder, resume=False)
            return folder
        if _is_of(folder, config):
            if not is_finished(folder, end_file=FINAL_END):
                _train(config, path, folder, resume=True)
            return folder
    raise AssertionError


def _configure(
    path: Path, rank: int, preset: str, settings: Mapping[str, Any]
) -> FinalConfig:
    own = convert(FinalConfig(), settings, "a training")
    network = {k: own[k] for k in flatten(NetworkConfig()) if k in own}
    values = flatten(FinalConfig())
    if preset:
        values |= small_presets.values_of(preset, FinalConfig())
    values |= settings_of_run(path, rank, network)
    if values["dataset"] == "arrays" and (path / DATA_FILE).exists():
        values["data_dir"] = str(path / DATA_FILE)
    return unflatten(FinalConfig(), {**values, "export": "keras", **own})


def _is_of(folder: Path, config: FinalConfig) -> bool:
    """Whether a folder holds the training of these settings."""
    stored = read_settings(folder, FINAL_METHOD)["config"]
    moved = {"data_dir", "export"}
    now = flatten(config)
    return all(stored.get(k) == v for k, v in now.items() if k not in moved)


def _train(config: FinalConfig, path: Path, folder: Path, resume: bool) -> None:
    """Trains, tests and exports, or goes on with it."""
    launch.begin()
    words = f"ienas train --from_run={quote(str(path))}"
    origin = Origin(SearchOrigin.of(read_run(path)))
    opened = RunFolder.open if resume else RunFolder.create
    with (
        program.called(words),
        launch.resumable(folder),
        opened(folder) as run,
    ):
        done = final_run.work(
            config, origin, run, RunConfig(), folder if resume else None
        )
        if done is not None:
            final_run.describe_end(done, folder)
    plot_final.plot_final(folder)


def load(folder: Path) -> keras.Model:
    """The network that a training left."""
    return load_keras(folder / MODEL_FOLDER / FILE_NAMES[KERAS])


def measure(folder: Path, x: Any, y: Any) -> dict[str, float]:
    """Accuracy and loss of a trained network; see `Run.evaluate`.

    Raises:
      InputError: they are no images with classes, or of another size.
    """
    intake, classes = read_card(folder / MODEL_FOLDER / CARD)
    images, labels = check_more(*to_arrays(x, y), classes)
    if images.shape[1:] != intake.shape:
        raise InputError(
            f"x holds images of {list(images.shape[1:])}; the network of "
            f"{folder} takes {list(intake.shape)}"
        )
    probabilities = predict(folder, images)
    found = evaluate(np.log(np.maximum(probabilities, _TINY)), labels, classes)
    return {
        "accuracy": found.accuracy,
        "loss": found.loss,
        "images": found.images,
    }


def predict(folder: Path, images: np.ndarray) -> np.ndarray:
    """Probabilities `[n, classes]` of uint8 images."""
    return np.asarray(load(folder).predict(images, verbose=0))
