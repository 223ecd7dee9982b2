"""Tables and verdicts from finished runs of MLPNAS."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.mlpnas_variants import VARIANTS
from mlpnas.competitors import TITLES, compare
from mlpnas.config import FINAL_FILE, MlpnasConfig
from mlpnas.data import load
from nascore.config import unflatten
from nascore.files import read_json
from nascore.run_reader import read_table
from nascore.runs import SEARCH_END
from nascore.stats import paired_test

Runs = Mapping[tuple[str, int], Path]

# What searches are compared by; fixed before the runs of the tables.
MEASURES = {
    "test": "test accuracy of the best, after fine-tuning",
    "score_best": "score of the best",
    "score_last": "mean score of the last epoch's architectures",
    "score_mean": "mean score of all architectures",
}
_SCIKIT_LEARN = ("mlp", "logistic", "boosting")


def write(out: Path, runs: Runs) -> None:
    """Writes rows, tables and verdicts into a folder, and prints them.

    Args:
      out: the folder.
      runs: finished run folders by variant and seed.
    """
    rows = pd.DataFrame([_run_row(*key, path) for key, path in runs.items()])
    rows.to_csv(out / "runs.csv", index=False)
    candidates = pd.concat(
        [_candidates(*key, path) for key, path in runs.items()]
    )
    with gzip.GzipFile(out / "candidates.csv.gz", "wb", mtime=0) as file:
        file.write(candidates.to_csv(index=False).encode())
    competitors = pd.DataFrame(_fit_competitors(out, runs))
    comparisons = pd.DataFrame(_compare(rows))
    comparisons.to_csv(out / "differences.csv", index=False)
    text = "\n\n".join(
        [
            _paper_table(rows, competitors),
            _predictor_table(rows),
            _competitor_table(rows, competitors),
            *(verdict(row) for row in comparisons.to_dict("records")),
        ]
    )
    (out / "tables.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    print(f"\nwrote {out / 'tables.md'}")


def _run_row(variant: str, seed: int, path: Path) -> dict[str, Any]:
    """What one run came to."""
    final = read_json(path / FINAL_FILE)
    settings = read_json(path / "config.json")
    ranking = read_json(path / SEARCH_END)["architectures"]
    epochs = read_table(path / "epochs.csv", ["score_mean", "architectures"])
    scores = read_table(path / "candidates.csv", ["score"])["score"]
    correlations = epochs["predictor_correlation"][1:].dropna()
    return {
        "variant": variant,
        "seed": seed,
        "evaluated": len(scores),
        "score_best": ranking[0]["score"],
        "score_mean": float(scores.mean()),
        "score_last": float(epochs["score_mean"].iloc[-1]),
        "validation_best": ranking[0]["validation_accuracy"],
        "validation_fifth": ranking[:5][-1]["validation_accuracy"],
        "test_before_tuning": final["finetuned"]["searched_test_accuracy"],
        "test": final["finetuned"]["test_accuracy"],
        "predictor_correlation": float(correlations.mean()),
        "architecture": final["architecture"],
        "train_rows": settings["data"]["train"],
        "seconds": float(epochs["seconds"].sum()),
        "git_commit": settings["starts"][0]["git_commit"],
    }


def _candidates(variant: str, seed: int, path: Path) -> pd.DataFrame:
    columns = ["epoch", "step", "architecture", "score", "accuracy"]
    columns += ["epochs_trained", "parameters", "shared_layers", "predicted"]
    table = read_table(path / "candidates.csv", columns)[columns]
    return table.assign(variant=variant, seed=seed).round(6)


def _fit_competitors(out: Path, runs: Runs) -> list[dict[str, Any]]:
    """Fits scikit-learn's classifiers, once for each kind of data and seed."""
    known = {}
    if (out / "competitors.csv").exists():
        table = read_table(out / "competitors.csv", ["data", "seed", "name"])
        for row in table.to_dict("records"):
            known[row["data"], row["seed"], row["name"]] = row
    rows = []
    done = set()
    for (variant, seed), path in runs.items():
        kind = VARIANTS[variant].data
        if (kind, seed) in done:
            continue
        done.add((kind, seed))
        stored = read_json(path / "config.json")
        fingerprint = stored["data"]["fingerprint"]
        data = None
        for name in _SCIKIT_LEARN:
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
            table.to_csv(out / "competitors.csv", index=False)
    return rows


