"""Draws what a folder holds: a search, a training, a comparison.

  python -m experiments.plot RUN --format=png,pdf
  python -m experiments.plot REPORT --targets=0.5,0.8

Each kind has settings of its own: name the folder before --help to see
those. Pictures go into the folder; a run may still be going.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments import launch, plot_comparison, plot_run
from nascore.errors import InputError
from nascore.paths import expand
from nascore.runs.config import FINAL_METHOD
from nascore.runs.json_files import read_object


def script_of(folder: Path) -> str:
    """The script that draws a folder.

    Raises:
      InputError: it holds nothing that could be drawn.
    """
    settings = folder / "config.json"
    if not settings.is_file():
        # Imports the libraries that draw.
        from experiments.comparison.report import ROWS

        if (folder / ROWS).is_dir():
            return "plot_comparison"
        raise InputError(
            f"{folder} holds no run and no comparison: it has neither "
            f"config.json nor the folder {ROWS}"
        )
    final = read_object(settings).get("method") == FINAL_METHOD
    return "plot_final" if final else "plot_run"


def _folder(argv: Sequence[str]) -> Path | None:
    """The folder that a command line names, if there is one."""
    words = [expand(word) for word in argv[1:] if word[:1] != "-"]
    return next((Path(word) for word in words if Path(word).is_dir()), None)


def main(args: list[str]) -> None:
    """Says what is missing, or what is no folder of ours."""
    if len(args) != 1:
        raise InputError("name one folder: python -m experiments.plot FOLDER")
    folder = Path(args[0])
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    script_of(folder)


def cli() -> None:
    """Console entry point."""
    script = ""
    try:
        folder = _folder(sys.argv)
        script = script_of(folder) if folder else ""
    except InputError:
        pass  # Said below, where faults are said.
    if script:
        importlib.import_module(f"experiments.{script}").cli()
    else:
        plot_run.define()
        plot_comparison.define_targets()
        launch.run(main)


if __name__ == "__main__":
    cli()
