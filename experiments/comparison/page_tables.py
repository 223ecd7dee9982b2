"""The tables of a report in the words of its page."""

from collections.abc import Mapping, Sequence

import pandas as pd

from experiments.comparison.measures import METRICS, describe_metric
from experiments.comparison.methods import look_of
from experiments.comparison.rows import Rows
from experiments.reports.scores import ScoreKind
from experiments.reports.tables import Form, ReportTable, interval, number
from nascore.drawing.cells import operation_label


def _titles(methods: pd.Series) -> pd.Series:
    return methods.map(lambda name: look_of(name).title)


def _intervals(table: pd.DataFrame, form: str) -> list[str]:
    return [interval(row, form) for row in table.to_dict("records")]


def _table(
    caption: str,
    frame: pd.DataFrame,
    levels: Sequence[str],
    forms: Mapping[str, Form],
    file: str,
) -> ReportTable:
    """A table whose rows are of a data set; one alone is in the caption."""
    first, *others = levels
    names = frame[first].unique()
    if len(names) == 1 and others:
        caption, frame = f"{caption}, {names[0]}", frame.drop(columns=first)
        levels = others
    return ReportTable(caption, frame.set_index(list(levels)), forms, file)


def summary(table: pd.DataFrame, kind: ScoreKind) -> ReportTable:
    """Means of each method over seeds."""
    # Measure by measure, so that methods stand below each other.
    order = {name: place for place, name in enumerate(METRICS)}
    datasets = list(table["dataset"].unique())
    table = table.sort_values(
        ["dataset", "metric"],
        key=lambda column: column.map(
            order if column.name == "metric" else datasets.index
        ),
        kind="stable",
    )
    frame = pd.DataFrame(
        {
            "data set": table["dataset"],
            "measure": [describe_metric(m, kind.name) for m in table["metric"]],
            "method": _titles(table["method"]),
            "seeds": table["seeds"],
            "mean": table["mean"],
            "95% t interval": _intervals(table, kind.form),
        }
    )
    return _table(
        "Means by method",
        frame,
        ["data set", "measure", "method"],
        {"mean": number(kind.form), "95% t interval": str},
        "tables/summary.csv",
    )


def reached(table: pd.DataFrame, kind: ScoreKind) -> ReportTable:
    """When each method reached a target."""
    late = "not reached"
    frame = pd.DataFrame(
        {
            "data set": table["dataset"],
            "target": [f"{t:{kind.target_form}}" for t in table["target"]],
            "method": _titles(table["method"]),
            "reached": [
                f"{some} of {all_}"
                for some, all_ in zip(
                    table["reached"], table["seeds"], strict=True
                )
            ],
            "epochs": table["epochs"],
            "architectures": table["evaluations"],
            "seconds": table["seconds"],
        }
    )
    return _table(
        f"Until the mean {kind.name} reached a target",
        frame,
        ["data set", "target", "method"],
        {
            "epochs": number(".4g", late),
            "architectures": number(".6g", late),
            "seconds": number(".0f", late),
        },
        "tables/reached.csv",
    )


def differences(table: pd.DataFrame, kind: ScoreKind) -> ReportTable:
    """Paired differences with intervals and p-values."""
    pairs = zip(_titles(table["first"]), _titles(table["second"]), strict=True)
    frame = pd.DataFrame(
        {
            "data set": table["dataset"],
            "methods": [f"{first} – {second}" for first, second in pairs],
            "measure": [describe_metric(m, kind.name) for m in table["metric"]],
            **{
                head: table[column] if len(table) else []
                for head, column in (
                    ("seeds", "count"),
                    ("difference", "mean"),
                    ("sign-flip p", "p_value"),
                    ("by Holm", "p_holm"),
                    ("least", "least_holm"),
                    ("effect", "effect_size"),
                )
            },
        }
    )
    frame.insert(5, "95% t interval", _intervals(table, "+.2%"))
    return _table(
        f"First {kind.minus} second method",
        frame,
        ["data set", "methods", "measure"],
        {
            "difference": number("+.2%"),
            "95% t interval": str,
            "sign-flip p": number(".3g"),
            "by Holm": number(".3g"),
            "least": number(".3g"),
            "effect": number("+.2f"),
        },
        "tables/differences.csv",
    )


def diversity(table: pd.DataFrame) -> ReportTable:
    """How different the architectures were."""
    frame = pd.DataFrame(
        {
            "data set": table["dataset"],
            "method": _titles(table["method"]),
            "unique": table["unique"],
            "unique, last epoch": table["unique_last_epoch"],
            "entropy, last epoch (nats)": table["entropy_last_epoch"],
            "uniform policy (nats)": table["entropy_uniform"],
            "collapsed runs": [
                f"{some} of {all_}"
                for some, all_ in zip(
                    table["collapsed_runs"], table["seeds"], strict=True
                )
            ],
        }
    )
    return _table(
        "Unique architectures, and the entropy of the policy",
        frame,
        ["data set", "method"],
        {
            "unique": number(".1%"),
            "unique, last epoch": number(".1%"),
            "entropy, last epoch (nats)": number(".2f"),
            "uniform policy (nats)": number(".2f"),
        },
        "tables/diversity.csv",
    )


