"""What a search writes into its run folder."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nascore.drawing.spaces import draw
from nascore.errors import RunStopped
from nascore.protocols import Columns, Phase
from nascore.runs.atomic import write_json
from nascore.runs.folder import RunFolder
from nascore.runs.tables import Row
from nascore.runs.tensorboard import Board
from nascore.spaces.space import Space


class Best(NamedTuple):
    """One of the best that were measured.

    Attributes:
      score: it is ranked by.
      architecture: of the space.
      epoch: it was measured in.
      row: of the table.
    """

    score: float
    architecture: Any
    epoch: int
    row: Row

    @property
    def is_lost(self) -> bool:
        """Whether something went wrong with it; such come last."""
        return bool(self.row.get("note")) or math.isnan(self.score)


class Records:
    """The rows of a search and what follows from them.

    Args:
      run: the run folder; an earlier part of the same search may be in it.
      space: of the architectures.
      ranks: the table whose architectures join the list of the best.
      measures: the column that they are ranked by.
      best_count: length of that list.
      measured_on: what the measurements of that table are.
      show: writes a score for people.
    """

    def __init__(
        self,
        run: RunFolder,
        space: Space,
        ranks: str,
        measures: str,
        best_count: int,
        measured_on: str,
        show: Callable[[float], str],
    ) -> None:
        self.show = show
        self.run = run
        self.space = space
        self.ranks = ranks
        self.measures = measures
        self.best_count = best_count
        self.measured_on = measured_on
        self.board = Board(run.path / "tensorboard")
        # Rows of the epoch under way, by table.
        self._rows: dict[str, list[Row]] = {}
        self.best: list[Best] = []
        self._drawn: Best | None = None

    def rewind(self, epoch: int, tables: Sequence[str]) -> None:
        """Reads back what belongs to the checkpoint.

        Args:
          epoch: under way.
          tables: of the phases.
        """
        self._rows = {
            table: [
                row
                for row in self.run.read(table)
                if int(row["epoch"]) == epoch
            ]
            for table in tables
        }
        self.best = []
        self._join(self.run.read(self.ranks))

    def rows(self, table: str) -> list[Row]:
        """Those of the epoch under way."""
        return self._rows.setdefault(table, [])

    def add(
        self,
        phase: Phase,
        epoch: int,
        start: int,
        columns: Columns,
        seconds: float,
    ) -> None:
        """Writes the rows of a stretch.

        Args:
          phase: whose.
          epoch: under way.
          start: number of the first row within the epoch.
          columns: what the phase returned.
          seconds: that they took, all together.

        Raises:
          RunStopped: a row that is not healthy; names the architecture.
        """
        arrays = {
            name: np.asarray(values).tolist()
            for name, values in columns.items()
            if name not in ("row", "healthy")
        }
        count = len(np.asarray(columns["healthy"]))
        rows = np.asarray(columns.get("row", ()))
        architectures = [self.space.decode(row) for row in rows]
        about = [*map(self.space.columns, architectures)] or [{}] * count
        written: list[dict[str, Any]] = []
        for place in range(count):
            written.append(
                {
                    "epoch": epoch,
                    "step": start + place,
                    **about[place],
                    **{name: values[place] for name, values in arrays.items()},
                }
            )
            if phase.timed:
                each = round(seconds / count, 6)
                written[-1].setdefault("seconds", each)
        sick = np.flatnonzero(~np.asarray(columns["healthy"]))
        if len(sick):
            first = int(sick[0])
            # What came after the step that failed means nothing.
            last = (first // phase.weight + 1) * phase.weight
            self.run.append(phase.name, written[:last])
            texts = [*map(self.space.format, architectures)] or [""] * count
            raise RunStopped(
                _describe_fault(phase, written[first], texts[first])
            )
        self.run.append(phase.name, written)
        self.rows(phase.name).extend(written)
        if phase.name == self.ranks:
            self._join(written)

    def _join(self, rows: Sequence[Row]) -> None:
        """Brings rows into the list of the best."""
        for row in rows:
            architecture = self.space.parse_columns(row)
            score = float(row[self.measures])
            self.best.append(Best(score, architecture, int(row["epoch"]), row))
        # Python's sort is stable: of equals the one seen first stays first,
        # so a list that was read back equals one that was kept.
        ranked = sorted(self.best, key=lambda e: (e.is_lost, -e.score))
        seen: dict[Any, Best] = {}
        for entry in ranked:
            seen.setdefault(entry.architecture, entry)
        self.best = list(seen.values())[: self.best_count]

    def leaders(self, count: int, evaluated: int, mend: str) -> list[Best]:
        """The best that have a score.

        Args:
          count: most of them.
          evaluated: of how many they are the best.
          mend: what to change if all were lost.

        Raises:
          RunStopped: nothing was measured, or all was lost.
        """
        best = self.best[:count]
        if not best:
            raise RunStopped("nothing was measured; there is nothing to rank")
        if best[0].is_lost:
            raise RunStopped(
                f"all {evaluated} architectures were lost, the first "
                f"{best[0].row['note']}; see {self.ranks}.csv. {mend}"
            )
        return [entry for entry in best if not math.isnan(entry.score)]

    def end_epoch(self, summary: Mapping[str, float]) -> None:
        """Writes the epoch's row, the list of the best, and pictures.

        The columns are those of the first epoch.
        """
        before = self.run.read("epochs")
        names = before[0] if before else summary
        row = {name: summary.get(name, math.nan) for name in names}
        self.run.append("epochs", [row])
        self._rows = {}
        write_json(
            self.run.path / "best_architectures.json",
            {
                "measured_on": self.measured_on,
                "architectures": [
                    {
                        "rank": rank,
                        "architecture": self.space.format(entry.architecture),
                        self.measures: entry.score,
                        "epoch": entry.epoch,
                    }
                    for rank, entry in enumerate(self.best, 1)
                    if not math.isnan(entry.score)
                ],
            },
        )
        epoch = int(summary["epoch"])
        scalars = {
            name: value
            for name, value in summary.items()
            if name != "epoch" and np.isfinite(value)
        }
        self.board.scalars(epoch, scalars)
        self._draw_best(epoch)

    def _draw_best(self, epoch: int) -> None:
        """Draws the best so far, if it is another than at the last epoch."""
        best = self.best[0]
        if best is self._drawn:
            return
        self._drawn = best
        picture = draw(
            self.space,
            best.architecture,
            f"best so far, {self.show(best.score)}: {self.measured_on}",
        )
        if picture is not None:
            self.board.picture(epoch, "best_architecture", picture)

    def column(self, name: str) -> list[float]:
        """A column of epochs.csv."""
        return [float(row[name]) for row in self.run.read("epochs")]


def _describe_fault(phase: Phase, row: Row, architecture: str) -> str:
    what, mend = phase.explain(row)
    epoch, step = row["epoch"], row["step"]
    which = f" with architecture {architecture}" if architecture else ""
    return (
        f"stopped: {what} in epoch {epoch + 1}, step {step + 1} (in "
        f"{phase.name}.csv epoch {epoch}, step {step}){which}; the last "
        f"checkpoint is intact. {mend}"
    )
