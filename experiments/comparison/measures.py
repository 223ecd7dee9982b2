"""What each run came to, over the epochs that its rivals have, too."""

import dataclasses
import math
from collections.abc import Sequence

import pandas as pd

from experiments.comparison.methods import look_of
from experiments.comparison.rows import KEY, Rows

# What is compared, run by run; see `deciding`.
METRICS = {
    "curve_mean": "mean {measure} of sampled architectures, all epochs",
    "last_epoch_mean": "mean {measure} of sampled architectures, last epoch",
    "best_score": "best {measure} of one evaluation",
    "top_validation": "best proposal, whole validation set",
    "top_search_test": "the same proposal, search-test set",
    "standalone_mean": "mean accuracy of proposals trained standalone",
    "test_accuracy": "test accuracy of the network at the end",
}


def describe_metric(metric: str, measure: str) -> str:
    """A metric in words.

    Args:
      metric: of `METRICS`.
      measure: what architectures are ranked by.
    """
    return METRICS[metric].format(measure=measure)


# Those that change with the number of epochs that are looked at.
BY_EPOCHS = ("curve_mean", "last_epoch_mean", "best_score")


def deciding(hours: float) -> str:
    """The metric that verdicts go by.

    Where all runs had the same time it is what each came to in it: epochs
    are then no common measure.

    Args:
      hours: that each run had at most; 0: no limit.
    """
    return "last_epoch_mean" if hours else "curve_mean"


def runs_of(table: pd.DataFrame) -> "pd.api.typing.DataFrameGroupBy":
    """The rows of each run."""
    return table.groupby(KEY, sort=False)


def count_epochs(rows: Rows) -> pd.Series:
    """Finished epochs by data set, seed and method."""
    keys = ["dataset", "seed", "method"]
    return rows.epochs.groupby(keys, sort=False).size()


def cut_to_common(rows: Rows, methods: Sequence[str]) -> Rows:
    """Takes the first epochs that all of some methods have at a seed.

    A run that stopped early would else be measured over other epochs than
    its rivals. Final proposals stay: they are of a run's own end. So do all
    epochs where runs had the same time, however many they were.

    Args:
      rows: what was measured.
      methods: whose runs are kept.

    Returns:
      The rows with the evaluations and epochs of these methods alone.
    """
    epochs = rows.epochs[rows.epochs["method"].isin(methods)]
    last = epochs.groupby(KEY)["epoch"].max().groupby(["dataset", "seed"]).min()
    timed = [name for name in rows.datasets if rows.hours(name)]

    def cut(table: pd.DataFrame) -> pd.DataFrame:
        table = table[table["method"].isin(methods)]
        seeds = pd.MultiIndex.from_frame(table[["dataset", "seed"]])
        common = table["epoch"].to_numpy() <= last.reindex(seeds).array
        return table[common | table["dataset"].isin(timed)]

    return dataclasses.replace(
        rows, evaluations=cut(rows.evaluations), epochs=cut(rows.epochs)
    )


def unequal_runs(rows: Rows) -> list[str]:
    """Names the seeds whose runs have different numbers of epochs."""
    notes = []
    counts = count_epochs(rows)
    for (dataset, seed), runs in counts.groupby(
        ["dataset", "seed"], sort=False
    ):
        if runs.nunique() > 1 and not rows.hours(dataset):
            each = ", ".join(
                f"{look_of(method).title} {count}"
                for (*_, method), count in runs.items()
            )
            notes.append(
                f"{dataset}, seed {seed}: the runs have unequal numbers of "
                f"epochs ({each}); methods are compared over the first epochs "
                "that all compared have, their final proposals as they are"
            )
    return notes


def timed_runs(rows: Rows) -> list[str]:
    """Says how far runs of limited time came, and what that means."""
    notes = []
    counts = count_epochs(rows)
    for dataset in rows.datasets:
        hours = rows.hours(dataset)
        if not hours:
            continue
        own = counts[dataset].groupby("method", sort=False)
        each = ", ".join(
            f"{look_of(method).title} {_range(own.get_group(method))}"
            for method in rows.methods(dataset)
        )
        asked = rows.about[dataset]["config"].get("epochs", "?")
        notes.append(
            f"{dataset}: each run had at most {hours:g} hours (--max_hours), "
            f"its start and its ranking included; of {asked} epochs they came "
            f"to {each}. Each is compared as far as it came in its time, not "
            "over the same epochs: its last epoch decides"
        )
    return notes


def _range(counts: pd.Series) -> str:
    """Least and greatest of some counts."""
    least, most = counts.min(), counts.max()
    return f"{least}" if least == most else f"{least} to {most}"


def measure(rows: Rows) -> pd.DataFrame:
    """What each run came to, over all of its epochs in the rows."""
    kind = rows.kind
    scaled = kind.additive(rows.epochs["score_mean"])
    epochs = runs_of(rows.epochs.assign(scaled=scaled))
    evaluations = runs_of(rows.evaluations)
    top = runs_of(rows.proposals).first()
    table = pd.DataFrame(
        {
            "curve_mean": kind.original(epochs["scaled"].mean()),
            "last_epoch_mean": epochs["score_mean"].last(),
            "best_score": kind.best(evaluations["score"]),
            "best_at_evaluation": evaluations["score"].agg(
                lambda values: kind.place_of_best(values) + 1
            ),
            "top_validation": top.get(kind.validation, math.nan),
            "top_search_test": top.get("search_test_accuracy", math.nan),
            "epochs": epochs.size(),
            "evaluations": evaluations.size(),
            "seconds": epochs["seconds"].last(),
        }
    )
    # Proposals name the runs of methods that were cut away, too.
    table = table.reindex(epochs.size().index)
    if len(rows.rank_check):
        checked = runs_of(rows.rank_check)
        table["standalone_mean"] = checked["standalone_accuracy"].mean()
    else:
        table["standalone_mean"] = math.nan
    if "test_accuracy" in rows.runs:
        table["test_accuracy"] = rows.runs.set_index(KEY)["test_accuracy"]
    else:
        table["test_accuracy"] = math.nan
    return table.reset_index()


def summarize(rows: Rows) -> pd.DataFrame:
    """Means and intervals over seeds, by data set, method and metric."""
    summary = []
    for dataset in rows.datasets:
        metrics = measure(cut_to_common(rows, rows.methods(dataset)))
        metrics = metrics[metrics["dataset"] == dataset]
        for method, group in metrics.groupby("method", sort=False):
            for metric in METRICS:
                values = group[metric].dropna().to_numpy()
                if not len(values):
                    continue
                mean, low, high = rows.kind.interval(values)
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
