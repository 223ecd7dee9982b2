"""The final ranking of a search, which goes on where it was cut off."""

from collections.abc import Callable, Iterable

from enas.scoring import Scored
from nascore.runs.atomic import write_json
from nascore.runs.folder import SEARCH_END, RunFolder
from nascore.spaces.cells import Architecture, CellSpace


class Ranking:
    """The measurements of the final ranking, in `ranking.csv`.

    Each is written as soon as it is made: on the whole validation set they
    take a while, and the weights stand still.

    Args:
      run: the run folder.
      space: the search space.
    """

    def __init__(self, run: RunFolder, space: CellSpace) -> None:
        self._table = run.table("ranking")
        self._end = run.path / SEARCH_END
        self._space = space

    def forget(self) -> None:
        """Drops the measurements; the weights are about to change."""
        self._table.clear()

    def rank(
        self,
        architectures: Iterable[Architecture],
        score: Callable[[Architecture], Scored],
        epochs: int,
        stopped_early: bool,
    ) -> list[Scored]:
        """Measures what is not measured yet, and writes the ranking.

        From then on the run is finished.

        Args:
          architectures: may repeat.
          score: measures one.
          epochs: after how many epochs of search.
          stopped_early: whether those are fewer than were asked for.

        Returns:
          Each architecture once, best first; of equals the earlier one.
        """
        found = self._measured(epochs)
        for architecture in architectures:
            if architecture not in found:
                found[architecture] = score(architecture)
                self._add(epochs, found[architecture])
        ranked = sorted(
            found.values(), key=lambda entry: -entry.validation_accuracy
        )
        write_json(
            self._end,
            {
                "measured_on": "the whole validation set, with shared weights"
                "; not the accuracy after training from scratch",
                "epochs": epochs,
                "stopped_early": stopped_early,
                "architectures": [
                    {"rank": rank, **_row(entry)}
                    for rank, entry in enumerate(ranked, 1)
                ],
            },
        )
        return ranked

    def _measured(self, epochs: int) -> dict[Architecture, Scored]:
        """What was measured before a crash, in its order."""
        found = {}
        for row in self._table.read():
            if int(row["epochs"]) == epochs:
                architecture = self._space.parse(row["architecture"])
                found[architecture] = Scored(
                    architecture,
                    float(row["validation_accuracy"]),
                    float(row["search_test_accuracy"]),
                )
        return found

    def _add(self, epochs: int, entry: Scored) -> None:
        self._table.append([{"epochs": epochs, **_row(entry)}])


def _row(entry: Scored) -> dict[str, str | float]:
    return {
        "architecture": str(entry.architecture),
        "validation_accuracy": entry.validation_accuracy,
        "search_test_accuracy": entry.search_test_accuracy,
    }
