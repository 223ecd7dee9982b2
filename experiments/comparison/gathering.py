"""Gathers the rows of a report from run folders."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments import clock
from experiments.comparison.checks import check_settings
from experiments.comparison.methods import in_order, look_of, method_of
from experiments.comparison.rows import KEY, Rows, with_images
from experiments.reports.scores import ScoreKind, kind_of
from flags import methods
from mlpnas.config import FINAL_FILE
from nascore.errors import InputError
from nascore.runs.config import SEARCH_END
from nascore.runs.csv_files import read_table
from nascore.runs.folder import is_finished
from nascore.runs.json_files import look_up, read_object
from nascore.runs.reader import RunRecords, read_run
from nascore.runs.versions import differences
from nascore.spaces.perceptrons import MlpSpace

# What a strategy adds to an evaluation, where it has it.
_LEARNED = ("reward", "baseline", "entropy")
# What makes the methods, or changes no result.
_OWN_SETTINGS = (
    "seed",
    "controller",
    "reward_rule",
    "reward_window",
    "reward_threshold",
    "data_dir",
)


def gather(folders: Sequence[Path], max_hours: float = 0.0) -> Rows:
    """Reads the finished ones of some runs.

    A run that a comparison's limit of time has ended is finished, too.

    Args:
      folders: of the runs.
      max_hours: that all of them had; 0: as much as they say themselves.

    Raises:
      InputError: a folder that holds no run, two runs of one method, data
        set and seed, no finished run at all, or runs whose scores cannot be
        compared.
    """
    notes: list[str] = []
    runs, hours = _read_finished(folders, max_hours, notes)
    kind = _check_scores(runs)
    about: dict[str, Any] = {}
    for (dataset, method, seed), run in runs.items():
        if dataset not in about:
            about[dataset] = {
                "spaces": {},
                "measures": kind.name,
                "data": run.settings["data"],
                "config": run.settings["config"],
                "random_streams": run.settings.get("random_streams", 1),
                "first": f"{method}, seed {seed}",
            }
            if hours[dataset]:
                about[dataset]["max_hours"] = hours[dataset]
        about[dataset]["spaces"].setdefault(method, run.settings["space"])
        notes += _odd_settings(about[dataset], run, method, seed)
        notes += _odd_time(run, dataset, hours[dataset])
    notes += _early(runs, hours)
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


def _read_finished(
    folders: Sequence[Path], max_hours: float, notes: list[str]
) -> tuple[dict[tuple[str, str, int], RunRecords], dict[str, float]]:
    """Reads runs by data set, method and seed, in order.

    Args:
      folders: see `gather`.
      max_hours: likewise.
      notes: what is left out is added.

    Returns:
      The runs; of each data set the hours that its runs had; 0: no limit.
    """
    runs: dict[tuple[str, str, int], RunRecords] = {}
    hours: dict[str, float] = {}
    for folder in folders:
        run = read_run(folder)
        check_settings(run)
        config = run.settings["config"]
        name = (config["dataset"], method_of(run.settings), config["seed"])
        end = _end_of(name[1])
        limit = clock.ended_by(run) if (folder / end).exists() else 0.0
        if not limit and not is_finished(folder, end_file=end):
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
            hours[name[0]] = max(limit, hours.get(name[0], max_hours))
    if not runs:
        raise InputError(
            f"none of the {len(folders)} run folders is finished; nothing to "
            "compare"
        )
    return _sorted(runs), hours


def _sorted(
    runs: dict[tuple[str, str, int], RunRecords],
) -> dict[tuple[str, str, int], RunRecords]:
    """By data set as they came, by method as in the legend, by seed."""
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in runs))
    order = in_order([method for _, method, _ in runs])
    return dict(
        sorted(
            runs.items(),
            key=lambda item: (
                datasets.index(item[0][0]),
                order.index(item[0][1]),
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


def _odd_time(run: RunRecords, dataset: str, hours: float) -> list[str]:
    """Says where a run had other time than the limit of the others."""
    if not hours:
        return []
    own = clock.ended_by(run)
    took = math.fsum(run.epochs["seconds"]) / 3600
    # A limit may be passed by a moment.
    if own == hours or (not own and took <= hours):
        return []
    return [
        f"{dataset}: {run.path.name} searched for {took:.3g} hours"
        + f" of {own:g}" * bool(own)
        + f", others had {hours:g}: no equal time"
    ]


def _early(
    runs: Mapping[tuple[str, str, int], RunRecords], hours: Mapping[str, float]
) -> list[str]:
    """Says which runs had their last epoch before the limit of time."""
    said = []
    for dataset, limit in hours.items():
        of_it = [run for (name, _, _), run in runs.items() if name == dataset]
        early = sum(not clock.ended_by(run) for run in of_it)
        if limit and early:
            said.append(
                f"{dataset}: {early} of {len(of_it)} runs came to their last "
                f"epoch before {limit:g} hours were over: no equal time; more "
                "--epochs give it"
            )
    return said


def _beside(settings: dict[str, Any]) -> dict[str, Any]:
    """What makes a run another one beside its configuration."""
    return {
        "images": settings["data"].get("fingerprint"),
        # Runs that name none drew the first.
        "random streams": settings.get("random_streams", 1),
    }


def _end_of(method: str) -> str:
    """The file that a run of a method ends with."""
    known = method in methods.names()
    return methods.find(method).end if known else SEARCH_END


def _check_scores(runs: dict[tuple[str, str, int], RunRecords]) -> ScoreKind:
    """The one kind of all scores.

    Raises:
      InputError: runs rank architectures by different measures, or by one
        that says nothing beside that on other data.
    """
    first = next(iter(runs.values()))
    kind = kind_of(first.measures)
    for run in runs.values():
        if run.measures != first.measures:
            raise InputError(
                f"{first.path} ranks architectures by {first.measures} and "
                f"{run.path} by {run.measures}, which cannot be compared"
            )
        one, other = (_text_of(each) for each in (first, run))
        if kind.same_data and one != other:
            raise InputError(
                f"{first.path} predicts {one} and {run.path} {other}; their "
                f"{kind.many} cannot be compared"
            )
    return kind


def _text_of(run: RunRecords) -> str:
    """What a search on a text predicts, in words."""
    data = run.settings["data"]
    return (
        f"{data.get('tokens')} of {data.get('name')} (fingerprint "
        f"{data.get('fingerprint')}, {data.get('vocabulary')} different ones, "
        f"{data.get('validation')} of them for validation)"
    )


def _test_accuracy(run: RunRecords) -> dict[str, float]:
    """That of the network that a run ends with, if it has one."""
    path = run.path / FINAL_FILE
    if not isinstance(run.space, MlpSpace) or not path.exists():
        return {}
    final = read_object(path)
    value = look_up(final, path, "finetuned.test_accuracy", float)
    return {"test_accuracy": value}


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
        **_test_accuracy(run),
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
    table = run.evaluations.rename(columns=_as_score(run.measures))
    table["score"] = kind_of(run.measures).of_run(table["score"])
    names = ["epoch", "step", *run.space.column_names, "score"]
    names += [name for name in _LEARNED if name in table]
    return table[names].copy()


def _as_score(measures: str) -> dict[str, str]:
    """What a run ranks by, under one name for all runs."""
    return {
        f"{measures}{what}": f"score{what}"
        for what in ("", "_mean", "_std", "_max")
    }


def _epochs(run: RunRecords) -> pd.DataFrame:
    table = run.epochs.rename(columns=_as_score(run.measures))
    kind = kind_of(run.measures)
    if kind.relative:
        # The means of what the run ranks by are none of these scores.
        scores = kind.of_run(run.evaluations[run.measures])
        own = kind.additive(scores).groupby(run.evaluations["epoch"]).mean()
        table["score_mean"] = kind.original(table["epoch"].map(own))
        table = table.drop(columns=["score_std", "score_max"], errors="ignore")
    per_epoch = run.evaluations.groupby("epoch").size()
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
