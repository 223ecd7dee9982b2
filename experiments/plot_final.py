"""Draws a final training: learning curves, confusion, calibration.

  python -m experiments.plot_final FINAL [--format=png,pdf]

Reads the files of the run folder only; the training may still be going.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from experiments import launch, pictures
from nascore.drawing.style import (
    BLACK,
    BLUE,
    PALE,
    SKY,
    VERMILLION,
    add_legend,
    count_axis,
    make_figure,
    percent_axis,
    plain_text,
    styled,
)
from nascore.errors import InputError
from nascore.runs.config import FINAL_END
from nascore.runs.csv_files import read_table
from nascore.runs.json_files import look_up
from nascore.runs.reader import read_end, read_settings

_TRAINING: dict[str, Any] = {"color": VERMILLION, "linestyle": "--"}
_VALIDATION: dict[str, Any] = {"color": BLUE, "linestyle": "-"}


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
    settings = read_settings(run_dir, "final training")
    epochs = read_table(
        run_dir / "epochs.csv",
        ["epoch", "loss", "accuracy", "learning_rate"],
        optional=["validation_loss", "validation_accuracy"],
    )
    if epochs.empty:
        raise InputError(f"{run_dir} has no finished epoch yet")
    # All is read before anything is written.
    figures = list(_figures(run_dir, epochs, _title(settings)))
    return pictures.write(figures, run_dir / "plots", formats)


def _figures(
    run_dir: Path, epochs: pd.DataFrame, title: str
) -> Iterator[tuple[str, Figure]]:
    yield "learning_curve", _plot_curve(epochs, title)
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
        yield "confusion", _plot_confusion(confusion, found)
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


def _title(settings: dict[str, Any]) -> str:
    """Of the learning curve: on what, and from which weights."""
    config = settings.get("config", {})
    taken = config.get("init_from_supernet")
    start = "the supernet's weights" if taken else "scratch"
    name = plain_text(str(config.get("dataset", "?")))
    return f"Final training on {name}, from {start}"


@styled
def _plot_curve(epochs: pd.DataFrame, title: str) -> Figure:
    figure, (above, middle, below) = make_figure(
        3, height=5.6, sharex=True, height_ratios=[3, 3, 1.4]
    )
    number = epochs["epoch"] + 1
    # A single epoch is a point, and no line.
    marker: dict[str, Any] = (
        {"marker": "o", "ms": 3} if len(epochs) == 1 else {}
    )
    for axes, name in ((above, "accuracy"), (middle, "loss")):
        axes.plot(number, epochs[name], label="training", **_TRAINING, **marker)
        if f"validation_{name}" in epochs:
            values = epochs[f"validation_{name}"]
            axes.plot(
                number, values, label="validation", **_VALIDATION, **marker
            )
    below.plot(number, epochs["learning_rate"], color=BLACK, **marker)
    above.set_ylabel("accuracy")
    middle.set_ylabel("loss (nats)")
    below.set_ylabel("learning rate")
    below.set_xlabel("epoch")
    percent_axis(above.yaxis)
    count_axis(below.xaxis)
    above.set_title(title)
    add_legend(figure)
    return figure


@styled
def _plot_confusion(confusion: pd.DataFrame, title: str) -> Figure:
    classes = len(confusion)
    # A file may name any number of classes.
    side = min(max(4.8, 0.55 * classes + 2), 60)
    figure, (axes,) = make_figure(width=side, height=side)
    counts = confusion.to_numpy()
    names = [plain_text(name, 30) for name in confusion]
    display = ConfusionMatrixDisplay(counts, display_labels=names).plot(
        ax=axes,
        cmap="Blues",
        colorbar=False,
        xticks_rotation=45 if classes <= 30 else 90,
        include_values=classes <= 30,
        values_format="d",
        # The diagonal would leave all errors white.
        im_kw={"norm": "symlog"} if counts.max() else {},
    )
    if classes <= 30:
        # Readable on its own shade, which is not a linear one.
        shades = display.im_.cmap(display.im_.norm(counts))[..., :3].mean(-1)
        for text, shade in zip(display.text_.flat, shades.flat, strict=True):
            text.set_color("black" if shade > 0.55 else "white")
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.grid(False)
    axes.set_title(title)
    axes.set_xlabel("predicted class (numbers: images)")
    axes.set_ylabel("class")
    return figure


@styled
def _plot_calibration(bins: pd.DataFrame, error: float) -> Figure:
    figure, (above, below) = make_figure(
        2, height=4.6, sharex=True, height_ratios=[3, 1]
    )
    width = bins["upper"] - bins["lower"]
    above.bar(
        bins["lower"],
        bins["accuracy"],
        width,
        align="edge",
        color=SKY,
        edgecolor="black",
        linewidth=0.6,
        label="accuracy in the bin",
    )
    above.plot(
        bins["confidence"],
        bins["confidence"],
        color=BLACK,
        marker="o",
        ms=4,
        linestyle="--",
        label="as confident as accurate",
    )
    above.set_ylabel("accuracy")
    above.set_title(f"Calibration on the test set, error {error:.4f}")
    below.bar(
        bins["lower"],
        np.maximum(bins["images"], 1),
        width,
        align="edge",
        color=PALE,
        edgecolor="black",
        linewidth=0.6,
    )
    below.set_yscale("log")
    below.set_ylabel("images")
    below.set_xlabel("confidence")
    below.set_xlim(0, 1)
    for axis in (above.yaxis, below.xaxis):
        percent_axis(axis)
    add_legend(figure)
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
