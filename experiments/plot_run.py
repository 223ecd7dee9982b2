"""Draws a search: what it measured, what it learned, what it found.

  python -m experiments.plot_run RUN
  python -m experiments.plot_run RUN --window=100 --format=png,pdf

Reads the files of the run folder only; a run may still be going.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from experiments import launch, pictures, plot_mlpnas
from nascore.errors import InputError
from nascore.runs.reader import RunRecords, read_run
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.perceptrons import MlpSpace
from nascore.spaces.recurrent import RecurrentSpace

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    if run.evaluations.empty:
        raise InputError(
            f"{run_dir} has no evaluated architecture yet; nothing to draw"
        )
    out = run_dir / "plots"
    # All is drawn before anything is written.
    figures = list(_figures(run, window, top))
    written = pictures.write(figures, out, formats)
    if isinstance(run.space, MlpSpace):
        written += plot_mlpnas.plot_run(run_dir, formats)
    if isinstance(run.space, CellSpace):
        written += _write_dot(run, run.space, out, top)
    return written


def _write_dot(
    run: RunRecords, space: CellSpace, out: Path, top: int
) -> list[Path]:
    """Writes the best cells in the language of Graphviz."""
    from nascore.drawing.cells import to_dot

    architectures = [
        to_dot(space.parse(entry["architecture"]), space)
        for entry in (run.derived or run.best)[:top]
    ]
    if not architectures:
        return []
    path = out / "best_cells.dot"
    path.write_text("\n".join(architectures), encoding="utf-8")
    return [path]


def _figures(
    run: RunRecords, window: int, top: int
) -> Iterator[tuple[str, Figure]]:
    # They import the libraries that draw: after the arguments were checked.
    from experiments.figures import (
        beside_table,
        cells,
        embeddings,
        macro,
        mixtures,
        populations,
        recurrent,
        runs,
        tabulated,
    )

    layout = mixtures.layout_of(run)
    if layout:
        yield from mixtures.draw(run, layout, window)
    else:
        yield from runs.draw(run, window)
    if populations.has_population(run):
        yield from populations.draw(run)
    if embeddings.has_path(run):
        yield from embeddings.draw(run, window)
    if isinstance(run.space, CellSpace):
        yield from cells.draw(run, top)
    elif isinstance(run.space, MacroSpace):
        yield from macro.draw(run, run.space, window, top)
    elif run.has_bench201_weights:
        yield from beside_table.draw(run, top)
    elif isinstance(run.space, Bench201Space):
        yield from tabulated.draw(run, top)
    elif isinstance(run.space, RecurrentSpace):
        yield from recurrent.draw(run, run.space, top)


def main(args: list[str]) -> None:
    """Draws the run that the argument names."""
    if len(args) != 1:
        raise InputError(
            "name one run folder: "
            "python -m experiments.plot_run RUN [--window=100]"
        )
    formats = pictures.read()
    run_dir = Path(args[0])
    for path in plot_run(run_dir, flags.FLAGS.window, flags.FLAGS.top, formats):
        print(f"wrote {path}")


def define() -> None:
    """Defines the flags."""
    flags.DEFINE_integer("window", 100, "Points of a moving average.", 1)
    flags.DEFINE_integer("top", 3, "Best architectures to draw.", 0)
    pictures.define()


def cli() -> None:
    """Console entry point."""
    define()
    launch.run(main)


if __name__ == "__main__":
    cli()
