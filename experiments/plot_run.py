"""Draws a run: rewards, entropy, operations, and the best cells.

  python -m experiments.plot_run RUN [--window=100] [--format=png,pdf]

Reads the files of the run folder only; a run may still be going.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments import launch, pictures
from nascore.drawing.cells import (
    draw_architecture,
    operation_label,
    plain_text,
    to_dot,
)
from nascore.errors import InputError
from nascore.runs.reader import RunRecords, read_run
from nascore.stats import moving_average

# Readable in gray: points light, lines dark, styles different.
_POINTS: dict[str, Any] = {"s": 5, "color": "#9a9a9a", "linewidths": 0}
_DARK = "#1b4f8f"
_ORANGE = "#d95f02"
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "+++", "**", "--")


def plot_run(
    run_dir: Path,
    window: int = 100,
    top: int = 3,
    formats: Sequence[str] = ("png",),
) -> list[Path]:
    """Draws a run into its folder `plots`.

    Args:
      run_dir: the run folder.
      window: points that the moving averages span.
      top: how many of the best architectures are drawn.
      formats: of `png`, `pdf` and `svg`.

    Returns:
      The files written.

    Raises:
      InputError: no run folder, or nothing in it to draw yet.
    """
    run = read_run(run_dir)
    if run.controller.empty:
        raise InputError(
            f"{run_dir} has no evaluated architecture yet; nothing to draw"
        )
    out = run_dir / "plots"
    # All is drawn before anything is written.
    figures = list(_figures(run, window, top))
    written = pictures.write(figures, out, formats)
    architectures = [
        to_dot(run.space.parse(entry["architecture"]), run.space)
        for entry in (run.derived or run.best)[:top]
    ]
    if architectures:
        path = out / "best_cells.dot"
        path.write_text("\n".join(architectures), encoding="utf-8")
        written.append(path)
    return written


def _figures(
    run: RunRecords, window: int, top: int
) -> Iterator[tuple[str, Figure]]:
    yield "accuracy", _plot_accuracy(run, window)
    yield "reward", _plot_reward(run, window)
    yield "entropy", _plot_entropy(run)
    if not run.child.empty:
        yield "child", _plot_child(run, window)
    if not run.epochs.empty:
        yield "epochs", _plot_epochs(run)
    yield "operations", _plot_operations(run)
    ranking = run.derived or run.best
    for entry in ranking[:top]:
        if run.derived:
            measured = (
                f"{entry['validation_accuracy']:.1%} of the validation set"
            )
        else:
            measured = f"{entry['accuracy']:.1%} of one validation batch"
        title = f"rank {entry['rank']}: {measured}, shared weights"
        architecture = run.space.parse(entry["architecture"])
        yield (
            f"best_cell_{entry['rank']}",
            draw_architecture(architecture, run.space, title),
        )


def _figure(rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure that stays readable 8 cm wide."""
    figure = Figure(figsize=(5.2, 3.2 * rows), layout="constrained")
    panels = list(figure.subplots(rows, 1, squeeze=False)[:, 0])
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, panels


def _name(run: RunRecords) -> str:
    config = run.settings.get("config", {})
    return plain_text(
        f"{run.settings.get('method', 'search')} on "
        f"{config.get('dataset', '?')}, seed {config.get('seed', '?')}"
    )


