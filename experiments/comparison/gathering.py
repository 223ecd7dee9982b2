"""Gathers the rows of a report from run folders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.comparison.checks import check_settings
from experiments.comparison.methods import in_order, look_of, method_of
from experiments.comparison.rows import KEY, Rows, with_images
from nascore.errors import InputError
from nascore.runs.csv_files import read_table
from nascore.runs.folder import differences, is_finished
from nascore.runs.reader import RunRecords, read_run

# What makes the methods, or changes no result.
_OWN_SETTINGS = (
    "seed",
    "controller",
    "reward_rule",
    "reward_window",
    "reward_threshold",
    "data_dir",
)


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
    return with_images(
        read_table(
            run.path / "rank_check.csv",
            ["shared_accuracy", "standalone_accuracy"],
            ["architecture"],
        )
    )
