"""A run folder in Python: what is in it, and what can be made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nascore.errors import InputError
from nascore.paths import expand
from nascore.runs.reader import RunRecords
from nascore.runs.reader import read_run as read_records
from nascore.spaces.perceptrons import MlpSpace

if TYPE_CHECKING:
    import keras
    import pandas as pd


class Run:
    """A search that has run, or still runs, read from its folder.

    `ienas.read_run(path)` makes one, and a `CellSearch` or `MlpSearch` is one
    after `fit`. Each property reads the files again.

    Args:
      path: the run folder.

    Raises:
      InputError: it is no folder of a search.
    """

    def __init__(self, path: str | Path) -> None:
        self._path: Path | None = Path(expand(str(path)))
        _ = self.records  # Raises.

    @property
    def path(self) -> Path:
        """The run folder.

        Raises:
          InputError: nothing has run yet.
        """
        if self._path is None:
            raise InputError("there is no run yet: call fit(x, y) first")
        return self._path

    @property
    def records(self) -> RunRecords:
        """Everything that the search has written: settings and tables."""
        return read_records(self.path)

    @property
    def ranking(self) -> pd.DataFrame:
        """The final ranking, best first: a row for each architecture.

        Columns: `rank`, what was measured (accuracies are fractions), and
        `architecture`, the text that all commands take. Before the end of
        the search: the best so far.
        """
        import pandas as pd

        records = self.records
        return pd.DataFrame(records.derived or records.best)

    @property
    def evaluations(self) -> pd.DataFrame:
        """A row for each architecture that was evaluated, in order."""
        return self.records.evaluations

    def describe(self, rank: int = 1) -> str:
        """Says an architecture of the ranking in words.

        Raises:
          InputError: there is no such rank.
        """
        records = self.records
        rows = records.derived or records.best
        if not 1 <= rank <= len(rows):
            raise InputError(
                f"rank={rank} must be from 1 to {len(rows)}, the length of "
                f"the ranking of {self.path}"
            )
        text = rows[rank - 1]["architecture"]
        return records.space.describe(records.space.parse(text))

    def report(self) -> Path:
        """Writes `report.html` and `report.md`: settings, ranking, figures.

        Returns:
          The page; it needs no other file.
        """
        from experiments.door.report import write_report

        return write_report(self.path)

    def best_model(
        self, rank: int = 1, preset: str = "final/quick", **settings: Any
    ) -> keras.Model:
        """The best architecture as a trained Keras model.

        Of cells: trained from scratch on the images of the search and tested
        once, on images that the search has not seen, in a folder inside the
        run folder. Asked for again with the same settings it is loaded, or
        goes on where it was stopped. Of perceptrons: the model that the
        search itself has trained on.

        Args:
          rank: its place in the ranking.
          preset: of the training, of those that `ienas presets` lists; empty:
            ENAS's 630 epochs.
          **settings: others of `ienas train`, such as `epochs=20`.

        Returns:
          A model from pixels from 0 to 255, `[n, h, w, c]`, to probabilities
          of the classes; of a table: from a dictionary of its columns.

        Raises:
          InputError: the search has no ranking yet, or a setting is none.
        """
        if isinstance(self.records.space, MlpSpace):
            self._check_perceptron(rank, settings)
            from experiments.door import perceptrons

            return perceptrons.load(self.path)
        from experiments.door import models

        return models.load(models.trained(self.path, rank, preset, settings))

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        rank: int = 1,
        preset: str = "final/quick",
        **settings: Any,
    ) -> dict[str, float]:
        """Accuracy of the best model on other examples.

        Args:
          x: as `fit` takes it; images of the size of the training images.
          y: likewise.
          rank: see `best_model`; likewise below.
          preset: likewise.
          **settings: likewise.

        Returns:
          `accuracy`, a fraction; `loss`, the mean cross-entropy in nats;
          `images` or `rows`, their number.

        Raises:
          InputError: they are other than the training examples were.
        """
        if isinstance(self.records.space, MlpSpace):
            self._check_perceptron(rank, settings)
            from experiments.door import perceptrons

            return perceptrons.measure(self.path, x, y)
        from experiments.door import models

        folder = models.trained(self.path, rank, preset, settings)
        return models.measure(folder, x, y)

    def _check_perceptron(self, rank: int, settings: dict[str, Any]) -> None:
        """Raises InputError if another one is meant than the best."""
        if rank != 1 or settings:
            raise InputError(
                "a search of perceptrons has trained its best one only, by "
                "its own settings (finetune_epochs, ...); leave rank and "
                "settings out"
            )

    def __repr__(self) -> str:
        place = "not fitted" if self._path is None else str(self._path)
        return f"<{type(self).__name__}: {place}>"


def read_run(path: str | Path) -> Run:
    """Reads the folder of any search, also of one that still runs.

    Args:
      path: the folder, such as `runs/mine`.

    Raises:
      InputError: it is no folder of a search.
    """
    return Run(path)
