"""The rows that a report is made of."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.comparison.methods import in_order
from experiments.reports.scores import ScoreKind, kind_of
from nascore.runs.reader import read_space
from nascore.spaces.space import Space

KEY = ["dataset", "method", "seed"]
# What standalone accuracies are measured on: images that did not rank. Rows
# that do not say it were measured on the images that did.
UNRANKED = "search_test"
_RANKING = "validation"


@dataclasses.dataclass(frozen=True)
class Rows:
    """Everything that was measured, in long tables.

    Attributes:
      runs: a row for each run: where, when, on what.
      evaluations: a row for each evaluated architecture; `score` is what
        it is ranked by, see `kind`.
      epochs: a row for each epoch; `evaluations` and `seconds` add up from
        the run's start.
      proposals: the final rankings, with shared-weight accuracies.
      rank_check: standalone accuracies of some of the proposals, and which
        images they were `measured_on`; may be empty.
      about: by data set, the search spaces and the shared settings.
      notes: what a reader must know, such as runs left out.
      command: that gathered them; empty in the rows of earlier versions.
    """

    runs: pd.DataFrame
    evaluations: pd.DataFrame
    epochs: pd.DataFrame
    proposals: pd.DataFrame
    rank_check: pd.DataFrame
    about: dict[str, Any]
    notes: list[str]
    command: str = ""

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets, in the order of the runs."""
        return list(dict.fromkeys(self.runs["dataset"]))

    def methods(self, dataset: str) -> list[str]:
        """The methods with runs on a data set, in the legend's order."""
        chosen = self.runs["dataset"] == dataset
        return in_order(list(self.runs.loc[chosen, "method"]))

    @property
    def kind(self) -> ScoreKind:
        """What the scores of all architectures are."""
        first: dict[str, Any] = next(iter(self.about.values()), {})
        return kind_of(str(first.get("measures", "accuracy")))

    def hours(self, dataset: str) -> float:
        """Hours that each run on a data set had at most; 0: no limit."""
        return float(self.about[dataset].get("max_hours", 0.0))

    def space(self, dataset: str, method: str) -> Space:
        """The search space of a method's runs on a data set."""
        about = self.about[dataset]
        fields = about.get("spaces", {}).get(method, about.get("space"))
        return read_space({"space": fields}, Path("about.json"))


def with_images(rank_check: pd.DataFrame) -> pd.DataFrame:
    """Fills in what standalone accuracies were measured on."""
    known = rank_check.get("measured_on", pd.Series(dtype=str))
    images = known.reindex(rank_check.index).fillna(_RANKING).astype(str)
    return rank_check.assign(measured_on=images)
