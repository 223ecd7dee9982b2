"""The report of MLPNAS's tables, as `experiments.mlpnas_report` writes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.evidence import correct, judge, measured
from experiments.mlpnas_rows import read_command
from experiments.mlpnas_variants import (
    COMPETITORS_FILE,
    RUNS_FILE,
    SCIKIT_LEARN,
    VARIANTS,
)
from experiments.reports.document import Document, Section, write_document
from experiments.reports.tables import ReportTable
from mlpnas.config import COMPETITORS
from nascore.errors import InputError, printable
from nascore.runs.csv_files import read_table
from nascore.stats import paired_test

# What searches are compared by; all are accuracies.
MEASURES = {
    "test": "test accuracy of the best, after fine-tuning",
    "score_best": "score of the best",
    "score_last": "mean score of the last epoch's architectures",
    "score_mean": "mean score of all architectures",
}
_LIMITS = (-1.0, 1.0)
_RULE = (
    "Differences at equal seeds. A difference is called supported if its 95% "
    "t interval leaves out 0 and its sign-flip p, corrected by Holm for the "
    "searches that are compared by the same measure, is below 0.05; else it "
    "is undecided, which is not the same as equal. Over the measures nothing "
    "is corrected; the first is the one that counts."
)
_PAPER = (
    "Accuracies in %, ours mean +- deviation over seeds; the paper's in "
    "parentheses, its own scikit-learn MLP's beside its perceptrons'. "
    "Examples: what each network and the scikit-learn MLP of its row "
    "learned from; the paper gives no number, so its levels and ours do "
    "not compare. Trained: architectures. Fifth and best: validation "
    "accuracy after the last epoch of the fifth and the first by score."
)
_PREDICTOR = (
    "The predictor: Spearman's rank correlation of predicted and measured "
    "scores of an epoch's architectures before they were trained, mean "
    "over epochs 2 to the last, then over seeds."
)
_FILES = (
    ("runs.csv", "every run, with its commit"),
    ("candidates.csv.gz", "every architecture"),
    ("competitors.csv", "scikit-learn's classifiers"),
    ("differences.csv", "the numbers of the comparisons"),
)
_NUMBERS = [
    "seed",
    "evaluated",
    "validation_best",
    "validation_fifth",
    "predictor_correlation",
    "train_rows",
    *MEASURES,
]


def write(out: Path) -> None:
    """Writes tables and verdicts from a folder's rows, and prints them.

    Raises:
      InputError: the rows are missing or damaged, or the folder cannot be
        written.
    """
    rows = _read(out / RUNS_FILE, _NUMBERS, ["variant"])
    competitors = _read(
        out / COMPETITORS_FILE,
        ["seed", "validation", "test"],
        ["data", "name"],
    )
    unknown = sorted(set(rows["variant"]) - set(VARIANTS))
    if unknown:
        raise InputError(
            f"{out / RUNS_FILE} names the unknown search {unknown[0]!r}; "
            "leave its rows out"
        )
    twice = rows.duplicated(["variant", "seed"])
    if twice.any():
        odd = rows[twice].iloc[0]
        raise InputError(
            f"{out / RUNS_FILE} has two rows of {odd['variant']} with seed "
            f"{odd['seed']}; leave one out"
        )
    comparisons = compare_variants(rows)
    text, page = out / "tables.md", out / "report.html"
    try:
        comparisons.to_csv(out / "differences.csv", index=False)
        write_document(
            _make_document(rows, competitors, comparisons, read_command(out)),
            page,
            text,
        )
        print(text.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error}") from None
    print(f"wrote {page} and {text}")


def _make_document(
    rows: pd.DataFrame,
    competitors: pd.DataFrame,
    comparisons: pd.DataFrame,
    command: str,
) -> Document:
    first, others = (
        [verdict(row) for row in part.to_dict("records")]
        for part in (
            comparisons[comparisons["measure"] == next(iter(MEASURES))],
            comparisons[comparisons["measure"] != next(iter(MEASURES))],
        )
    )
    again = "python -m experiments.mlpnas_report REPORT"
    commands = [("The tables", printable(command))] if command else []
    return Document(
        "MLPNAS: the tables of the paper",
        first,
        list_unpaired(rows),
        _RULE,
        [
            *commands,
            (
                "The report again from the rows, where REPORT is the folder "
                "of this page",
                again,
            ),
        ],
        _FILES,
        [
            Section(
                "Accuracies", _PAPER, tables=[_paper_table(rows, competitors)]
            ),
            Section("Predictor", _PREDICTOR, tables=[_predictor_table(rows)]),
            Section(
                "Competitors", tables=[_competitor_table(rows, competitors)]
            ),
            Section("Differences by other measures", lines=others),
        ],
    )


def _read(
    path: Path, numbers: Sequence[str], texts: Sequence[str]
) -> pd.DataFrame:
    table = read_table(path, numbers, texts)
    if table.empty:
        raise InputError(
            f"{path} has no rows; experiments.mlpnas_tables writes them"
        )
    return table


def compare_variants(rows: pd.DataFrame) -> pd.DataFrame:
    """Each variant against its random search, paired by seed.

    Holm's correction is over the variants, for each measure.
    """
    # Slow to import: after the arguments were checked.
    compared = []
    for name, rival, seeds in _pairs(rows):
        own, other = (
            rows[rows["variant"] == which].set_index("seed").loc[seeds]
            for which in (name, rival)
        )
        for measure in MEASURES if len(seeds) else ():
            test = paired_test(
                own[measure].to_numpy(), other[measure].to_numpy(), _LIMITS
            )
            compared.append(
                {
                    "variant": name,
                    "rival": rival,
                    "measure": measure,
                    **dataclasses.asdict(test),
                }
            )
    if not compared:
        return pd.DataFrame(columns=["variant", "rival", "measure"])
    return correct(pd.DataFrame(compared), ["measure"])


def _pairs(rows: pd.DataFrame) -> list[tuple[str, str, list[int]]]:
    """Variants with their rivals, and the seeds that both have."""
    seeds = rows.groupby("variant")["seed"].agg(set)
    return [
        (name, rival, sorted(seeds[name] & seeds.get(rival, set())))
        for name in rows["variant"].unique()
        if (rival := VARIANTS[name].rival)
    ]


def list_unpaired(rows: pd.DataFrame) -> list[str]:
    """Says which runs have no partner to be compared with."""
    lines = []
    for name, rival, shared in _pairs(rows):
        for one, other in ((name, rival), (rival, name)):
            own = rows.loc[rows["variant"] == one, "seed"]
            alone = sorted(set(own) - set(shared))
            if alone:
                lines.append(
                    f"Not compared, for {VARIANTS[other].title} has no run "
                    f"of the same seed: {VARIANTS[one].title}, seed "
                    f"{', '.join(map(str, alone))}."
                )
    return list(dict.fromkeys(lines))


def verdict(row: Mapping[str, Any]) -> str:
    """Says in one line what a comparison with random search came to."""
    rival = "random search"
    if VARIANTS[row["rival"]].settings.get("one_shot"):
        rival += " with one-shot"
    return (
        f"{VARIANTS[row['variant']].title}: MLPNAS minus {rival}, "
        f"{MEASURES[row['measure']]}, "
        f"{row['count']} {'seed' if row['count'] == 1 else 'seeds'}: "
        f"{100 * row['mean']:+.2f} points ({measured(row, '+.2f', 100)}); "
        f"{judge(row, 'MLPNAS', rival)}."
    )


def _spread(values: Sequence[float]) -> str:
    array = 100 * np.asarray(values, np.float64)
    if len(array) < 2:
        return f"{array.mean():.1f}"
    return f"{array.mean():.1f} +- {array.std(ddof=1):.1f}"


def _examples(rows: pd.DataFrame) -> str:
    """How many training examples the runs had."""
    return ", ".join(f"{count:.0f}" for count in rows["train_rows"].unique())


def _paper_table(rows: pd.DataFrame, competitors: pd.DataFrame) -> ReportTable:
    lines = []
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
        table, examples = "-", _examples(own)
        if variant.published:
            paper = variant.published
            table = str(paper.table)
            examples += " (not given)"
            for place, value in enumerate(paper[1:]):
                said = "-" if value is None else f"{100 * value:.0f}"
                ours[place] += f" ({said})"
        trained = f"{own['evaluated'].mean():.0f}"
        lines.append([table, variant.title, examples, trained, *ours])
    heads = ["table", "search", "examples", "trained", "fifth", "best", "test"]
    heads.append("scikit-learn MLP, test")
    return _table("Ours, and the paper's in parentheses", heads, lines, 2)


def _predictor_table(rows: pd.DataFrame) -> ReportTable:
    lines = []
    for name in rows["variant"].unique():
        values = rows[rows["variant"] == name]["predictor_correlation"]
        if values.isna().all():
            continue
        each = ", ".join(f"{value:+.2f}" for value in values)
        lines.append([VARIANTS[name].title, each, f"{values.mean():+.2f}"])
    heads = ["search", "correlation by seed", "mean"]
    return _table("Rank correlations", heads, lines, 1)


def _competitor_table(
    rows: pd.DataFrame, competitors: pd.DataFrame
) -> ReportTable:
    kinds = rows["variant"].map(lambda name: VARIANTS[name].data)
    lines = []
    for kind in competitors["data"].unique():
        examples = _examples(rows[kinds == kind])
        for name in SCIKIT_LEARN:
            own = competitors[
                (competitors["data"] == kind) & (competitors["name"] == name)
            ]
            if own.empty:
                continue
            spreads = _spread(own["validation"]), _spread(own["test"])
            lines.append([kind, COMPETITORS[name], examples, *spreads])
    heads = ["data", "competitor", "examples", "validation", "test"]
    caption = "Accuracies of scikit-learn's classifiers in %"
    return _table(caption, heads, lines, 2)


def _table(
    caption: str, heads: list[str], lines: list[list[str]], levels: int
) -> ReportTable:
    """A table of words, whose first columns name the rows."""
    frame = pd.DataFrame(lines, columns=heads).set_index(heads[:levels])
    return ReportTable(caption, frame, dict.fromkeys(heads[levels:], str))
