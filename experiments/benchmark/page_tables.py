"""The tables on the page of a benchmark's report."""

import numpy as np
import pandas as pd

from experiments.benchmark.protocols import Protocol
from experiments.benchmark.results import RECENT, Results
from experiments.benchmark.tables import ORACLE, TITLES
from experiments.reports.tables import ReportTable, interval, number
from flags import methods
from flags.benchmark import FIXED
from nascore.config import flatten

_SPLITS = {"validation": "valid", "test": "test"}


def _spread(mean: float, deviation: float) -> str:
    if pd.isna(mean):
        return "–"
    if pd.isna(deviation):
        return f"{mean:.2f}"
    return f"{mean:.2f} +- {deviation:.2f}"


def _layout(frame: pd.DataFrame, levels: list[str]) -> pd.DataFrame:
    """The published layout: validation and test of each data set."""
    words = [
        _spread(row["mean"], row["deviation"])
        for row in frame.to_dict("records")
    ]
    heads = [
        f"{TITLES[row['dataset']]} {_SPLITS[row['split']]}"
        for row in frame.to_dict("records")
    ]
    named = frame[levels].assign(words=words, head=heads)
    keys = named.drop_duplicates(levels)[levels]
    wide = named.pivot(index=levels, columns="head", values="words")
    return wide.loc[
        list(keys.itertuples(index=False, name=None))
        if len(levels) > 1
        else keys[levels[0]],
        list(dict.fromkeys(heads)),
    ]


def accuracies(frame: pd.DataFrame, protocol: Protocol, at: int) -> ReportTable:
    """Our rows of one protocol and budget."""
    # What validation alone can lead to; a leak has no such gap.
    if protocol.leak:
        frame = frame[frame["method"] != ORACLE]
    wide = _layout(frame, ["method"])
    return ReportTable(
        f"{protocol.label}, {at:,} queries",
        wide,
        dict.fromkeys(wide.columns, str),
        "tables/accuracies.csv",
    )


def ends(frame: pd.DataFrame, label: str) -> ReportTable:
    """Who met the optimum, and how many different cells were looked up."""
    shown = frame.assign(dataset=frame["dataset"].map(TITLES))
    heads = {
        "queries": "queries",
        "dataset": "data set",
        "method": "method",
        "optimum": "runs at the optimum",
        "strings": "different strings",
        "classes": "different classes",
        "median_queries": "median queries to it",
        "recent_mean": f"mean of the last {RECENT}",
        "seconds": "seconds a search",
    }
    names = list(heads.values())
    shown = shown[list(heads)].set_axis(names, axis=1).set_index(names[:3])
    forms = [".1%", ".0f", ".0f", ",.0f", ".2f", ".3g"]
    return ReportTable(
        f"{label}: optimum and repeats",
        shown,
        {n: number(f) for n, f in zip(names[3:], forms, strict=True)},
        "tables/ends.csv",
    )


def pairs(frame: pd.DataFrame, label: str) -> ReportTable:
    """Paired differences by one measure."""
    rows = frame.to_dict("records")
    shown = pd.DataFrame(
        {
            "data set": [TITLES[row["dataset"]] for row in rows],
            "first": frame["first"].to_list(),
            "second": frame["second"].to_list(),
            "difference": frame["mean"].to_list(),
            "95% interval": [interval(row, "+.2f") for row in rows],
            "p": frame["p_value"].to_list(),
            "by Holm": frame["p_holm"].to_list(),
            "effect": frame["effect_size"].to_list(),
            "against retraining": [
                "–"
                if np.isnan(row["noise"])
                else f"{'below' if row['below_noise'] else 'from'} "
                f"{row['noise']}"
                for row in rows
            ],
            "verdict": frame["verdict"].to_list(),
        }
    ).set_index(["data set", "first", "second"])
    at = int(frame["queries"].iloc[0])
    return ReportTable(
        f"{label}, paired differences after {at:,} queries",
        shown,
        {
            "difference": number("+.2f"),
            "95% interval": str,
            "p": number(".3g"),
            "by Holm": number(".3g"),
            "effect": number("+.2f"),
        },
        "tables/differences.csv",
    )


def published(frame: pd.DataFrame) -> ReportTable:
    """The printed rows, with the protocol behind each."""
    frame = frame.assign(
        runs=[
            "not said" if np.isnan(runs) else f"{runs:.0f}"
            for runs in frame["runs"]
        ]
    )
    wide = _layout(frame, ["method", "protocol", "runs"])
    return ReportTable(
        "Published, mean +- standard deviation",
        wide,
        dict.fromkeys(wide.columns, str),
        "tables/published.csv",
    )


def methods_and_machines(results: Results) -> list[ReportTable]:
    """Settings of each method; commits, machines and versions."""
    settings = []
    for variant in results.variants:
        values = flatten(variant.config)
        own = [f"{k}={v}" for k, v in values.items() if k not in FIXED]
        settings.append(
            {
                "label": variant.label,
                "method": methods.find(variant.method).title,
                "called": variant.method,
                "settings": ", ".join(own) or "none",
            }
        )
    made: dict[tuple[str, ...], list[str]] = {}
    for label, every in results.made_by.items():
        for about in every:
            versions = about.get("versions", {})
            key = (
                str(about.get("commit")),
                str(about.get("machine")),
                ", ".join(f"{name} {v}" for name, v in versions.items()),
            )
            made.setdefault(key, []).append(label)
    machines = pd.DataFrame(
        [[", ".join(labels), *key] for key, labels in made.items()],
        columns=["labels", "commit", "machine", "versions"],
    )
    return [
        ReportTable("Settings", pd.DataFrame(settings).set_index("label")),
        ReportTable("What searched", machines.set_index("labels")),
    ]