def rank_check(table: pd.DataFrame) -> ReportTable:
    """Kendall's tau of each method."""
    frame = pd.DataFrame(
        {
            "data set": table["dataset"],
            "method": _titles(table["method"]),
            "runs": table["runs"],
            "architectures": table["architectures"],
            "Kendall's tau": table["tau"],
            "95% t interval": _intervals(table, "+.2f"),
            "sign-flip p": table["p_value"],
            "by Holm": table["p_holm"],
            "standalone accuracy": table["standalone_mean"],
            "measured on": table["measured_on"],
        }
    )
    return _table(
        "Shared weights against standalone training",
        frame,
        ["data set", "method"],
        {
            "Kendall's tau": number("+.2f"),
            "95% t interval": str,
            "sign-flip p": number(".3g"),
            "by Holm": number(".3g"),
            "standalone accuracy": number(".2%"),
        },
        "tables/rank_check.csv",
    )


def operations(table: pd.DataFrame) -> ReportTable:
    """Shares of the operations."""
    names = list(table["operation"].unique())
    heads = ["data set", "method", "cell"]
    lines = [
        [dataset, look_of(method).title, cell]
        + list(part.set_index("operation")["share"].reindex(names))
        for (dataset, method, cell), part in table.groupby(
            ["dataset", "method", "cell"], sort=False
        )
    ]
    labels = [operation_label(name) for name in names]
    return _table(
        "Shares in the last epoch",
        pd.DataFrame(lines, columns=[*heads, *labels]),
        heads,
        dict.fromkeys(labels, number(".1%")),
        "tables/operations.csv",
    )


def table_1(table: pd.DataFrame, datasets: Sequence[str]) -> list[ReportTable]:
    """As the paper prints it, ours beside the published numbers."""
    return [
        _table_1_of(scope, table[table["scope"] == scope], datasets)
        for scope in table["scope"].unique()
    ]


def _table_1_of(
    scope: str, part: pd.DataFrame, datasets: Sequence[str]
) -> ReportTable:
    published = scope != "all epochs"
    methods = list(part["method"].unique())
    columns: dict[str, list[float]] = {}
    for dataset in datasets:
        own = part[part["dataset"] == dataset].set_index("method")
        if own.empty:
            continue
        first = own.iloc[0]
        name = dataset
        if published:
            name += f", epoch {int(first['epoch_first'])}"
            if first["epoch_last"] != first["epoch_first"]:
                name += f"–{int(first['epoch_last'])}"
        heads = {f"{name} ({int(first['seeds'])} seeds)": ""}
        if published:
            epoch = number(".0f")(first["published_epoch"])
            heads[f"{dataset}: paper, epoch {epoch}"] = "published_"
        own = own.reindex(methods)
        for head, prefix in heads.items():
            columns[head] = [*own[f"{prefix}mean"], *own[f"{prefix}std"]]
    index = pd.MultiIndex.from_tuples(
        [
            (title, look_of(method).title)
            for title in ("Avg", "STD")
            for method in methods
        ],
        names=["", "method"],
    )
    return ReportTable(
        scope[0].upper() + scope[1:],
        pd.DataFrame(columns, index=index),
        dict.fromkeys(columns, number(".3f")),
        "tables/table_1.csv",
    )


def settings(rows: Rows) -> ReportTable:
    """The settings of the first run of each data set."""
    configs = {name: rows.about[name]["config"] for name in rows.datasets}
    first = next(iter(configs.values()))
    names = [name for name in first if name not in ("seed", "data_dir")]
    frame = pd.DataFrame(
        {
            dataset: [str(config.get(name, "–")) for name in names]
            for dataset, config in configs.items()
        },
        index=pd.Index(names, name="setting"),
    )
    return ReportTable("Settings", frame, file="rows/about.json")


def runs(rows: Rows) -> ReportTable:
    """Where and when each run was made, and by which commit."""
    table = rows.runs
    columns = ["epochs", "starts", "time", "tensorflow", "git_commit", "host"]
    frame = table[columns].astype(str)
    frame["git_commit"] = frame["git_commit"].str.slice(0, 10)
    frame["time"] = frame["time"].str.slice(0, 19)
    frame.columns = pd.Index(
        ["epochs", "starts", "time", "TensorFlow", "commit", "machine"]
    )
    heads = ["data set", "method", "seed"]
    for place, (head, values) in enumerate(
        zip(
            heads,
            (table["dataset"], _titles(table["method"]), table["seed"]),
            strict=True,
        )
    ):
        frame.insert(place, head, values)
    return _table("Runs", frame, heads, {}, "rows/runs.csv")
