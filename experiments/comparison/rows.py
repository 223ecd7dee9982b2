"""The rows a report is made of, gathered from run folders.

A report folder keeps them as CSV files of its own, so that its tables and
figures can be made again, by us or by others, without the runs.
"""

import dataclasses
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.comparison.checks import KEY, check_rows, check_settings
from experiments.comparison.methods import in_order, look_of, method_of
from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.csv_files import check_columns, read_table
from nascore.runs.folder import differences, is_finished
from nascore.runs.json_files import look_up, read_object
from nascore.runs.reader import RunRecords, read_run, read_space
from nascore.spaces.cells import CellSpace

# What makes the methods, or changes no result.
_OWN_SETTINGS = (
    "seed",
    "controller",
    "reward_rule",
    "reward_window",
    "reward_threshold",
    "data_dir",
)
_NAMES = ("dataset", "method")
# What standalone accuracies are measured on: images that did not rank. Rows
# that do not say it were measured on the images that did.
UNRANKED = "search_test"
_RANKING = "validation"
# Columns of numbers and of texts.
_TABLES = {
    "runs.csv": (
        ["seed", "epochs", "starts"],
        ["run", "time", "tensorflow", "git_commit", "host"],
    ),
    "evaluations.csv.gz": (
        ["seed", "epoch", "step", "accuracy", "reward", "entropy"],
        [],
    ),
    "epochs.csv": (
        ["seed", "epoch", "accuracy_mean", "evaluations", "seconds"],
        [],
    ),
    "proposals.csv": (
        ["seed", "rank", "validation_accuracy", "search_test_accuracy"],
        ["architecture"],
    ),
    "rank_check.csv": (
        ["seed", "shared_accuracy", "standalone_accuracy"],
        ["architecture"],
    ),
}


@dataclasses.dataclass(frozen=True)
class Rows:
    """Everything that was measured, in long tables.

    Attributes:
      runs: a row for each run: where, when, on what.
      evaluations: a row for each evaluated architecture.
      epochs: a row for each epoch; `evaluations` and `seconds` add up from
        the run's start.
      proposals: the final rankings, with shared-weight accuracies.
      rank_check: standalone accuracies of some of the proposals, and which
        images they were `measured_on`; may be empty.
      about: by data set, the search space and the shared settings.
      notes: what a reader must know, such as runs left out.
    """

    runs: pd.DataFrame
    evaluations: pd.DataFrame
    epochs: pd.DataFrame
    proposals: pd.DataFrame
    rank_check: pd.DataFrame
    about: dict[str, Any]
    notes: list[str]

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets, in the order of the runs."""
        return list(dict.fromkeys(self.runs["dataset"]))

    def methods(self, dataset: str) -> list[str]:
        """The methods with runs on a data set, in the legend's order."""
        chosen = self.runs["dataset"] == dataset
        return in_order(list(self.runs.loc[chosen, "method"]))

    def space(self, dataset: str) -> CellSpace:
        """The search space of a data set's runs."""
        return read_space(self.about[dataset], Path("about.json"))


def gather(folders: Sequence[Path]) -> Rows:
    """Reads the finished ones of some runs.

    Raises:
      InputError: a folder that holds no run, two runs of one method, data
        set and seed, or no finished run at all.
    """
    notes: list[str] = []
    runs: dict[tuple[str, str, int], RunRecords] = {}
    for folder in folders:
        run = read_run(folder)
        check_settings(run)
        config = run.settings["config"]
        name = (config["dataset"], method_of(run.settings), config["seed"])
        if not is_finished(folder):
            notes.append(
                f"{folder.name} is not finished ({len(run.epochs)} of "
                f"{config['epochs']} epochs) and was left out"
            )
        elif name in runs:
            raise InputError(
                f"{runs[name].path} and {folder} are both runs of {name[1]} "
                f"on {name[0]} with seed {name[2]}; leave one out"
            )
        else:
            runs[name] = run
    if not runs:
        raise InputError(
            f"none of the {len(folders)} run folders is finished; nothing to "
            "compare"
        )
    runs = _sorted(runs)
    about: dict[str, Any] = {}
    for (dataset, method, seed), run in runs.items():
        if dataset not in about:
            about[dataset] = {
                "space": run.settings["space"],
                "data": run.settings["data"],
                "config": run.settings["config"],
                "random_streams": run.settings.get("random_streams", 1),
                "first": f"{method}, seed {seed}",
            }
        notes += _odd_settings(about[dataset], run, method, seed)
    notes = list(dict.fromkeys(notes))
    return Rows(
        pd.DataFrame([_describe(key, run) for key, run in runs.items()]),
        _concat(runs, _evaluations),
        _concat(runs, _epochs),
        _concat(runs, lambda run: pd.DataFrame(run.derived)),
        _concat(runs, _rank_check),
        about,
        notes,
    )


def _sorted(
    runs: dict[tuple[str, str, int], RunRecords],
) -> dict[tuple[str, str, int], RunRecords]:
    """By data set as they came, by method as in the legend, by seed."""
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in runs))
    methods = in_order([method for _, method, _ in runs])
    return dict(
        sorted(
            runs.items(),
            key=lambda item: (
                datasets.index(item[0][0]),
                methods.index(item[0][1]),
                item[0][2],
            ),
        )
    )


