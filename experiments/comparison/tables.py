"""The tables of a report, computed from its rows alone."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from experiments.comparison.paper import table_1
from experiments.comparison.rows import Rows
from nascore.stats import mean_interval, paired_test

# Parts of ENAS's highest epoch mean, for the time to reach accuracies.
_TARGET_PARTS = (0.5, 0.75, 0.9)
# A controller whose last epoch repeats itself has collapsed.
COLLAPSED_UNIQUE = 0.5

# What is compared, run by run; the first decides the verdict.
METRICS = {
    "curve_mean": "mean accuracy of sampled architectures, all epochs",
    "last_epoch_mean": "mean accuracy of sampled architectures, last epoch",
    "best_accuracy": "best accuracy on one batch",
    "top_validation": "best proposal, whole validation set",
    "top_search_test": "the same proposal, search-test set",
    "standalone_mean": "mean accuracy of proposals trained standalone",
}


@dataclasses.dataclass(frozen=True)
class Tables:
    """All tables; one CSV file each.

    Attributes:
      metrics: a row for each run, a column for each of `METRICS`.
      summary: means and 95% intervals of the metrics over seeds.
      table_1: table I of the paper, beside its numbers.
      reached: time until the epoch's mean accuracy reached a target.
      differences: paired comparisons at equal seeds.
      diversity: unique architectures and entropy.
      operations: share of each operation in the last epoch.
      rank_check: Kendall's tau of shared and standalone accuracy.
    """

    metrics: pd.DataFrame
    summary: pd.DataFrame
    table_1: pd.DataFrame
    reached: pd.DataFrame
    differences: pd.DataFrame
    diversity: pd.DataFrame
    operations: pd.DataFrame
    rank_check: pd.DataFrame


def make_tables(rows: Rows, targets: Sequence[float] = ()) -> Tables:
    """Computes every table.

    Args:
      rows: what was measured.
      targets: accuracies for the table of times; empty chooses them from
        ENAS's runs.
    """
    metrics = _metrics(rows)
    return Tables(
        metrics,
        _summary(metrics),
        table_1(rows),
        _reached(rows, targets),
        _differences(metrics),
        _diversity(rows),
        _operations(rows),
        _rank_check(rows),
    )


def _runs_of(table: pd.DataFrame) -> "pd.api.typing.DataFrameGroupBy":
    return table.groupby(["dataset", "method", "seed"], sort=False)


def _metrics(rows: Rows) -> pd.DataFrame:
    """What each run came to."""
    epochs = _runs_of(rows.epochs)
    evaluations = _runs_of(rows.evaluations)
    top = _runs_of(rows.proposals).first()
    table = pd.DataFrame(
        {
            "curve_mean": epochs["accuracy_mean"].mean(),
            "last_epoch_mean": epochs["accuracy_mean"].last(),
            "best_accuracy": evaluations["accuracy"].max(),
            "best_at_evaluation": evaluations["accuracy"].agg(
                lambda values: int(np.argmax(values)) + 1
            ),
            "top_validation": top["validation_accuracy"],
            "top_search_test": top["search_test_accuracy"],
            "evaluations": evaluations.size(),
            "seconds": epochs["seconds"].last(),
        }
    )
    if len(rows.rank_check):
        checked = _runs_of(rows.rank_check)
        table["standalone_mean"] = checked["standalone_accuracy"].mean()
    else:
        table["standalone_mean"] = math.nan
    return table.reset_index()


def _summary(metrics: pd.DataFrame) -> pd.DataFrame:
    summary = []
    for (dataset, method), group in metrics.groupby(
        ["dataset", "method"], sort=False
    ):
        for metric in METRICS:
            values = group[metric].dropna().to_numpy()
            if not len(values):
                continue
            mean, low, high = mean_interval(values)
            summary.append(
                {
                    "dataset": dataset,
                    "method": method,
                    "metric": metric,
                    "seeds": len(values),
                    "mean": float(mean),
                    "low": float(low),
                    "high": float(high),
                }
            )
    return pd.DataFrame(summary)


def _reached(rows: Rows, targets: Sequence[float]) -> pd.DataFrame:
    """When the epoch's mean accuracy first reached given accuracies."""
    table = []
    for dataset in rows.datasets:
        part = rows.epochs[rows.epochs["dataset"] == dataset]
        for target in targets or _choose_targets(part):
            for method in rows.methods(dataset):
                runs = part[part["method"] == method]
                hits = runs[runs["accuracy_mean"] >= target]
                first = hits.groupby("seed").first()
                table.append(
                    {
                        "dataset": dataset,
                        "target": target,
                        "method": method,
                        "seeds": runs["seed"].nunique(),
                        "reached": len(first),
                        "epochs": (first["epoch"] + 1).median(),
                        "evaluations": first["evaluations"].median(),
                        "seconds": first["seconds"].median(),
                    }
                )
    return pd.DataFrame(table)


