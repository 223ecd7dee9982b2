"""What a search has found is worth: it is trained, beside two others.

The best cell, or the best whole network, and a random one are trained alike,
into folders inside that of the search, and logistic regression learns from the
same images.
"""

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from enas.config import EnasConfig
from experiments import launch, plot_final
from experiments.support import final_run, program, small_presets
from experiments.support.network import settings_of
from flags.final import FROM_SEARCH
from mlpnas.competitors import make_classifier
from nascore.baselines.config import MacroSearchConfig
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.paths import quote
from nascore.runs.config import FINAL_END, TRAINED, RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.reader import read_end, read_run, read_settings
from nascore.spaces.cells import CellSpace
from nascore.spaces.published import for_both
from nascore.training.config import FinalConfig
from nascore.training.evaluation import evaluate
from nascore.training.provenance.images import FinalData, load_final
from nascore.training.provenance.origin import (
    NOWHERE,
    Origin,
    SearchOrigin,
)

BEST, RANDOM = "best cell found", "random cell"
_FOLDERS = {BEST: "final-best", RANDOM: "final-random"}
# What is trained instead of a cell.
_NETWORK = "network"
_LOGISTIC = "logistic regression"


class Row(NamedTuple):
    """What one classifier made of the official test set.

    Attributes:
      name: of it.
      architecture: if it has one.
      epochs: of its training; 0 if it does not count any.
      seconds: it took to learn; those of a resumed training are the sum.
      images: of the test set.
      accuracy: on them.
      low: lower end of the 95% Wilson interval of the accuracy.
      high: upper end.
    """

    name: str
    architecture: str
    epochs: int
    seconds: float
    images: int
    accuracy: float
    low: float
    high: float


def then_train(
    config: EnasConfig | MacroSearchConfig,
    folder: RunFolder,
    run_config: RunConfig,
) -> None:
    """Trains and tests what is not yet, prints and writes the comparison.

    Args:
      config: of the search, which is finished.
      folder: of the search.
      run_config: what holds for this start.

    Raises:
      Interrupted: a signal came; what was trained is saved.
    """
    epochs = config.after.then_train
    rows = []
    for name, architecture in _chosen(config, folder.path).items():
        path = folder.path / _FOLDERS[name]
        length = f"{epochs} epoch{'s' * (epochs > 1)}"
        label = _called(name, config)
        print(f"\ntraining the {label} for {length}, in {path}")
        final = _configure(config, architecture)
        # Nothing has chosen the random one.
        origin = NOWHERE
        if name == BEST:
            origin = Origin(SearchOrigin.of(read_run(folder.path)))
        if not _train(final, origin, path, run_config):
            hours = run_config.max_hours
            print(f"go on with: {launch.resuming(folder.path, hours)}")
            return
        rows.append(_read(label, path))
    rows.append(_regress(load_final(final.data, final.training.train_on_all)))
    folder.table(Path(TRAINED).stem).clear()
    folder.append(Path(TRAINED).stem, [row._asdict() for row in rows])
    _print(rows, epochs)


def _called(name: str, config: EnasConfig | MacroSearchConfig) -> str:
    """What people call it: a cell, or a network."""
    if isinstance(config, MacroSearchConfig):
        return name.replace("cell", _NETWORK)
    return name


def _chosen(
    config: EnasConfig | MacroSearchConfig, path: Path
) -> dict[str, str]:
    """The architectures to train, by what they are."""
    run = read_run(path)
    rng = np.random.default_rng(config.search.seed)
    drawn = run.space.decode(run.space.sample(rng, 1)[0])
    texts = [run.derived[0]["architecture"], run.space.format(drawn)]
    if isinstance(run.space, CellSpace):
        texts = [for_both(run.space, text) for text in texts]
    return dict(zip((BEST, RANDOM), texts, strict=True))


