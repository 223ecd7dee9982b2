"""Draws a run of MLPNAS: its learning curve and the comparison.

  python -m experiments.plot_mlpnas RUN
  python -m experiments.plot_mlpnas RUN --format=png,pdf

Reads the files of the run folder only; a run may still be going.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments import launch, pictures
from mlpnas.config import COMPETITORS, FINAL_FILE
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
    # What draws is imported where it draws, after the arguments were checked.
    from experiments.comparison.methods import look_of, method_of
    from experiments.figures import perceptrons
    from nascore.drawing.style import plain_text

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
    figures = {"learning_curve": perceptrons.plot_curve(candidates, name)}
    if candidates["predicted"].notna().any():
        figures["predictor"] = perceptrons.plot_predictor(candidates, name)
    final = read_end(run_dir / FINAL_FILE)
    if final is not None:
        rows = _list_accuracies(final, run_dir / FINAL_FILE)
        figures["accuracies"] = perceptrons.plot_bars(rows, name)
    return pictures.write(figures.items(), run_dir / "plots", formats)


def _list_accuracies(
    final: dict[str, Any], path: Path
) -> list[tuple[str, float, float]]:
    """Name, validation and test accuracy of the best and its competitors.

    Raises:
      InputError: the file is damaged.
    """
    from nascore.drawing.style import plain_text

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


def main(args: list[str]) -> None:
    """Draws the run that the argument names."""
    if len(args) != 1:
        raise InputError(
            "name one run folder: python -m experiments.plot_mlpnas RUN"
        )
    formats = pictures.read()
    for path in plot_run(Path(args[0]), formats):
        print(f"wrote {path}")


def cli() -> None:
    """Console entry point."""
    pictures.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