def _compare(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Each variant against random search at equal budget, paired by seed."""
    compared = []
    for name in rows["variant"].unique():
        rival = VARIANTS[name].rival
        if not rival:
            continue
        first = rows[rows["variant"] == name].set_index("seed")
        second = rows[rows["variant"] == rival].set_index("seed")
        for measure in MEASURES:
            result = paired_test(
                first[measure].to_numpy(), second[measure].to_numpy()
            )
            compared.append(
                {
                    "variant": name,
                    "rival": rival,
                    "measure": measure,
                    "seeds": result.count,
                    "difference": result.mean,
                    "low": result.low,
                    "high": result.high,
                    "p_value": result.p_value,
                    "least_p": result.least_p,
                }
            )
    return compared


def verdict(row: Mapping[str, Any]) -> str:
    """Says in one line what a comparison with random search came to."""
    title = VARIANTS[row["variant"]].title
    points = 100 * row["difference"]
    interval = f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}"
    if np.isnan(row["low"]):
        judgement = "one seed decides nothing"
    elif row["low"] <= 0 <= row["high"]:
        judgement = "no difference shown"
    elif row["least_p"] > 0.05:
        judgement = (
            f"{'better' if points > 0 else 'worse'} in all resamples, but "
            f"{row['seeds']} seeds cannot reach p = 0.05 (least "
            f"{row['least_p']:.2f})"
        )
    elif row["p_value"] <= 0.05:
        judgement = "better" if points > 0 else "worse"
    else:
        judgement = "no difference shown"
    return (
        f"- {title} minus random search, {MEASURES[row['measure']]}: "
        f"{points:+.2f} points (95% bootstrap interval {interval}): "
        f"{judgement}."
    )


def _spread(values: Sequence[float]) -> str:
    array = 100 * np.asarray(values, np.float64)
    if len(array) < 2:
        return f"{array.mean():.1f}"
    return f"{array.mean():.1f} +- {array.std(ddof=1):.1f}"


def _paper_table(rows: pd.DataFrame, competitors: pd.DataFrame) -> str:
    lines = [
        "Accuracies in %, ours mean +- deviation over seeds; the paper's in "
        "parentheses. Fifth and best: validation accuracy after the last "
        "epoch of the fifth and the first by score.",
        "",
        "| table | search | trained | fifth | best | test | "
        "scikit-learn MLP, test |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in rows["variant"].unique():
        variant, own = VARIANTS[name], rows[rows["variant"] == name]
        fitted = competitors[
            (competitors["data"] == variant.data)
            & (competitors["name"] == "mlp")
        ]
        ours = [
            _spread(own["validation_fifth"]),
            _spread(own["validation_best"]),
            _spread(own["test"]),
            _spread(fitted["test"]),
        ]
        table = "-"
        if variant.published:
            paper = variant.published
            table = str(paper.table)
            for place, value in enumerate(paper[1:]):
                said = "-" if value is None else f"{100 * value:.0f}"
                ours[place] += f" ({said})"
        lines.append(
            f"| {table} | {variant.title} | {own['evaluated'].mean():.0f} | "
            f"{' | '.join(ours)} |"
        )
    return "\n".join(lines)


def _predictor_table(rows: pd.DataFrame) -> str:
    lines = [
        "The predictor: Spearman's rank correlation of predicted and measured "
        "scores of an epoch's architectures before they were trained, mean "
        "over epochs 2 to the last, then over seeds.",
        "",
        "| search | correlation by seed | mean |",
        "|---|---|---|",
    ]
    for name in rows["variant"].unique():
        values = rows[rows["variant"] == name]["predictor_correlation"]
        if values.isna().all():
            continue
        each = ", ".join(f"{value:+.2f}" for value in values)
        lines.append(
            f"| {VARIANTS[name].title} | {each} | {values.mean():+.2f} |"
        )
    return "\n".join(lines)


def _competitor_table(rows: pd.DataFrame, competitors: pd.DataFrame) -> str:
    lines = ["| data | competitor | validation | test |", "|---|---|---|---|"]
    for kind in competitors["data"].unique():
        for name in _SCIKIT_LEARN:
            own = competitors[
                (competitors["data"] == kind) & (competitors["name"] == name)
            ]
            lines.append(
                f"| {kind} | {TITLES[name]} | {_spread(own['validation'])} | "
                f"{_spread(own['test'])} |"
            )
    return "\n".join(lines)
