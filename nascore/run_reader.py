"""Reads a run folder, also of a run that is still going or was cut off."""

import dataclasses
import io
from pathlib import Path
from typing import Any

import pandas as pd

from nascore.cells import CellSpace
from nascore.errors import InputError
from nascore.files import read_json
from nascore.runs import SEARCH_END


@dataclasses.dataclass(frozen=True)
class RunRecords:
    """What a run has written so far.

    Attributes:
      path: the run folder.
      settings: the content of `config.json`.
      space: its search space.
      controller: a row for each evaluated architecture.
      child: a row for each training step.
      epochs: a row for each finished epoch.
      best: the best architectures seen, best first.
      derived: the final ranking; empty until the run is finished.
    """

    path: Path
    settings: dict[str, Any]
    space: CellSpace
    controller: pd.DataFrame
    child: pd.DataFrame
    epochs: pd.DataFrame
    best: list[dict[str, Any]]
    derived: list[dict[str, Any]]


def read_run(path: Path) -> RunRecords:
    """Reads a run folder.

    Raises:
      InputError: it is no run folder, or its files are damaged.
    """
    if not path.is_dir():
        raise InputError(f"{path} is not a folder")
    settings = read_json(path / "config.json")
    try:
        space = CellSpace(
            tuple(settings["space"]["operations"]),
            settings["space"]["num_nodes"],
            tuple(settings["space"]["cell_types"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path / 'config.json'} lacks the search space: {error!r}"
        ) from None
    cells = [f"{name}_cell" for name in space.cell_types]
    place = ["epoch", "step"]
    return RunRecords(
        path,
        settings,
        space,
        read_table(
            path / "controller.csv",
            [*place, *cells, "accuracy", "reward", "baseline", "entropy"],
        ),
        read_table(
            path / "child.csv",
            [*place, *cells, "loss", "accuracy", "learning_rate"],
        ),
        read_table(
            path / "epochs.csv",
            [
                "epoch",
                "accuracy_mean",
                "accuracy_std",
                "validation_accuracy",
                "search_test_accuracy",
            ],
        ),
        _read_ranking(path / "best_architectures.json"),
        _read_ranking(path / SEARCH_END),
    )


def check_same_data(run: RunRecords, fingerprint: str) -> None:
    """Raises InputError if these are not the images the run learned from."""
    own = run.settings.get("data", {}).get("fingerprint")
    if own != fingerprint:
        raise InputError(
            f"{run.path} searched on other images (fingerprint {own}, now "
            f"{fingerprint}); bring its data set back to where "
            f"--data_dir={run.settings['config'].get('data_dir')} points"
        )


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """Reads the whole lines of a CSV file; no file means no rows."""
    if not path.exists():
        return pd.DataFrame(columns=columns)
    text = path.read_text(encoding="utf-8", errors="replace")
    # A line without its end is still being written, or was cut off.
    text = text[: text.rfind("\n") + 1]
    if not text:
        return pd.DataFrame(columns=columns)
    try:
        table = pd.read_csv(io.StringIO(text))
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is damaged: {error}") from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path} lacks the column {', '.join(missing)}")
    return table


def _read_ranking(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    ranking = read_json(path)
    try:
        return list(ranking["architectures"])
    except (KeyError, TypeError):
        raise InputError(f"{path} lacks its architectures") from None
