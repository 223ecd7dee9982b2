"""Table I of the I-ENAS paper, and how ours is computed."""

import math
from typing import Any

import numpy as np
import pandas as pd

from experiments.comparison.measures import cut_to_common
from experiments.comparison.rows import Rows

# Whose maximum chooses the epoch.
ANCHORS = ("ienas_paper", "ienas_code")

_COLUMNS = ["dataset", "method", "scope", "seeds", "mean", "std"]

# I-ENAS, table I: mean and deviation of one epoch's accuracies, and that
# epoch; one run each.
PUBLISHED_EPOCH = {"mnist": 28, "fashion_mnist": 60, "cifar10": 310}
PUBLISHED = {
    ("mnist", "ienas_paper"): (0.915, 0.044),
    ("mnist", "enas"): (0.860, 0.066),
    ("fashion_mnist", "ienas_paper"): (0.866, 0.031),
    ("fashion_mnist", "enas"): (0.852, 0.034),
    ("cifar10", "ienas_paper"): (0.856, 0.041),
    ("cifar10", "enas"): (0.754, 0.080),
}


def anchor_epochs(rows: Rows, dataset: str) -> dict[int, int]:
    """For each seed the epoch, from 0, where I-ENAS first has its maximum."""
    table = rows.evaluations
    for method in ANCHORS:
        chosen = table[
            (table["dataset"] == dataset) & (table["method"] == method)
        ]
        if len(chosen):
            first = chosen.groupby("seed")["score"].idxmax()
            epochs = chosen.loc[first, ["seed", "epoch"]]
            return dict(
                zip(
                    epochs["seed"].tolist(),
                    epochs["epoch"].tolist(),
                    strict=True,
                )
            )
    return {}


def table_1(rows: Rows) -> pd.DataFrame:
    """Table I: means and deviations inside single epochs, over seeds.

    Of the epochs that all methods have at a seed. Scores that do not stand
    beside the paper's have none.
    """
    table: list[dict[str, Any]] = []
    if not rows.kind.like_paper:
        return pd.DataFrame(columns=_COLUMNS)
    for dataset in rows.datasets:
        methods = rows.methods(dataset)
        common = cut_to_common(rows, methods)
        inside = (
            common.evaluations.groupby(
                ["dataset", "method", "seed", "epoch"], sort=False
            )["score"]
            .agg(mean="mean", std=lambda values: float(np.std(values)))
            .reset_index()
        )
        anchors = anchor_epochs(common, dataset)
        spread = sorted(anchors.values())
        for method in methods:
            part = inside[
                (inside["dataset"] == dataset) & (inside["method"] == method)
            ]
            at_anchor = part[part["epoch"] == part["seed"].map(anchors)]
            for scope, chosen in (
                ("epoch of I-ENAS's first maximum", at_anchor),
                ("all epochs", part),
            ):
                if chosen.empty:
                    continue
                by_seed = chosen.groupby("seed")[["mean", "std"]].mean()
                mean, low, high = rows.kind.interval(by_seed["mean"].to_numpy())
                published = (math.nan, math.nan)
                published_epoch = None
                if scope != "all epochs":
                    published = PUBLISHED.get((dataset, method), published)
                    published_epoch = PUBLISHED_EPOCH.get(dataset)
                table.append(
                    {
                        "dataset": dataset,
                        "method": method,
                        "scope": scope,
                        "seeds": len(by_seed),
                        "epoch_first": spread[0] + 1 if spread else None,
                        "epoch_last": spread[-1] + 1 if spread else None,
                        "mean": float(mean),
                        "mean_low": float(low),
                        "mean_high": float(high),
                        "std": float(by_seed["std"].mean()),
                        "published_mean": published[0],
                        "published_std": published[1],
                        "published_epoch": published_epoch,
                    }
                )
    return pd.DataFrame(table)
