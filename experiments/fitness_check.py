"""Trains children of a RENAS search from scratch: do the ranks agree?

  python -m experiments.fitness_check RUN
  python -m experiments.fitness_check RUN --count=12 --epochs=20

Takes children spread evenly over the search, in the order in which they came,
and writes `fitness_check.csv` into the run folder, a row for each; what is
there already is not trained again. Each is measured on validation images, as
its fitness was, and on search-test images, which nobody saw.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from experiments import launch
from flags import base
from nascore.config import unflatten
from nascore.errors import InputError, printable
from nascore.runs.csv_files import read_table
from nascore.runs.folder import RunFolder
from nascore.runs.reader import (
    RunRecords,
    check_same_data,
    read_run,
    settings_with,
)
from renas.config import RenasConfig

_TABLE = "fitness_check"
_FITNESS, _SCRATCH = "fitness", "validation_accuracy"
_NUMBERS = ("number", _FITNESS, _SCRATCH, "search_test_accuracy", "epochs")


def choose(run: RunRecords, count: int) -> list[dict[str, Any]]:
    """Children spread evenly over a search, each architecture once.

    Args:
      run: the search.
      count: most of them.

    Raises:
      InputError: it is no search with children that were trained.
    """
    table = run.evaluations
    if not {"inherited", "images"} <= set(table.columns):
        raise InputError(
            f"{run.path} is no search of RENAS with weights of their own; "
            "for shared weights: python -m experiments.rank_check RUN"
        )
    table = table[np.isfinite(table[run.measures])]
    table = table.drop_duplicates("normal_cell", keep="last")
    places = np.linspace(0, len(table) - 1, min(count, len(table)))
    chosen = table.iloc[places.round().astype(int)]
    return chosen.to_dict("records")


def check(run_dir: Path, count: int, epochs: int, data_dir: str) -> None:
    """Trains what is missing, writes it down, and says how ranks agree.

    Raises:
      InputError: no such search, or rows of another number of epochs.
    """
    run = read_run(run_dir)
    entries = choose(run, count)
    path = run_dir / f"{_TABLE}.csv"
    table = read_table(path, _NUMBERS)
    if len(table) and set(table["epochs"]) != {epochs}:
        raise InputError(
            f"{path} holds trainings of {table['epochs'].iloc[0]} epochs; "
            "give the same --epochs, or delete it"
        )
    there = set(table["number"].astype(int)) if len(table) else set()
    missing = [e for e in entries if int(e["number"]) not in there]
    if missing:
        _train(run, missing, epochs, data_dir)
    _report(run, read_table(path, _NUMBERS))


def _train(
    run: RunRecords,
    entries: Sequence[Mapping[str, Any]],
    epochs: int,
    data_dir: str,
) -> None:
    launch.quiet_tensorflow()
    from nascore.baselines.own_weights import make_evaluator
    from nascore.data.images import load

    config = unflatten(RenasConfig(), settings_with(run, data_dir))
    inheritance = dataclasses.replace(config.inheritance, derive_epochs=epochs)
    config = dataclasses.replace(config, inheritance=inheritance)
    data = load(config.data)
    check_same_data(run, data.fingerprint)
    for note in data.notes:
        print(f"note: {printable(note)}")
    evaluator = make_evaluator(config, data, inheritance)
    space = run.cells
    with RunFolder.open(run.path) as folder:
        for entry in entries:
            row = space.encode(space.parse_columns(entry))
            found = evaluator.validate(row[None])
            fitness = float(entry[run.measures])
            written = {
                "number": int(entry["number"]),
                "architecture": entry["normal_cell"],
                _FITNESS: fitness,
                **found,
                "epochs": epochs,
            }
            folder.append(_TABLE, [written])
            print(
                f"model {written['number'] + 1}: fitness {fitness:.1%}, "
                f"{found[_SCRATCH]:.1%} after {epochs} "
                f"epoch{'s' * (epochs > 1)} from scratch",
                flush=True,
            )


def _report(run: RunRecords, table: Any) -> None:
    """Prints what the rows say."""
    tau = table[_FITNESS].corr(table[_SCRATCH], method="kendall")
    order = table["number"].corr(table[_SCRATCH], method="kendall")
    images = int(run.evaluations["images"].sum())
    best = float(np.nanmax(run.evaluations[run.measures]))
    said = "not known" if math.isnan(tau) else f"{tau:+.2f}"
    print(
        f"Kendall's tau of fitness and accuracy from scratch over "
        f"{len(table)} children: {said}; of their order and it: {order:+.2f}"
    )
    print(
        f"the search trained on {images:,} images, repeated ones included; "
        f"its best fitness is {best:.1%}"
    )


def main(args: list[str]) -> None:
    """Checks one run."""
    if len(args) != 1:
        raise InputError(
            "name one run folder: "
            "python -m experiments.fitness_check RUN [--count=12]"
        )
    values = flags.FLAGS
    check(Path(args[0]), values.count, values.epochs, values.data_dir)


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_integer("count", 12, "Children to train.", 2)
    flags.DEFINE_integer("epochs", 20, "Epochs of each training.", 1)
    base.define_data_dir()
    launch.run(main)


if __name__ == "__main__":
    cli()
