"""What the numbers of a comparison support, in plain sentences."""

from collections.abc import Mapping
from typing import Any

from experiments.comparison.measures import deciding
from experiments.comparison.methods import look_of
from experiments.comparison.paper import ANCHORS
from experiments.comparison.tables import Tables
from experiments.evidence import judge, measured
from experiments.reports.scores import ACCURACY, ScoreKind


def verdicts(
    tables: Tables,
    dataset: str,
    kind: ScoreKind = ACCURACY,
    hours: float = 0.0,
) -> list[str]:
    """A plain sentence on each pair of methods, none left out.

    I-ENAS against ENAS comes first; that these runs have no such pairs is
    said.

    Args:
      tables: of the report.
      dataset: its name.
      kind: of the scores that architectures are ranked by.
      hours: that each run had at most; 0: no limit.
    """
    table = tables.differences
    part = table[
        (table["dataset"] == dataset) & (table["metric"] == deciding(hours))
    ]
    said = [_sentence(row, kind, hours) for row in part.to_dict("records")]
    methods = set(tables.metrics.loc[_is(tables, dataset), "method"])
    both = part["first"].isin(ANCHORS) & (part["second"] == "enas")
    ours = methods & {"enas", *ANCHORS}
    # Who compares ENAS with others has not asked for I-ENAS.
    if not both.any() and ours and (len(ours) > 1 or not said):
        said.insert(
            0,
            f"{dataset}: there are no runs of I-ENAS and ENAS at the same "
            "seeds, so nothing can be said about the two.",
        )
    return said


def _is(tables: Tables, dataset: str) -> Any:
    return tables.metrics["dataset"] == dataset


def _sentence(row: Mapping[str, Any], kind: ScoreKind, hours: float) -> str:
    first, second = look_of(row["first"]).title, look_of(row["second"]).title
    count = row["count"]
    seeds = "one seed" if count == 1 else f"{count} seeds"
    last = " in its last epoch" * bool(hours)
    time = f" of at most {hours:g} hours each" * bool(hours)
    words = (
        f"{row['dataset']}: over {seeds}{time}, the architectures that {first} "
        f"sampled{last} {kind.describe_difference(row['mean'])} those of "
        f"{second}"
    )
    if count > 1:
        words += f" ({measured(row, '+.2%')})"
    if row["cut_pairs"]:
        words += (
            f", {row['cut_pairs']} of the {count} pairs over the epochs that "
            "both have"
        )
    ends = (second, first) if kind.lower_is_better else (first, second)
    return f"{words}; {judge(row, *ends)}."
