"""Draws a run of MLPNAS: its learning curve and the comparison.

  python -m experiments.plot_mlpnas RUN [--format=png,pdf]

Reads the files of the run folder only; a run may still be going.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments import launch, pictures
from experiments.comparison.methods import look_of, method_of
from mlpnas.competitors import TITLES
from mlpnas.config import FINAL_FILE
from nascore.drawing.style import (
    BLACK,
    BLUE,
    POINTS,
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
from nascore.runs.csv_files import read_table
from nascore.runs.json_files import look_up
from nascore.runs.reader import evaluations_file, read_end, read_settings


def plot_run(run_dir: Path, formats: Sequence[str] = ("png",)) -> list[Path]:
    """Draws a run into its folder `plots`.

    Args:
      run_dir: the run folder.
      formats: of `png`, `pdf` and `svg`.

    Returns:
      The files written.

    Raises:
      InputError: no run folder, or nothing in it to draw yet.
    """
    settings = read_settings(run_dir)
    candidates = read_table(
        evaluations_file(run_dir), ["epoch", "score", "predicted"]
    )
    if candidates.empty:
        raise InputError(f"{run_dir} has no trained architecture yet")
    name = plain_text(
        f"{look_of(method_of(settings)).title} on "
        f"{settings['config'].get('dataset')}, seed "
        f"{settings['config'].get('seed')}"
    )
    figures = {"learning_curve": _plot_curve(candidates, name)}
    if candidates["predicted"].notna().any():
        figures["predictor"] = _plot_predictor(candidates, name)
    final = read_end(run_dir / FINAL_FILE)
    if final is not None:
        rows = _list_accuracies(final, run_dir / FINAL_FILE)
        figures["accuracies"] = _plot_bars(rows, name)
    return pictures.write(figures.items(), run_dir / "plots", formats)


@styled
def _plot_curve(candidates: pd.DataFrame, name: str) -> Figure:
    """Scores of all candidates; their mean and the best, by epoch."""
    figure, (axes,) = make_figure()
    epochs = candidates["epoch"] + 1
    scores = candidates["score"]
    axes.scatter(epochs, scores, **{**POINTS, "s": 8}, label="an architecture")
    means = scores.groupby(epochs).mean()
    axes.plot(means, color=BLUE, marker="o", ms=3, label="mean")
    best = scores.groupby(epochs).max().cummax()
    axes.plot(
        best,
        color=VERMILLION,
        linestyle="--",
        marker="D",
        ms=3,
        label="best so far",
    )
    axes.set_xlabel("epoch of the controller")
    axes.set_ylabel("score (validation)")
    axes.set_title(name)
    count_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    add_legend(figure)
    return figure


@styled
def _plot_predictor(candidates: pd.DataFrame, name: str) -> Figure:
    """Predicted before training against measured, from the second epoch."""
    figure, (axes,) = make_figure()
    later = candidates[candidates["epoch"] > 0]
    points = axes.scatter(
        later["predicted"],
        later["score"],
        s=12,
        c=later["epoch"] + 1,
        cmap="cividis",
        label="an architecture",
    )
    bar = figure.colorbar(points, label="epoch")
    count_axis(bar.ax.yaxis)
    axes.axline(
        (0.5, 0.5), slope=1, color=BLACK, linestyle=":", label="as predicted"
    )
    axes.set_xlabel("score predicted before training")
    axes.set_ylabel("measured score")
    axes.set_title(f"{name}: predictor")
    for axis in (axes.xaxis, axes.yaxis):
        percent_axis(axis)
    add_legend(figure)
    return figure


def _list_accuracies(
    final: dict[str, Any], path: Path
) -> list[tuple[str, float, float]]:
    """Name, validation and test accuracy of the best and its competitors.

    Raises:
      InputError: the file is damaged.
    """
    own = look_up(final, path, "finetuned", dict)
    named = [("MLPNAS", own)]
    for entry in look_up(final, path, "competitors", list):
        name = look_up(entry, path, "name", str)
        named.append((TITLES.get(name, plain_text(name, 30)), entry))
    return [
        (
            title,
            look_up(entry, path, "validation_accuracy", float),
            look_up(entry, path, "test_accuracy", float),
        )
        for title, entry in named
    ]


@styled
def _plot_bars(rows: list[tuple[str, float, float]], name: str) -> Figure:
    """Accuracies of the found network and of its competitors."""
    figure, (axes,) = make_figure(height=1.5 + 0.45 * len(rows))
    for place, (_, validation, test) in enumerate(rows):
        for shift, value, color, hatch, label in (
            (-0.2, validation, SKY, "", "validation"),
            (0.2, test, BLUE, "///", "test"),
        ):
            bars = axes.barh(
                place + shift,
                value,
                0.38,
                color=color,
                hatch=hatch,
                edgecolor="white",
                label=label if place == 0 else None,
            )
            axes.bar_label(bars, [f"{value:.1%}"], padding=2, fontsize=8)
    axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
    axes.invert_yaxis()
    # There is room for a number beside a full bar, and no tick above 100%.
    axes.set_xlim(0, 1.15)
    axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    axes.grid(False, axis="y")
    percent_axis(axes.xaxis)
    axes.set_xlabel("accuracy")
    axes.set_title(name)
    add_legend(figure)
    return figure


def main(args: list[str]) -> None:
    """Draws the run that the argument names."""
    if len(args) != 1:
        raise InputError("name one run folder: plot_mlpnas RUN")
    formats = pictures.read()
    for path in plot_run(Path(args[0]), formats):
        print(f"wrote {path}")


def cli() -> None:
    """Console entry point."""
    pictures.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