def _plot_accuracy(run: RunRecords, window: int) -> Figure:
    """Every evaluated architecture, after figures 6-8 of I-ENAS."""
    figure, (axes,) = _figure()
    values = run.controller["accuracy"].to_numpy()
    axes.scatter(np.arange(len(values)), values, **_POINTS, label="one batch")
    axes.plot(
        moving_average(values, window),
        color=_DARK,
        label=f"mean of the last {window}",
    )
    first = int(np.argmax(values))
    axes.plot(
        first,
        values[first],
        marker="D",
        color=_ORANGE,
        markeredgecolor="black",
        linestyle="none",
        label=f"first maximum, {values[first]:.1%}",
    )
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel("accuracy (shared weights)")
    axes.set_title(_name(run), fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _plot_reward(run: RunRecords, window: int) -> Figure:
    figure, (axes,) = _figure()
    values = run.controller["reward"].to_numpy()
    axes.scatter(np.arange(len(values)), values, **_POINTS, label="reward")
    axes.plot(
        moving_average(values, window),
        color=_DARK,
        label=f"mean of the last {window}",
    )
    # Random search has none.
    if "baseline" in run.controller:
        axes.plot(
            run.controller["baseline"].to_numpy(),
            color=_ORANGE,
            linestyle="--",
            label="baseline",
        )
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel("reward")
    axes.set_title(_name(run), fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _plot_entropy(run: RunRecords) -> Figure:
    figure, (axes,) = _figure()
    axes.plot(run.controller["entropy"].to_numpy(), color=_DARK, linewidth=1)
    choices = run.space.choices().astype(float)
    axes.axhline(
        float(np.log(choices).sum()),
        color="black",
        linestyle=":",
        label="uniform policy",
    )
    axes.set_xlabel("evaluated architecture")
    axes.set_ylabel("entropy of the policy (nats)")
    axes.set_title(_name(run), fontsize=10)
    axes.legend(fontsize=8)
    return figure


def _plot_child(run: RunRecords, window: int) -> Figure:
    figure, panels = _figure(3)
    for axes, column, label in zip(
        panels,
        ("loss", "accuracy", "learning_rate"),
        ("loss (nats)", "training batch accuracy", "learning rate"),
        strict=True,
    ):
        values = run.child[column].to_numpy()
        if column == "learning_rate":
            axes.plot(values, color=_DARK)
        else:
            axes.scatter(np.arange(len(values)), values, **_POINTS)
            axes.plot(moving_average(values, window), color=_DARK)
        axes.set_ylabel(label)
    panels[0].set_title(f"{_name(run)}: shared weights", fontsize=10)
    panels[-1].set_xlabel("training step")
    return figure


def _plot_epochs(run: RunRecords) -> Figure:
    figure, (axes,) = _figure()
    table = run.epochs
    epochs = table["epoch"] + 1
    mean, std = table["accuracy_mean"], table["accuracy_std"]
    axes.fill_between(
        epochs, mean - std, mean + std, color="#dddddd", label="+- deviation"
    )
    axes.plot(
        epochs, mean, color="black", marker="o", ms=3, label="sampled, mean"
    )
    axes.plot(
        epochs,
        table["validation_accuracy"],
        color=_DARK,
        linestyle="--",
        marker="s",
        ms=3,
        label="validation set",
    )
    axes.plot(
        epochs,
        table["search_test_accuracy"],
        color=_ORANGE,
        linestyle=":",
        marker="^",
        ms=3,
        label="search-test set",
    )
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("accuracy (shared weights)")
    axes.set_title(f"{_name(run)}: not the final accuracy", fontsize=10)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def _plot_operations(run: RunRecords) -> Figure:
    """The share of each operation, by epoch and cell type."""
    space = run.space
    figure, panels = _figure(len(space.cell_types))
    epochs = np.unique(run.controller["epoch"])
    for axes, name in zip(panels, space.cell_types, strict=True):
        shares = []
        for epoch in epochs:
            texts = run.controller.loc[
                run.controller["epoch"] == epoch, f"{name}_cell"
            ]
            ops = np.array([text.split()[1::2] for text in texts], int)
            counts = np.bincount(ops.ravel(), minlength=len(space.operations))
            shares.append(counts / counts.sum())
        bottom = np.zeros(len(epochs))
        shades = np.linspace(0.25, 0.95, len(space.operations))
        for place, operation in enumerate(space.operations):
            share = np.array([row[place] for row in shares])
            axes.bar(
                epochs + 1,
                share,
                bottom=bottom,
                width=1.0,
                color=str(shades[place]),
                hatch=_HATCHES[place % len(_HATCHES)],
                edgecolor="black",
                linewidth=0.2,
                label=operation_label(operation),
            )
            bottom += share
        axes.set_ylim(0, 1)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel(f"share, {name} cell")
        axes.grid(False)
    panels[0].set_title(f"{_name(run)}: operations", fontsize=10)
    panels[0].legend(
        fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False
    )
    panels[-1].set_xlabel("epoch")
    return figure


def main(args: list[str]) -> None:
    """Draws the run that the argument names."""
    if len(args) != 1:
        raise InputError("name one run folder: plot_run RUN [--window=100]")
    formats = pictures.read()
    run_dir = Path(args[0])
    for path in plot_run(run_dir, flags.FLAGS.window, flags.FLAGS.top, formats):
        print(f"wrote {path}")


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_integer("window", 100, "Points of a moving average.", 1)
    flags.DEFINE_integer("top", 3, "Best architectures to draw.", 0)
    pictures.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
