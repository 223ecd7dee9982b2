"""Makes the report of mlpnas_tables again, from its CSV files.

  python -m experiments.mlpnas_report FOLDER
  python -m experiments.mlpnas_report mlpnas_tables

Reads `runs.csv` and `competitors.csv`, as `experiments.mlpnas_tables` writes
them; writes `tables.md` and `differences.csv`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import launch
from experiments.evidence import correct, judge, measured
from experiments.mlpnas_variants import (
    COMPETITORS_FILE,
    RUNS_FILE,
    SCIKIT_LEARN,
    VARIANTS,
)
from mlpnas.config import COMPETITORS
from nascore.errors import InputError
from nascore.runs.csv_files import read_table
from nascore.stats import paired_test

if TYPE_CHECKING:
    import pandas as pd

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
    text = "\n\n".join(
        [
            _paper_table(rows, competitors),
            _predictor_table(rows),
            _competitor_table(rows, competitors),
            *list_unpaired(rows),
            _RULE,
            *(verdict(row) for row in comparisons.to_dict("records")),
        ]
    )
    try:
        comparisons.to_csv(out / "differences.csv", index=False)
        (out / "tables.md").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error}") from None
    print(text)
    print(f"\nwrote {out / 'tables.md'}")


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
    import pandas as pd

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
        f"- {VARIANTS[row['variant']].title}: MLPNAS minus {rival}, "
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


def _paper_table(rows: pd.DataFrame, competitors: pd.DataFrame) -> str:
    lines = [
        "Accuracies in %, ours mean +- deviation over seeds; the paper's in "
        "parentheses, its own scikit-learn MLP's beside its perceptrons'. "
        "Examples: what each network and the scikit-learn MLP of its row "
        "learned from; the paper gives no number, so its levels and ours do "
        "not compare. Trained: architectures. Fifth and best: validation "
        "accuracy after the last epoch of the fifth and the first by score.",
        "",
        "| table | search | examples | trained | fifth | best | test | "
        "scikit-learn MLP, test |",
        "|---|---|---|---|---|---|---|---|",
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
        table, examples = "-", _examples(own)
        if variant.published:
            paper = variant.published
            table = str(paper.table)
            examples += " (not given)"
            for place, value in enumerate(paper[1:]):
                said = "-" if value is None else f"{100 * value:.0f}"
                ours[place] += f" ({said})"
        lines.append(
            f"| {table} | {variant.title} | {examples} | "
            f"{own['evaluated'].mean():.0f} | {' | '.join(ours)} |"
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
    kinds = rows["variant"].map(lambda name: VARIANTS[name].data)
    lines = [
        "| data | competitor | examples | validation | test |",
        "|---|---|---|---|---|",
    ]
    for kind in competitors["data"].unique():
        examples = _examples(rows[kinds == kind])
        for name in SCIKIT_LEARN:
            own = competitors[
                (competitors["data"] == kind) & (competitors["name"] == name)
            ]
            if own.empty:
                continue
            lines.append(
                f"| {kind} | {COMPETITORS[name]} | {examples} | "
                f"{_spread(own['validation'])} | {_spread(own['test'])} |"
            )
    return "\n".join(lines)


def main(args: list[str]) -> None:
    """Makes one report again."""
    if len(args) != 1:
        raise InputError("name one folder of tables: mlpnas_report FOLDER")
    folder = Path(args[0])
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    write(folder)


def cli() -> None:
    """Console entry point."""
    launch.run(main)


if __name__ == "__main__":
    cli()
