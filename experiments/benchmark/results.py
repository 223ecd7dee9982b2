"""The searches of a benchmark, as its tables and figures need them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.benchmark import store
from experiments.benchmark.protocols import Protocol, Scope
from experiments.benchmark.statistics import (
    best_so_far,
    distinct_so_far,
    recent_means,
)
from experiments.benchmark.store import Chunk, Stored
from flags.benchmark import MethodVariant
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.names import TableColumn
from nascore.spaces.bench201 import classes

# Queries at which the rows are written down.
CHECKPOINTS = (50, 100, 200, 500, 1000)
# Last queries of a mean.
RECENT = 100
# Places of a curve, evenly on a logarithmic axis.
_PLACES = 70


class Searched(NamedTuple):
    """All searches of a variant on one column.

    Attributes:
      seeds: int64 `[runs]`, in order.
      counts: int64 `[places]`, queries at which the rest was looked at.
      best: uint16 `[runs, places]`, the best cell so far.
      strings: int64 `[runs, places]`, different cells so far.
      classes: likewise, different ones but for isomorphisms.
      recent: float64 `[runs, places]`, mean accuracy, from 0 to 1 and on
        the column, of the last `RECENT` queries: of what a method proposes
        by then, whatever the best is.
      met: float64 `[runs]`, queries until the best cell of the column was
        met; infinite where it was not.
      seconds: of a search, on average.
    """

    seeds: np.ndarray
    counts: np.ndarray
    best: np.ndarray
    strings: np.ndarray
    classes: np.ndarray
    recent: np.ndarray
    met: np.ndarray
    seconds: float

    def best_at(self, queries: int) -> np.ndarray:
        """The best cells after some of `counts` queries, `[runs]`."""
        return self.best[:, self.place(queries)]

    def place(self, queries: int) -> int:
        """Where it stands in `counts`."""
        return int(np.flatnonzero(self.counts == queries)[0])


class Results(NamedTuple):
    """What a report is made of.

    Attributes:
      scope: what was asked for.
      variants: what searched.
      seeds: searches of each.
      searched: by label and column.
      made_by: what each variant's searches were made by.
    """

    scope: Scope
    variants: Sequence[MethodVariant]
    seeds: int
    searched: Mapping[tuple[str, TableColumn], Searched]
    made_by: Mapping[str, Sequence[Mapping[str, Any]]]

    def told(
        self, label: str, protocol: Protocol, dataset: str, split: str, at: int
    ) -> np.ndarray:
        """Accuracies in percent of what a variant found, `[runs]`.

        Args:
          label: of the variant.
          protocol: what was searched on.
          dataset: of the accuracy, which is that after 200 epochs.
          split: of the accuracy.
          at: queries.
        """
        own = self.searched[label, protocol.searched(dataset, split)]
        values = table.accuracies(TableColumn(dataset, split))
        return 100 * values[own.best_at(at)]


def gather(
    variants: Sequence[MethodVariant],
    chunks: Sequence[Sequence[Chunk]],
    scope: Scope,
    seeds: int,
) -> Results:
    """Reads what was searched.

    Args:
      variants: what searched.
      chunks: the files of each.
      scope: what is reported.
      seeds: how many searches of each; files may hold more.

    Raises:
      InputError: a damaged file.
    """
    searched, made_by = {}, {}
    for variant, own in zip(variants, chunks, strict=True):
        about: list[Mapping[str, Any]] = []
        for column in scope.columns():
            stored = [store.load(c) for c in own if c.column == column]
            searched[variant.label, column] = _look(
                stored, column, scope, seeds
            )
            about += [s.about for s in stored if s.about not in about]
        made_by[variant.label] = about
    return Results(scope, variants, seeds, searched, made_by)


def _look(
    stored: Sequence[Stored], column: TableColumn, scope: Scope, seeds: int
) -> Searched:
    codes = np.concatenate([each.codes for each in stored])
    numbers = np.concatenate([each.seeds for each in stored])
    order = np.argsort(numbers)
    # Two files may hold the same, after a change of hands.
    _, first = np.unique(numbers[order], return_index=True)
    chosen = order[first][:seeds]
    seconds = sum(each.seconds for each in stored) / len(numbers)
    return look_at(
        codes[chosen],
        numbers[chosen],
        column,
        places_of(scope, column),
        seconds,
    )


def look_at(
    codes: np.ndarray,
    seeds: np.ndarray,
    column: TableColumn,
    places: np.ndarray,
    seconds: float = 0.0,
) -> Searched:
    """What searches came to.

    Args:
      codes: uint16 `[runs, queries]`.
      seeds: `[runs]`.
      column: that they saw.
      places: queries at which to look.
      seconds: of a search.
    """
    values = table.accuracies(column)
    asked = codes != store.NONE
    known = np.where(asked, codes, 0)
    kinds = np.where(asked, classes()[known], -1)
    top = asked & (values[known] == values.max())
    met = np.where(top.any(axis=1), top.argmax(axis=1) + 1.0, np.inf)
    at = places - 1
    return Searched(
        seeds,
        places,
        best_so_far(codes, values)[:, at],
        distinct_so_far(np.where(asked, known.astype(np.int64), -1))[:, at],
        distinct_so_far(kinds)[:, at],
        recent_means(np.where(asked, values[known], np.nan), RECENT)[:, at],
        met,
        seconds,
    )


def places_of(scope: Scope, column: TableColumn) -> np.ndarray:
    """Queries at which searches on a column are looked at."""
    most = scope.columns()[column]
    wanted = {count for count in CHECKPOINTS if count <= most} | {most}
    for protocol in scope.protocols:
        wanted |= {n for n in scope.budgets(protocol) if n <= most}
    curve = np.geomspace(1, most, _PLACES).round().astype(int).tolist()
    return np.array(sorted(wanted | set(curve)))
