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

_TRAINING: dict[str, Any] = {"color": "#777777", "linestyle": "--"}
_VALIDATION: dict[str, Any] = {"color": "#1b4f8f", "linestyle": "-"}


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
    read_settings(run_dir, FINAL_METHOD)
    epochs = read_table(
        run_dir / "epochs.csv",
        ["epoch", "loss", "accuracy", "learning_rate"],
        optional=["validation_loss", "validation_accuracy"],
    )
    if epochs.empty:
        raise InputError(f"{run_dir} has no finished epoch yet")
    # All is read before anything is written.
    figures = list(_figures(run_dir, epochs))
    return pictures.write(figures, run_dir / "plots", formats)


def _figures(
    run_dir: Path, epochs: pd.DataFrame
) -> Iterator[tuple[str, Figure]]:
    yield "learning_curve", _plot_curve(epochs)
    path = run_dir / FINAL_END
    test = read_end(path)
    if test is not None:
        accuracy = look_up(test, path, "accuracy", float)
        error = look_up(test, path, "calibration_error", float)
        confusion = _read_confusion(run_dir / "confusion.csv")
        title = f"Official test set, accuracy {accuracy:.2%}"
        if "without_rewarded_images" in test:
            rest = look_up(
                test, path, "without_rewarded_images.accuracy", float
            )
            title += f"; {rest:.2%} where\nimages chose no architecture"
        yield "confusion", _plot_confusion(confusion, title)
        bins = _read_bins(run_dir / "calibration.csv")
        yield "calibration", _plot_calibration(bins, error)


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


def _plot_curve(epochs: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 6.4), layout="constrained")
    above, middle, below = figure.subplots(
        3, 1, sharex=True, height_ratios=[3, 3, 1]
    )
    number = epochs["epoch"] + 1
    for axes, name in ((above, "accuracy"), (middle, "loss")):
        axes.plot(number, epochs[name], label="training", **_TRAINING)
        if f"validation_{name}" in epochs:
            values = epochs[f"validation_{name}"]
            axes.plot(number, values, label="validation", **_VALIDATION)
        axes.set_ylabel(name if name == "accuracy" else "cross entropy, nats")
        axes.grid(alpha=0.3)
        axes.legend()
    below.plot(number, epochs["learning_rate"], color="#333333")
    below.set_ylabel("learning rate")
    below.set_xlabel("epoch")
    below.grid(alpha=0.3)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle("Final training from scratch")
    return figure


def _plot_confusion(confusion: pd.DataFrame, title: str) -> Figure:
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    from nascore.drawing.cells import plain_text

    classes = len(confusion)
    # A file may name any number of classes.
    side = min(max(4.8, 0.55 * classes + 2), 60)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    counts = confusion.to_numpy()
    names = [plain_text(name, 30) for name in confusion]
    ConfusionMatrixDisplay(counts, display_labels=names).plot(
        ax=axes,
        cmap="Blues",
        colorbar=False,
        xticks_rotation=45 if classes <= 30 else 90,
        include_values=classes <= 30,
        values_format="d",
        # The diagonal would leave all errors white.
        im_kw={"norm": "symlog"} if counts.max() else {},
    )
    axes.set_title(title)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("class")
    return figure


def _plot_calibration(bins: pd.DataFrame, error: float) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.8, 4.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    width = bins["upper"] - bins["lower"]
    above.bar(
        bins["lower"],
        bins["accuracy"],
        width,
        align="edge",
        color="#a6cee3",
        edgecolor="#333333",
        label="accuracy in the bin",
    )
    above.plot(
        bins["confidence"],
        bins["confidence"],
        color="#333333",
        marker="o",
        linestyle="--",
        label="as confident as accurate",
    )
    above.set_ylabel("accuracy")
    above.set_title(f"Calibration on the test set, error {error:.4f}")
    figure.legend(loc="outside lower center")
    below.bar(
        bins["lower"],
        np.maximum(bins["images"], 1),
        width,
        align="edge",
        color="#d9d9d9",
        edgecolor="#333333",
    )
    below.set_yscale("log")
    below.set_ylabel("images")
    below.set_xlabel("confidence")
    below.set_xlim(0, 1)
    return figure


def main(args: list[str]) -> None:
    """Draws one training."""
    if len(args) != 1:
        raise InputError("name one run folder: plot_final FINAL")
    formats = pictures.read()
    for path in plot_final(Path(args[0]), formats):
        print(f"wrote {path}")


def cli() -> None:
    """Console entry point."""
    pictures.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
