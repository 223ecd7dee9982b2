"""Reads a run folder, also of a run that is still going or was cut off."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nascore.config import check_kind, show
from nascore.errors import InputError
from nascore.paths import quote
from nascore.runs.config import SEARCH_END
from nascore.runs.csv_files import read_table
from nascore.runs.json_files import look_up, read_object
from nascore.runs.versions import read_config
from nascore.spaces import kinds
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.chain import ChainSpace
from nascore.spaces.darts_cells import DartsSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.space import Space

if TYPE_CHECKING:
    import pandas as pd

_PLACE = ("epoch", "step")


@dataclasses.dataclass(frozen=True)
class RunRecords:
    """What a search has written so far.

    Attributes:
      path: the run folder.
      settings: the content of `config.json`.
      space: its search space.
      measures: what its architectures are ranked by, and the column of it.
      evaluations: a row for each evaluated architecture.
      child: a row for each training step of shared weights.
      epochs: a row for each finished epoch.
      best: the best architectures seen, best first.
      derived: the final ranking; empty until the run is finished.
    """

    path: Path
    settings: dict[str, Any]
    space: Space
    measures: str
    evaluations: pd.DataFrame
    child: pd.DataFrame
    epochs: pd.DataFrame
    best: list[dict[str, Any]]
    derived: list[dict[str, Any]]

    @property
    def cells(self) -> CellSpace:
        """The search space of a search of cells.

        Raises:
          InputError: it is of another kind.
        """
        if not isinstance(self.space, CellSpace):
            raise InputError(
                f"{self.path} is a search of {self.space.kind}; this needs "
                "one of cells, such as those of ENAS and I-ENAS"
            )
        return self.space

    @property
    def has_bench201_weights(self) -> bool:
        """Whether it trained weights for NAS-Bench-201's cells."""
        own = "kernel_init" in self.settings["config"]
        return isinstance(self.space, Bench201Space) and own

    @property
    def trainable(self) -> Space:
        """That of a search whose architectures can be trained for themselves.

        Raises:
          InputError: it is of another kind.
        """
        if self._is_no_cell or isinstance(self.space, ChainSpace):
            return self.space
        return self.cells

    @property
    def measurable(self) -> Space:
        """That of a search whose weights can be loaded by themselves.

        Raises:
          InputError: it is of another kind.
        """
        return self.space if self._is_no_cell else self.shared_cells

    @property
    def _is_no_cell(self) -> bool:
        """Whether it has shared weights of a network without ENAS's cells."""
        return isinstance(self.space, MacroSpace) or self.has_bench201_weights

    @property
    def shared_cells(self) -> CellSpace:
        """That of a search whose weights can be loaded by themselves.

        Raises:
          InputError: it is of another kind.
        """
        space = self.cells
        inherit = self.settings["config"].get("inherit", "shared")
        other = ""
        if len(space.cell_types) == 1:
            other = "RENAS, whose weights"
        elif isinstance(space, DartsSpace):
            other = "DARTS, whose mixed weights"
        elif inherit != "shared":
            other = "own weights, which"
        if other:
            raise InputError(
                f"{self.path} is a search of {other} are not those of ENAS's "
                "network; train what it found from scratch: python -m "
                f"experiments.train_final --from_run={quote(str(self.path))}"
            )
        return space


def read_run(path: Path) -> RunRecords:
    """Reads the folder of a search.

    Raises:
      InputError: it is no such folder, or its files are damaged.
    """
    if not path.is_dir():
        raise InputError(f"{path} is not a folder")
    settings = read_config(path / "config.json")
    space = read_space(settings, path / "config.json")
    _check_settings(settings, path / "config.json")
    measures = read_measure(settings, path / "config.json")
    file = evaluations_file(path)
    evaluations = read_table(
        file,
        [*_PLACE, measures],
        space.column_names,
        optional=["reward", "entropy", "baseline"],
    )
    check_architectures(evaluations, space, file)
    return RunRecords(
        path,
        settings,
        space,
        measures,
        evaluations,
        read_table(
            path / "child.csv",
            [*_PLACE, "loss", "learning_rate"],
            space.column_names,
            optional=["accuracy", "perplexity"],
        ),
        read_table(
            path / "epochs.csv",
            ["epoch", f"{measures}_mean"],
            optional=[
                f"{measures}_std",
                "validation_accuracy",
                "search_test_accuracy",
                "validation_score",
                "seconds",
            ],
        ),
        _read_ranking(path / "best_architectures.json", space, measures),
        _read_ranking(path / SEARCH_END, space),
    )


def read_measure(settings: Any, file: Path) -> str:
    """What the architectures of a run are ranked by.

    Former versions did not say it: the accuracy of cells, the score of
    perceptrons.
    """
    former = "accuracy" if settings["space"].get("operations") else "score"
    what = f"{file} is damaged: 'measures'"
    return check_kind(settings.get("measures", former), str, what)