def _odd_settings(
    about: dict[str, Any], run: RunRecords, method: str, seed: int
) -> list[str]:
    """Says where a run is no fair opponent of the first one."""
    dataset = run.settings["config"]["dataset"]
    old, new = about["config"], run.settings["config"]
    # A setting that one of them does not name came later: it ran without.
    unknown = set(old) ^ set(new)
    changed = differences(
        {**old, **_beside(about)},
        {**new, **_beside(run.settings)},
        {*_OWN_SETTINGS, *unknown},
    )
    if not changed:
        return []
    return [
        f"{dataset}: the settings of {look_of(method).title} differ from "
        f"those of {about['first']}: {'; '.join(changed)}"
    ]


def _beside(settings: dict[str, Any]) -> dict[str, Any]:
    """What makes a run another one beside its configuration."""
    return {
        "images": settings["data"].get("fingerprint"),
        # Runs that name none drew the first.
        "random streams": settings.get("random_streams", 1),
    }


def _describe(key: tuple[str, str, int], run: RunRecords) -> dict[str, Any]:
    start = run.settings["starts"][0]
    return {
        **dict(zip(KEY, key, strict=True)),
        "run": run.path.name,
        "epochs": len(run.epochs),
        "starts": len(run.settings["starts"]),
        "time": start["time"],
        "tensorflow": start["versions"].get("tensorflow"),
        "git_commit": start["git_commit"],
        "host": start["host"],
        "devices": " + ".join(map(str, run.settings["devices"])),
        "command": " ".join(map(str, start["command"])),
    }


def _concat(runs: dict[tuple[str, str, int], RunRecords], read: Any) -> Any:
    """Joins a table of all runs, keyed by data set, method and seed."""
    tables = []
    for key, run in runs.items():
        table = read(run)
        for place, (name, value) in enumerate(zip(KEY, key, strict=True)):
            table.insert(place, name, value)
        tables.append(table)
    filled = [table for table in tables if len(table)]
    return pd.concat(filled or tables[:1], ignore_index=True)


def _evaluations(run: RunRecords) -> pd.DataFrame:
    unused = ["seconds", "log_prob"]
    return run.controller.drop(columns=unused, errors="ignore")


def _epochs(run: RunRecords) -> pd.DataFrame:
    table = run.epochs.copy()
    per_epoch = run.controller.groupby("epoch")["accuracy"].size()
    table["evaluations"] = np.cumsum(
        table["epoch"].map(per_epoch).fillna(0).to_numpy()
    ).astype(int)
    table["seconds"] = table["seconds"].cumsum()
    return table


def _rank_check(run: RunRecords) -> pd.DataFrame:
    return _with_images(
        read_table(
            run.path / "rank_check.csv",
            ["shared_accuracy", "standalone_accuracy"],
            ["architecture"],
        )
    )


def _with_images(rank_check: pd.DataFrame) -> pd.DataFrame:
    """Fills in what standalone accuracies were measured on."""
    known = rank_check.get("measured_on", pd.Series(dtype=str))
    images = known.reindex(rank_check.index).fillna(_RANKING).astype(str)
    return rank_check.assign(measured_on=images)


def save(rows: Rows, folder: Path) -> None:
    """Writes the rows into a report folder.

    Raises:
      InputError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _TABLES:
            table = getattr(rows, name.partition(".")[0])
            options: dict[str, Any] = {}
            if name.endswith(".gz"):
                # Without the time of writing: the same rows, the same bytes.
                options["compression"] = {"method": "gzip", "mtime": 1}
            table.to_csv(
                folder / name, index=False, float_format="%.6g", **options
            )
        write_json(
            folder / "about.json", {"about": rows.about, "notes": rows.notes}
        )
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from None


def load(folder: Path) -> Rows:
    """Reads the rows of a report folder.

    Raises:
      InputError: it holds no report, or its files are damaged.
    """
    path = folder / "about.json"
    if not path.exists():
        raise InputError(f"{folder} holds no rows of a comparison")
    content = read_object(path)
    about = look_up(content, path, "about", dict)
    notes = look_up(content, path, "notes", list)
    tables = {
        name.partition(".")[0]: _load_table(folder / name, *columns)
        for name, columns in _TABLES.items()
    }
    tables["rank_check"] = _with_images(tables["rank_check"])
    rows = Rows(**tables, about=about, notes=[str(note) for note in notes])
    check_rows(rows, folder)
    return rows


def _load_table(
    path: Path, numbers: list[str], texts: list[str]
) -> pd.DataFrame:
    if not path.exists():
        raise InputError(f"{path} does not exist; is {path.parent} whole?")
    try:
        # A commit such as 12e4567 is no number.
        table = pd.read_csv(path, dtype={"git_commit": str}, low_memory=False)
    except (
        OSError,
        EOFError,
        ValueError,
        OverflowError,
        zlib.error,
    ) as error:
        raise InputError(f"{path} is damaged: {error}") from None
    check_columns(table, path, numbers, [*_NAMES, *texts])
    return table
