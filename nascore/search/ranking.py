"""The final ranking of a search, which goes on where it was cut off."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nascore.protocols import Evaluator
from nascore.runs.atomic import write_json
from nascore.runs.config import SEARCH_END
from nascore.runs.folder import RunFolder
from nascore.search.records import Records
from nascore.spaces.space import Space


class Ranked(NamedTuple):
    """An architecture and what it is worth.

    Attributes:
      architecture: of the space.
      measured: by name; the first number ranks.
    """

    architecture: Any
    measured: Mapping[str, float]

    @property
    def score(self) -> float:
        """The number that ranks."""
        return next(iter(self.measured.values()))


class Ranking:
    """The measurements of the final ranking, in `ranking.csv`.

    Each is written as soon as it is made: on the whole validation set they
    take a while, and the weights stand still.

    Args:
      run: the run folder.
      space: the search space.
      measured_on: what the measurements are.
    """

    def __init__(self, run: RunFolder, space: Space, measured_on: str) -> None:
        self._table = run.table("ranking")
        self._end = run.path / SEARCH_END
        self._space = space
        self._measured_on = measured_on

    def forget(self) -> None:
        """Drops the measurements; the weights are about to change."""
        self._table.clear()

    def rank(
        self,
        architectures: Iterable[Any],
        measure: Callable[[Any], Mapping[str, float]],
        epochs: int,
        stopped_early: bool,
    ) -> list[Ranked]:
        """Measures what is not measured yet, and writes the ranking.

        From then on the run is finished.

        Args:
          architectures: may repeat.
          measure: measures one.
          epochs: after how many epochs of search.
          stopped_early: whether those are fewer than were asked for.

        Returns:
          Each architecture once, best first; of equals the earlier one.
        """
        found = self._measured(epochs)
        for architecture in architectures:
            if architecture not in found:
                entry = Ranked(architecture, dict(measure(architecture)))
                found[architecture] = entry
                self._table.append([{"epochs": epochs, **self._row(entry)}])
        ranked = sorted(found.values(), key=lambda entry: -entry.score)
        self.write(ranked, epochs, stopped_early)
        return ranked

    def rank_measured(
        self,
        records: Records,
        evaluator: Evaluator,
        count: int,
        epochs: int,
        stopped_early: bool,
    ) -> list[Ranked]:
        """Writes the best that were measured as the ranking; see `rank`.

        Args:
          records: of the search.
          evaluator: says what is told of each, and from which column.
          count: most of them.
          epochs: after how many epochs of search.
          stopped_early: whether those are fewer than were asked for.

        Raises:
          RunStopped: nothing was measured, or all was lost.
        """
        measures = evaluator.measures
        columns = {measures: measures, **evaluator.ranked}
        evaluated = len(records.run.read(records.ranks))
        entries = [
            Ranked(
                entry.architecture,
                {
                    name: _number(entry.row[column])
                    for name, column in columns.items()
                },
            )
            for entry in records.leaders(count, evaluated, evaluator.fault[1])
        ]
        self.write(entries, epochs, stopped_early, evaluated=evaluated)
        return entries

    def write(
        self,
        ranked: Sequence[Ranked],
        epochs: int,
        stopped_early: bool,
        **more: int,
    ) -> None:
        """Writes a ranking, and what else; then the run is finished."""
        write_json(
            self._end,
            {
                "measured_on": self._measured_on,
                "epochs": epochs,
                "stopped_early": stopped_early,
                **more,
                "architectures": [
                    {"rank": rank, **self._row(entry)}
                    for rank, entry in enumerate(ranked, 1)
                ],
            },
        )

    def _measured(self, epochs: int) -> dict[Any, Ranked]:
        """What was measured before a crash, in its order."""
        found = {}
        for row in self._table.read():
            if int(row.pop("epochs")) == epochs:
                architecture = self._space.parse(row.pop("architecture"))
                numbers = {name: float(value) for name, value in row.items()}
                found[architecture] = Ranked(architecture, numbers)
        return found

    def _row(self, entry: Ranked) -> dict[str, Any]:
        text = self._space.format(entry.architecture)
        return {"architecture": text, **entry.measured}


def _number(value: Any) -> float:
    """Of a CSV file, or as it was measured."""
    number = float(value)
    return (
        int(number) if number.is_integer() and "." not in str(value) else number
    )