def _choose_targets(epochs: pd.DataFrame) -> list[float]:
    enas = epochs[epochs["method"] == "enas"]
    highest = (enas if len(enas) else epochs)["accuracy_mean"].max()
    return [round(part * highest, 2) for part in _TARGET_PARTS]


def _differences(metrics: pd.DataFrame) -> pd.DataFrame:
    """Paired tests of every two methods, at the seeds they share."""
    table = []
    for dataset, part in metrics.groupby("dataset", sort=False):
        for first, second in _pairs(list(part["method"].unique())):
            for metric in METRICS:
                by_method = part.pivot(
                    index="seed", columns="method", values=metric
                )
                pairs = by_method[[first, second]].dropna()
                if pairs.empty:
                    continue
                test = paired_test(
                    pairs[first].to_numpy(), pairs[second].to_numpy()
                )
                table.append(
                    {
                        "dataset": dataset,
                        "first": first,
                        "second": second,
                        "metric": metric,
                        **dataclasses.asdict(test),
                    }
                )
    columns = ["dataset", "first", "second", "metric"]
    return pd.DataFrame(table, columns=None if table else columns)


def _pairs(methods: list[str]) -> list[tuple[str, str]]:
    """I-ENAS against ENAS, then both against random."""
    ienas = [method for method in methods if method.startswith("ienas")]
    pairs = [(method, "enas") for method in ienas if "enas" in methods]
    if "random" in methods:
        others = [method for method in methods if method != "random"]
        pairs += [(method, "random") for method in others]
    return pairs


def _diversity(rows: Rows) -> pd.DataFrame:
    table = []
    cells = [name for name in rows.evaluations if name.endswith("_cell")]
    for (dataset, method), part in rows.evaluations.groupby(
        ["dataset", "method"], sort=False
    ):
        unique, last_unique, last_entropy = [], [], []
        for _, run in part.groupby("seed"):
            last = run[run["epoch"] == run["epoch"].max()]
            unique.append(1 - run[cells].duplicated().mean())
            last_unique.append(1 - last[cells].duplicated().mean())
            last_entropy.append(last["entropy"].mean())
        choices = rows.space(dataset).choices().astype(float)
        table.append(
            {
                "dataset": dataset,
                "method": method,
                "seeds": len(unique),
                "unique": float(np.mean(unique)),
                "unique_last_epoch": float(np.mean(last_unique)),
                "entropy_last_epoch": float(np.mean(last_entropy)),
                "entropy_uniform": float(np.log(choices).sum()),
                "collapsed_runs": int(
                    np.sum(np.array(last_unique) < COLLAPSED_UNIQUE)
                ),
            }
        )
    return pd.DataFrame(table)


def _operations(rows: Rows) -> pd.DataFrame:
    """Share of each operation among the last epoch's architectures."""
    table = []
    last = _runs_of(rows.evaluations)["epoch"].transform("max")
    final = rows.evaluations[rows.evaluations["epoch"] == last]
    for (dataset, method), part in final.groupby(
        ["dataset", "method"], sort=False
    ):
        space = rows.space(dataset)
        for cell_type in space.cell_types:
            texts = part[f"{cell_type}_cell"]
            chosen = np.array([text.split()[1::2] for text in texts], int)
            counts = np.bincount(
                chosen.ravel(), minlength=len(space.operations)
            )
            for name, count in zip(space.operations, counts, strict=True):
                table.append(
                    {
                        "dataset": dataset,
                        "method": method,
                        "cell": cell_type,
                        "operation": name,
                        "share": count / counts.sum(),
                    }
                )
    return pd.DataFrame(table)


def _rank_check(rows: Rows) -> pd.DataFrame:
    """Kendall's tau inside each run, averaged over the runs."""
    columns = ["dataset", "method", "runs", "architectures", "tau"]
    table = []
    for (dataset, method), part in rows.rank_check.groupby(
        ["dataset", "method"], sort=False
    ):
        taus = [
            run["shared_accuracy"].corr(
                run["standalone_accuracy"], method="kendall"
            )
            for _, run in part.groupby("seed")
        ]
        known = np.array([tau for tau in taus if not math.isnan(tau)])
        if not len(known):
            continue
        tau, low, high = mean_interval(known)
        table.append(
            {
                "dataset": dataset,
                "method": method,
                "runs": len(known),
                "architectures": len(part),
                "tau": float(tau),
                # A few runs make the interval wider than tau can be.
                "low": float(np.maximum(low, -1.0)),
                "high": float(np.minimum(high, 1.0)),
                "standalone_mean": float(part["standalone_accuracy"].mean()),
            }
        )
    return pd.DataFrame(table, columns=None if table else columns)