def _configure(
    config: EnasConfig | MacroSearchConfig, architecture: str
) -> FinalConfig:
    """The small final training on the images of the search."""
    search = flatten(config)
    preset = small_presets.quick_for(config.child.space.kind)
    own = {name: search[name] for name in FROM_SEARCH if name in search}
    if isinstance(config, MacroSearchConfig):
        own |= settings_of(config.child.space, {})
    values = {
        **flatten(FinalConfig()),
        **small_presets.values_of(preset, FinalConfig()),
        **own,
        "seed": config.search.seed,
        "epochs": config.after.then_train,
        "export": "keras",
        "architecture": architecture,
    }
    return unflatten(FinalConfig(), values)


def _train(
    config: FinalConfig, origin: Origin, path: Path, run_config: RunConfig
) -> bool:
    """Trains in a folder, or goes on there; says whether it is finished."""
    begun = (path / "config.json").exists()
    if begun:
        epochs = read_settings(path)["config"]["epochs"]
        if epochs != config.training.epochs:
            raise InputError(
                f"{path} was begun for {epochs} epochs; go on with "
                f"--then_train={epochs}"
            )
    end = read_end(path / FINAL_END)
    if end and end["epochs"] >= config.training.epochs:
        return True
    with RunFolder.open(path) if begun else RunFolder.create(path) as run:
        done = final_run.work(
            config, origin, run, run_config, path if begun else None
        )
    plot_final.plot_final(path)
    return done is not None and not done.cut


def _read(name: str, path: Path) -> Row:
    """What a finished training is worth."""
    end: dict[str, Any] = read_end(path / FINAL_END) or {}
    with RunFolder.open(path) as run:
        seconds = sum(float(row["seconds"]) for row in run.read("epochs"))
    return Row(
        name,
        str(read_settings(path)["config"]["architecture"]),
        end["epochs"],
        round(seconds, 1),
        end["images"],
        end["accuracy"],
        *end["accuracy_interval_95"],
    )


def _regress(data: FinalData) -> Row:
    """Logistic regression on the pixels of the same images."""
    begin = time.monotonic()
    classifier = make_classifier("logistic", 0)
    pixels, tests = (
        split.images.reshape(len(split), -1) / 255
        for split in (data.train, data.test)
    )
    with threadpool_limits(1):
        classifier.fit(pixels, data.train.labels)
    found = evaluate(
        classifier.decision_function(tests),
        data.test.labels,
        data.source.class_names,
    )
    seconds = round(time.monotonic() - begin, 1)
    return Row(
        _LOGISTIC, "", 0, seconds, found.images, found.accuracy, *found.interval
    )


def _print(rows: list[Row], epochs: int) -> None:
    best, drawn, _ = rows
    print(
        f"\ntrained alone for {epochs} epoch{'s' * (epochs > 1)}, accuracy "
        f"on the {best.images} official test images:"
    )
    for row in rows:
        print(
            f"  {row.name:<20}{row.accuracy:7.2%}  (95% interval "
            f"{row.low:.2%} to {row.high:.2%})"
        )
    print(verdict(best, drawn))


def verdict(best: Row, drawn: Row) -> str:
    """What follows from the two, and what does not."""
    what = _NETWORK if _NETWORK in best.name else "cell"
    if best.low <= drawn.accuracy <= best.high:
        return (
            f"the random {what} is as good as the one found, within the "
            "interval: this run shows how a search works, not that these "
            "images need one"
        )
    if best.accuracy > drawn.accuracy:
        return (
            f"the {what} found is better than this one random {what}; one "
            "pair decides nothing, more are had with other --seed"
        )
    return f"this random {what} is better than the one found"


def next_commands(path: Path, preset: str) -> list[str]:
    """Three commands that go on from a search whose finds can be trained.

    Args:
      path: its folder.
      preset: of the training.
    """
    run = quote(str(path))
    drawing = quote(str(path / "best-architecture"))
    commands = (
        f"python -m experiments.train_final --from_run={run} --preset={preset}",
        f"python -m experiments.plot_run {run} --format=pdf",
        f"python -m experiments.describe_architecture {run} --rank=1 "
        f"--output={drawing}",
    )
    return [*map(program.rewrite, commands)]