def evaluations_file(path: Path) -> Path:
    """The table of evaluated architectures, under the name that it has.

    Runs of former versions called it after what had proposed or trained them.
    """
    names = ("evaluations.csv", "controller.csv", "candidates.csv")
    files = [path / name for name in names]
    return next((file for file in files if file.exists()), files[0])


def is_ranked(run: RunRecords) -> bool:
    """Whether a search has the ranking of all its epochs so far.

    It need not be finished: one that was cut short is ranked, too.
    """
    end = read_end(run.path / SEARCH_END)
    return end is not None and end["epochs"] >= len(run.epochs)


def read_settings(path: Path, method: str = "") -> dict[str, Any]:
    """Reads the `config.json` of a run folder.

    Args:
      path: the folder.
      method: what the run must be of, such as `final training`.

    Raises:
      InputError: it is missing or damaged, or of another method.
    """
    settings = read_config(path / "config.json")
    _check_settings(settings, path / "config.json")
    if method and settings.get("method") != method:
        raise InputError(
            f"{path} holds a run of {show(settings.get('method'))}, not of "
            f"{method}"
        )
    return settings


def _check_settings(settings: dict[str, Any], file: Path) -> None:
    look_up(settings, file, "config", dict)
    # What the end of the run is told by.
    look_up(settings, file, "config.epochs", int)


def read_end(path: Path) -> dict[str, Any] | None:
    """Reads the JSON file that a run ends with; None if there is none yet.

    Raises:
      InputError: it is damaged.
    """
    if not path.exists():
        return None
    end = read_object(path)
    look_up(end, path, "epochs", int)
    return end


def read_space(settings: Any, file: Path) -> Space:
    """The search space that a `config.json` names.

    Raises:
      InputError: it lacks one, or it is none that is known.
    """
    try:
        return kinds.from_fields(look_up(settings, file, "space", dict))
    except InputError as error:
        raise InputError(f"{file} lacks the search space: {error}") from None


def settings_with(run: RunRecords, data_dir: str) -> dict[str, Any]:
    """The settings of a run whose data set may have moved.

    Args:
      run: the run.
      data_dir: where its data set is now; empty: where it was.
    """
    settings = run.settings["config"]
    return {**settings, "data_dir": data_dir} if data_dir else settings


def check_same_data(run: RunRecords, fingerprint: str) -> None:
    """Raises InputError if these are not the images the run learned from."""
    file = run.path / "config.json"
    own = look_up(run.settings, file, "data.fingerprint", str)
    if own != fingerprint:
        raise InputError(
            f"{run.path} searched on other images (fingerprint {own}, now "
            f"{fingerprint}); say with --data_dir where its data set is now, "
            "or bring it back to where --data_dir="
            f"{run.settings['config'].get('data_dir')} points"
        )


def check_architectures(table: pd.DataFrame, space: Space, path: Path) -> None:
    """Raises InputError if a row of a table is none of the space."""
    if type(space) is CellSpace:
        _check_cells(table, space, path)
        return
    names = list(space.column_names)
    for row in table[names].drop_duplicates().to_dict("records"):
        try:
            space.parse_columns(row)
        except InputError as error:
            raise InputError(
                f"{path} is damaged: {show(' '.join(row.values()))} is not "
                f"of its search space: {error}"
            ) from None


def _check_cells(table: pd.DataFrame, space: CellSpace, path: Path) -> None:
    """Cell by cell: of many architectures few cells are different."""
    for place, name in enumerate(space.cell_types):
        limits = space.choices()[place].ravel()
        for text in table[f"{name}_cell"].unique():
            words = str(text).split()
            right = len(words) == len(limits) and all(
                word.isdecimal() and len(word) < 4 and int(word) < limit
                for word, limit in zip(words, limits, strict=True)
            )
            if not right:
                raise InputError(
                    f"{path} is damaged: {show(text)} is no {name} cell of "
                    "its search space"
                )


def _read_ranking(
    path: Path, space: Space, measures: str = ""
) -> list[dict[str, Any]]:
    """Reads a ranking; no file means that it is empty.

    Args:
      path: the file.
      space: of its architectures.
      measures: what each is ranked by; of a final ranking it is the first
        number of each.
    """
    if not path.exists():
        return []
    content = read_object(path) if measures else read_end(path)
    entries = look_up(content, path, "architectures", list)
    for place, entry in enumerate(entries, 1):
        what = f"{path} is damaged: entry {place}"
        check_kind(entry, dict, what)
        look_up(entry, path, "rank", int)
        for name in [measures] if measures else numbers_of(entry, space):
            look_up(entry, path, name, float)
        try:
            space.parse(look_up(entry, path, "architecture", str))
        except InputError as error:
            raise InputError(f"{what}: {error}") from None
    return entries


def numbers_of(entry: Mapping[str, Any], space: Space) -> list[str]:
    """Names of what a final ranking says of each; the first one ranks."""
    if isinstance(space, CellSpace):
        return ["validation_accuracy", "search_test_accuracy"]
    return [name for name in entry if name not in ("rank", "architecture")]
