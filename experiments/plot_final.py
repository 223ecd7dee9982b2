"""Draws a final training: learning curves, confusion, calibration.

  python -m experiments.plot_final FINAL
  python -m experiments.plot_final FINAL --format=png,pdf

Reads the files of the run folder only; the training may still be going.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import launch, pictures
from nascore.errors import InputError
from nascore.runs.config import FINAL_END, FINAL_METHOD
from nascore.runs.csv_files import read_table
from nascore.runs.json_files import look_up
from nascore.runs.reader import read_end, read_settings

# What draws is imported where it draws, after the arguments were checked.
if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def plot_final(run_dir: Path, formats: Sequence[str] = ("png",)) -> list[Path]:
    """Draws a final training into its folder `plots`.

    Args:
      run_dir: the run folder.
      formats: of `png`, `pdf` and `svg`.

    Returns:
      The files written.

    Raises:
      InputError: no folder of a final training, or no epoch in it yet.
    """
    if not run_dir.is_dir():
        raise InputError(f"{run_dir} is not a folder")
    settings = read_settings(run_dir, FINAL_METHOD)
    epochs = read_table(
        run_dir / "epochs.csv",
        ["epoch", "loss", "accuracy", "learning_rate"],
        optional=["validation_loss", "validation_accuracy"],
    )
    if epochs.empty:
        raise InputError(f"{run_dir} has no finished epoch yet")
    # All is read before anything is written.
    figures = list(_figures(run_dir, epochs, settings))
    return pictures.write(figures, run_dir / "plots", formats)


def _figures(
    run_dir: Path, epochs: pd.DataFrame, settings: dict[str, Any]
) -> Iterator[tuple[str, Figure]]:
    from experiments.figures import trainings

    yield (
        "learning_curve",
        trainings.plot_curve(epochs, trainings.title_of(settings)),
    )
    path = run_dir / FINAL_END
    test = read_end(path)
    if test is not None:
        accuracy = look_up(test, path, "accuracy", float)
        error = look_up(test, path, "calibration_error", float)
        confusion = _read_confusion(run_dir / "confusion.csv")
        found = f"Official test set, accuracy {accuracy:.2%}"
        if "without_rewarded_images" in test:
            rest = look_up(
                test, path, "without_rewarded_images.accuracy", float
            )
            found += f"; {rest:.2%} where\nimages chose no architecture"
        yield "confusion", trainings.plot_confusion(confusion, found)
        bins = _read_bins(run_dir / "calibration.csv")
        yield "calibration", trainings.plot_calibration(bins, error)


def _read_confusion(path: Path) -> pd.DataFrame:
    """Counts, with a row and a column for each class."""
    header = read_table(path, [])
    classes = list(header.columns[1:])
    table = read_table(path, classes)[classes]
    counts = table.to_numpy(np.float64)
    if not len(table) or len(table) != len(classes):
        raise InputError(
            f"{path} is damaged: it has {len(table)} rows and "
            f"{len(classes)} columns of counts"
        )
    if not (counts >= 0).all() or (counts % 1).any():
        raise InputError(f"{path} is damaged: it holds more than counts")
    return table.astype(np.int64)


def _read_bins(path: Path) -> pd.DataFrame:
    bins = read_table(
        path, ["lower", "upper", "images", "confidence", "accuracy"]
    )
    if bins.empty:
        raise InputError(f"{path} is missing or empty; a test leaves one")
    return bins


def main(args: list[str]) -> None:
    """Draws one training."""
    if len(args) != 1:
        raise InputError(
            "name one run folder: python -m experiments.plot_final FINAL"
        )
    formats = pictures.read()
    for path in plot_final(Path(args[0]), formats):
        print(f"wrote {path}")


def cli() -> None:
    """Console entry point."""
    pictures.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
