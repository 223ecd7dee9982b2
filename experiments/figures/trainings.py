"""The figures of a final training."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

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

_TRAINING: dict[str, Any] = {"color": VERMILLION, "linestyle": "--"}
_VALIDATION: dict[str, Any] = {"color": BLUE, "linestyle": "-"}


def title_of(settings: dict[str, Any]) -> str:
    """Of the learning curve: on what, and from which weights."""
    config = settings.get("config", {})
    taken = config.get("init_from_supernet")
    start = "the supernet's weights" if taken else "scratch"
    name = plain_text(str(config.get("dataset", "?")))
    return f"Final training on {name}, from {start}"


@styled
def plot_curve(epochs: pd.DataFrame, title: str) -> Figure:
    """Accuracy, loss and learning rate by epoch."""
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
def plot_confusion(confusion: pd.DataFrame, title: str) -> Figure:
    """How many images of each class went to which."""
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
def plot_calibration(bins: pd.DataFrame, error: float) -> Figure:
    """Accuracy by confidence; `error` is the calibration error."""
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
