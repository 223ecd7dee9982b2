"""The rows that the tables of MLPNAS are made of, from finished runs."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.mlpnas_variants import (
    COMPETITORS_FILE,
    RUNS_FILE,
    SCIKIT_LEARN,
    VARIANTS,
)
from mlpnas.competitors import compare
from mlpnas.config import FINAL_FILE, MlpnasConfig
from mlpnas.data.load import load
from nascore.config import unflatten
from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.config import SEARCH_END
from nascore.runs.csv_files import read_table
from nascore.runs.json_files import look_up, read_object
from nascore.runs.reader import evaluations_file, read_settings

Runs = Mapping[tuple[str, int], Path]

_ABOUT = "about.json"


def write_rows(out: Path, runs: Runs, command: str = "") -> None:
    """Writes a row for each run, architecture and competitor.

    Args:
      out: the folder.
      runs: finished run folders by variant and seed.
      command: that made them, for the report.

    Raises:
      InputError: a run folder is damaged.
    """
    rows = pd.DataFrame([_run_row(*key, path) for key, path in runs.items()])
    rows.to_csv(out / RUNS_FILE, index=False)
    candidates = pd.concat(
        [_candidates(*key, path) for key, path in runs.items()]
    )
    with gzip.GzipFile(out / "candidates.csv.gz", "wb", mtime=0) as file:
        file.write(candidates.to_csv(index=False).encode())
    if command:
        write_json(out / _ABOUT, {"command": command})
    _fit_competitors(out, runs)


def read_command(out: Path) -> str:
    """The command that made a folder's rows; empty if it was not noted.

    Raises:
      InputError: what was noted is damaged.
    """
    path = out / _ABOUT
    if not path.exists():
        return ""
    return look_up(read_object(path), path, "command", str)


def _run_row(variant: str, seed: int, path: Path) -> dict[str, Any]:
    """What one run came to."""
    end, file = path / FINAL_FILE, path / "config.json"
    final, settings = read_object(end), read_settings(path)
    ranking = _read_ranking(path / SEARCH_END)
    epochs = read_table(
        path / "epochs.csv",
        ["score_mean", "predictor_correlation", "seconds"],
    )
    scores = read_table(evaluations_file(path), ["score"])["score"]
    if epochs.empty or scores.empty:
        raise InputError(f"{path} is damaged: its CSV files have no rows")
    correlations = epochs["predictor_correlation"][1:].dropna()
    # Of the first start, if the run was resumed.
    start = look_up(settings, file, "starts", list)[:1] or [{}]
    return {
        "variant": variant,
        "seed": seed,
        "evaluated": len(scores),
        "score_best": ranking[0]["score"],
        "score_mean": float(scores.mean()),
        "score_last": float(epochs["score_mean"].iloc[-1]),
        "validation_best": ranking[0]["validation_accuracy"],
        "validation_fifth": ranking[:5][-1]["validation_accuracy"],
        "test_before_tuning": look_up(
            final, end, "finetuned.searched_test_accuracy", float
        ),
        "test": look_up(final, end, "finetuned.test_accuracy", float),
        "predictor_correlation": float(correlations.mean()),
        "architecture": look_up(final, end, "architecture", str),
        "train_rows": look_up(settings, file, "data.train", int),
        "seconds": float(epochs["seconds"].sum()),
        "git_commit": look_up(start[0], file, "git_commit", str),
    }


def _read_ranking(path: Path) -> list[dict[str, Any]]:
    ranking = look_up(read_object(path), path, "architectures", list)
    for entry in ranking:
        for name in ("score", "validation_accuracy"):
            look_up(entry, path, name, float)
    if not ranking:
        raise InputError(f"{path} is damaged: it has no architecture")
    return ranking


def _candidates(variant: str, seed: int, path: Path) -> pd.DataFrame:
    numbers = ["score", "accuracy", "epochs_trained", "parameters"]
    numbers += ["shared_layers", "predicted"]
    file = evaluations_file(path)
    table = read_table(file, ["epoch", "step", *numbers], ["architecture"])
    columns = ["epoch", "step", "architecture", *numbers]
    return table[columns].assign(variant=variant, seed=seed).round(6)


def _fit_competitors(out: Path, runs: Runs) -> None:
    """Fits scikit-learn's classifiers, once for each kind of data and seed."""
    known = {}
    if (out / COMPETITORS_FILE).exists():
        table = read_table(
            out / COMPETITORS_FILE,
            ["seed", "validation", "test", "seconds"],
            ["data", "name", "fingerprint"],
        )
        for row in table.to_dict("records"):
            known[row["data"], row["seed"], row["name"]] = row
    rows = []
    done = set()
    for (variant, seed), path in runs.items():
        kind = VARIANTS[variant].data
        if (kind, seed) in done:
            continue
        done.add((kind, seed))
        stored = read_settings(path)
        file = path / "config.json"
        fingerprint = look_up(stored, file, "data.fingerprint", str)
        data = None
        for name in SCIKIT_LEARN:
            row = known.get((kind, seed, name))
            if row is None or row["fingerprint"] != fingerprint:
                if data is None:
                    config = unflatten(MlpnasConfig(), stored["config"])
                    data = load(config.data)
                result = compare(name, data, seed)
                row = {
                    "data": kind,
                    "seed": seed,
                    "name": name,
                    "fingerprint": fingerprint,
                    "validation": result.validation_accuracy,
                    "test": result.test_accuracy,
                    "seconds": round(result.seconds, 2),
                }
            rows.append(row)
            # Fitting takes minutes: what is done is kept.
            table = pd.DataFrame(rows)
            table.to_csv(out / COMPETITORS_FILE, index=False)
