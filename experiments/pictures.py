"""Writing figures in the formats that the user asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from nascore.errors import InputError
from nascore.runs.atomic import placing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")


def define(default: Sequence[str] = ("png",)) -> None:
    """Defines `--format`."""
    flags.DEFINE_list("format", list(default), f"Of {', '.join(FORMATS)}.")


def read() -> list[str]:
    """Reads `--format`.

    Raises:
      InputError: an unknown format, or none.
    """
    formats = flags.FLAGS.format
    if not formats or any(name not in FORMATS for name in formats):
        raise InputError(
            f"--format={','.join(formats)} must be of {', '.join(FORMATS)}"
        )
    return formats


def write(
    figures: Iterable[tuple[str, Figure]], folder: Path, formats: Sequence[str]
) -> list[Path]:
    """Writes named figures into a folder; returns the files.

    Raises:
      InputError: the folder cannot be written.
    """
    from nascore.drawing.style import save

    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures:
            for suffix in formats:
                path = folder / f"{name}.{suffix}"
                with placing(path) as partial:
                    save(figure, partial)
                written.append(path)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from None
    return written
