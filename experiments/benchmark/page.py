"""What stands on the page of a benchmark's report, and in its Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.benchmark import store
from experiments.benchmark.protocols import Protocol
from experiments.benchmark.results import Results
from experiments.benchmark.tables import (
    EXACT,
    NOISE,
    OPTIMUM,
    ORACLE,
    TITLES,
    Tables,
)
from experiments.benchmark.verdicts import search_verdicts
from experiments.reports.document import Document, Image, Section
from experiments.reports.tables import ReportTable, interval, number
from flags import methods
from flags.benchmark import FIXED
from nascore.config import flatten
from nascore.errors import printable
from nascore.runs.json_files import look_up, read_object

_SPLITS = {"validation": "valid", "test": "test"}
_NOTE = (
    "Accuracies in percent, mean +- standard deviation over runs, of NAS-"
    "Bench-201 (Dong and Yang, ICLR 2020): means over its trainings after 200 "
    "epochs, looked up, nothing trained here. CIFAR-10's test accuracy is that "
    "of another network, trained on the validation images, too. A query is a "
    "cell that a search looks up, a repeated one included. A difference is "
    "called supported if its 95% t interval leaves out 0 and its sign-flip p, "
    "corrected by Holm for all pairs of methods of its protocol and data set, "
    "is below 0.05; else it is undecided, which is not the same as equal. "
    "Cells that compute the same were trained apart, and differ by a standard "
    f"deviation of about {', '.join(map(str, NOISE.values()))} points (CIFAR-"
    "10, CIFAR-100, ImageNet-16-120) among the better fifth: a smaller gap "
    "ranks searchers on this table, not the networks that they find."
)
_FILES = (
    ("tables/", "the numbers of every table as CSV"),
    ("figures/", "every figure as PNG"),
    ("rows/runs.csv.gz", "the best cell of every run after 50 ... queries"),
    ("rows/cells.csv.gz", "all six accuracies of these cells"),
    ("searches/", "every query of every run, and the methods' settings"),
    ("about.json", "command, versions and machine"),
)


def warnings(results: Results, folder: Path) -> list[str]:
    """What a reader must know before the numbers."""
    found = []
    for protocol in results.task.protocols:
        if protocol.leak:
            found.append(
                f"the protocol {protocol.label} searches on the test "
                "accuracies that it reports, as the published numbers of "
                "L2NAS do: they are no estimate of what a found cell is worth"
            )
    shown = {variant.label for variant in results.variants}
    others = []
    for path in sorted(folder.glob(f"searches/*/{store.SETTINGS}")):
        label = look_up(read_object(path), path, "label", str)
        if label not in shown:
            others.append(label)
    if others:
        found.append(
            "the folder holds searches that --methods does not name, which "
            f"are not in this report: {', '.join(others)}"
        )
    commits = {
        str(about.get("commit"))
        for made in results.made_by.values()
        for about in made
    }
    if len(commits) > 1:
        found.append(
            f"the searches were made by {len(commits)} states of the source: "
            f"{', '.join(sorted(commits))}"
        )
    return found


def make_document(
    results: Results,
    tables: Tables,
    verdicts: Sequence[str],
    remarks: Sequence[str],
    images: Sequence[tuple[Protocol, Image]],
    command: str,
) -> Document:
    """Puts the report together."""
    labels = ", ".join(variant.label for variant in results.variants)
    sections = [
        section
        for protocol in results.task.protocols
        for section in _of_protocol(
            results, tables, protocol, [i for p, i in images if p == protocol]
        )
    ]
    return Document(
        f"NAS-Bench-201: {labels}",
        verdicts,
        remarks,
        _NOTE,
        [
            (
                "The benchmark; given again it searches what is missing, and "
                "writes the report again",
                printable(command),
            )
        ],
        _FILES,
        [*sections, _published(tables), _made_by(results)],
    )


def _of_protocol(
    results: Results,
    tables: Tables,
    protocol: Protocol,
    images: Sequence[Image],
) -> list[Section]:
    """Tables and figures of one protocol."""
    label, title = protocol.label, protocol.title
    told, ends, pairs = (
        frame[frame["protocol"] == label]
        for frame in (tables.accuracies, tables.ends, tables.differences)
    )
    return [
        Section(
            title,
            f"{protocol.about.capitalize()}. The row {EXACT} is an "
            "expectation over all searches, not a sample: of N uniform draws "
            "the best is cell k of n with probability (k/n)^N - ((k-1)/n)^N.",
            tables=[
                _accuracies(told[told["queries"] == at], protocol, at)
                for at in results.task.budgets(protocol)
            ],
            images=images,
        ),
        Section(
            f"{title}: optimum and repeats",
            "Of the searches on the column that decides the test accuracy: "
            "the share of runs that met its best cell, the different strings "
            "and the different classes of isomorphic cells that a run looked "
            "up on average, and the queries after which half of all runs had "
            "met the best cell. Seconds of a search are of the machines that "
            "searched.",
            tables=[_ends(ends, label)],
        ),
        Section(
            f"{title}: paired differences",
            "First minus second method at equal seeds, in points: the test "
            "accuracies of what was found, and the accuracies that were "
            "searched on, where they are others; on ImageNet-16-120 the best "
            "cell by validation is not near the best by test, and a better "
            "searcher may end below. Effect: mean difference over the "
            "deviation of the differences.",
            lines=search_verdicts(tables, protocol)
            if len(pairs)
            else ["One method alone has no rival."],
            tables=[
                _pairs(part, f"{label}: {measure}")
                for measure, part in pairs.groupby("measure", sort=False)
            ]
            if len(pairs)
            else [],
        ),
    ]


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


def _accuracies(frame: pd.DataFrame, protocol: Protocol, at: int) -> Any:
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


def _ends(frame: pd.DataFrame, label: str) -> ReportTable:
    shown = frame.assign(dataset=frame["dataset"].map(TITLES))
    heads = {
        "queries": "queries",
        "dataset": "data set",
        "method": "method",
        "optimum": "runs at the optimum",
        "strings": "different strings",
        "classes": "different classes",
        "median_queries": "median queries to it",
        "seconds": "seconds a search",
    }
    names = list(heads.values())
    shown = shown[list(heads)].set_axis(names, axis=1).set_index(names[:3])
    forms = [".1%", ".0f", ".0f", ",.0f", ".3g"]
    return ReportTable(
        f"{label}: optimum and repeats",
        shown,
        {n: number(f) for n, f in zip(names[3:], forms, strict=True)},
        "tables/ends.csv",
    )


def _pairs(frame: pd.DataFrame, label: str) -> ReportTable:
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
                f"{'below' if row['below_noise'] else 'from'} {row['noise']}"
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


def _published(tables: Tables) -> Section:
    frame = tables.published.assign(
        runs=[
            "not said" if np.isnan(runs) else f"{runs:.0f}"
            for runs in tables.published["runs"]
        ]
    )
    wide = _layout(frame, ["method", "protocol", "runs"])
    return Section(
        "Published rows",
        "As the paper of L2NAS prints them (Mills et al., CIKM 2021, arXiv "
        "2109.12425), with the protocol behind each: "
        "compare a row of ours only with one of the same protocol and budget. "
        "That the test column of L2NAS is a search of its own on the test "
        "accuracies is inferred: no choice by validation reaches its 47.03 on "
        f"ImageNet-16-120. The paper prints the optima ({OPTIMUM}) as 91.61, "
        "94.37, 73.49, 73.51, 46.77 and 47.31; only 46.77 differs from ours.",
        tables=[
            ReportTable(
                "Published, mean +- standard deviation",
                wide,
                dict.fromkeys(wide.columns, str),
                "tables/published.csv",
            )
        ],
    )


def _made_by(results: Results) -> Section:
    """Methods, settings, versions and machines."""
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
    return Section(
        "Methods and machines",
        f"{results.seeds:,} runs each, seeds 1 to {results.seeds:,}.",
        tables=[
            ReportTable("Settings", pd.DataFrame(settings).set_index("label")),
            ReportTable("What searched", machines.set_index("labels")),
        ],
    )
