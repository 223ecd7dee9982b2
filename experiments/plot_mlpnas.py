"""Draws a run of MLPNAS: its learning curve and the comparison.

  python -m experiments.plot_mlpnas RUN
  python -m experiments.plot_mlpnas RUN --format=png,pdf

Reads the files of the run folder only; a run may still be going.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import launch, pictures
from mlpnas.config import COMPETITORS, FINAL_FILE
from nascore.errors import InputError
from nascore.runs.csv_files import read_table
from nascore.runs.json_files import look_up
from nascore.runs.reader import evaluations_file, read_end, read_settings

# What draws is imported where it draws, after the arguments were checked.
if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# Readable in gray: points light, lines dark, styles different.
_DARK, _ORANGE, _GRAY = "#1b4f8f", "#d95f02", "#9a9a9a"


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
    from nascore.drawing.cells import plain_text

    settings = read_settings(run_dir)
    candidates = read_table(
        evaluations_file(run_dir), ["epoch", "score", "predicted"]
    )
    if candidates.empty:
        raise InputError(f"{run_dir} has no trained architecture yet")
    name = plain_text(
        f"{settings.get('method', 'search')} on "
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


def _figure(title: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(title, fontsize=10)
    return figure, axes


def _plot_curve(candidates: pd.DataFrame, name: str) -> Figure:
    """Scores of all candidates; their mean and the best, by epoch."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure, axes = _figure(name)
    epochs = candidates["epoch"] + 1
    scores = candidates["score"]
    axes.scatter(epochs, scores, s=8, color=_GRAY, label="an architecture")
    means = scores.groupby(epochs).mean()
    axes.plot(means, color=_DARK, marker="o", ms=3, label="mean")
    best = scores.groupby(epochs).max().cummax()
    axes.plot(
        best, color=_ORANGE, linestyle="--", marker="D", ms=3, label="best"
    )
    axes.set_xlabel("epoch of the controller")
    axes.set_ylabel("score (validation)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(fontsize=8)
    return figure


def _plot_predictor(candidates: pd.DataFrame, name: str) -> Figure:
    """Predicted before training against measured, from the second epoch."""
    figure, axes = _figure(f"{name}: predictor")
    later = candidates[candidates["epoch"] > 0]
    points = axes.scatter(
        later["predicted"],
        later["score"],
        s=10,
        c=later["epoch"] + 1,
        cmap="viridis",
    )
    figure.colorbar(points, label="epoch")
    axes.axline((0.5, 0.5), slope=1, color=_GRAY, linestyle=":")
    axes.set_xlabel("predicted before training")
    axes.set_ylabel("measured score")
    return figure


def _list_accuracies(
    final: dict[str, Any], path: Path
) -> list[tuple[str, float, float]]:
    """Name, validation and test accuracy of the best and its competitors.

    Raises:
      InputError: the file is damaged.
    """
    from nascore.drawing.cells import plain_text

    own = look_up(final, path, "finetuned", dict)
    named = [("MLPNAS", own)]
    for entry in look_up(final, path, "competitors", list):
        name = look_up(entry, path, "name", str)
        named.append((COMPETITORS.get(name, plain_text(name, 30)), entry))
    return [
        (
            title,
            look_up(entry, path, "validation_accuracy", float),
            look_up(entry, path, "test_accuracy", float),
        )
        for title, entry in named
    ]


def _plot_bars(rows: list[tuple[str, float, float]], name: str) -> Figure:
    """Accuracies of the found network and of its competitors."""
    from matplotlib.ticker import PercentFormatter

    figure, axes = _figure(name)
    for place, (_, validation, test) in enumerate(rows):
        for shift, value, color, hatch, label in (
            (-0.2, validation, "#8fb8de", "", "validation"),
            (0.2, test, _DARK, "///", "test"),
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
            axes.bar_label(bars, [f"{value:.1%}"], padding=2, fontsize=7)
    axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("accuracy")
    figure.legend(fontsize=8, loc="outside lower center", ncols=2)
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
