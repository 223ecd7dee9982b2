"""What a search writes into its run folder."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from enas import faults
from enas.child import ChildRows
from enas.config import EnasConfig
from enas.early_stop import RECENT
from enas.policy import PolicyRows
from nascore.data.images import ImageData, describe_data
from nascore.drawing.cells import draw_architecture, figure_to_rgb
from nascore.errors import RunStopped
from nascore.process.runtime import device_names
from nascore.runs.atomic import write_json
from nascore.runs.folder import RunFolder
from nascore.runs.positions import Ledger
from nascore.runs.tables import Row
from nascore.runs.tensorboard import Board
from nascore.spaces.cells import Architecture


class Records:
    """The rows of a search and what follows from them.

    Args:
      run: the run folder; an earlier part of the same search may be in it.
      config: the search's configuration.
      method: what the run is called.
      data: the images, to recognise other data on resuming.

    Raises:
      InputError: the folder holds a run of other settings or other data.
    """

    def __init__(
        self, run: RunFolder, config: EnasConfig, method: str, data: ImageData
    ) -> None:
        self.run = run
        self.space = config.child.space
        self.best_count = config.schedule.best_count
        self.aggregate = config.controller.num_aggregate
        about = {
            "method": method,
            "data": describe_data(data),
            "devices": device_names(),
        }
        run.record_start(about, config, self.space)
        self.ledger = Ledger(run, "child", "controller", "samples", "epochs")
        self.board = Board(run.path / "tensorboard")
        self.child_rows: list[Row] = []
        self.controller_rows: list[Row] = []
        # Accuracies of the architectures that were rewarded last.
        self.recent: list[float] = []
        # The best accuracy of the samples after the epoch under way.
        self.samples_max = 0.0
        self.best: list[tuple[float, Architecture, int]] = []

    def rewind(self, epoch: int) -> None:
        """Drops the rows after the checkpoint, and reads the rest back."""
        self.ledger.rewind()
        self.child_rows = self._read("child", epoch)
        self.controller_rows = self._read("controller", epoch)
        accuracies = _column(self.run.read("controller"), "accuracy")
        self.recent = accuracies[-RECENT:].tolist()
        self.best = []
        for row in self.run.read("samples"):
            scored = (float(row["accuracy"]), self._architecture(row))
            self.best.append((*scored, int(row["epoch"])))
        self._cut_best()

    def add_child(
        self,
        epoch: int,
        start: int,
        architectures: np.ndarray,
        learning_rate: float,
        rows: ChildRows,
    ) -> None:
        """Writes training steps.

        Raises:
          RunStopped: a step that is not healthy; names the architecture.
        """
        columns = ChildRows(*(column.numpy() for column in rows))
        written = []
        for place, (loss, accuracy, norm, healthy) in enumerate(
            zip(*columns, strict=True)
        ):
            written.append(
                {
                    "epoch": epoch,
                    "step": start + place,
                    **self._cells(architectures[place]),
                    "loss": float(loss),
                    "accuracy": float(accuracy),
                    "learning_rate": learning_rate,
                    "gradient_norm": float(norm),
                }
            )
            if not healthy:
                self.run.append("child", written)
                raise RunStopped(
                    faults.of_child(
                        written[-1],
                        self.space.from_array(architectures[place]),
                    )
                )
        self.run.append("child", written)
        self.child_rows += written

    def add_controller(
        self, epoch: int, start: int, rows: PolicyRows, seconds: float
    ) -> None:
        """Writes evaluated architectures; `start` counts within the epoch.

        Raises:
          RunStopped: one that is not healthy; names the architecture.
        """
        columns = PolicyRows(*(column.numpy() for column in rows))
        count = len(columns.accuracy)
        written = [
            {
                "epoch": epoch,
                "step": start + place,
                **self._cells(columns.architectures[place]),
                "accuracy": float(columns.accuracy[place]),
                "reward": float(columns.reward[place]),
                "baseline": float(columns.baseline[place]),
                "entropy": float(columns.entropy[place]),
                "log_prob": float(columns.log_prob[place]),
                "seconds": round(seconds / count, 6),
            }
            for place in range(count)
        ]
        sick = np.flatnonzero(~columns.healthy)
        if len(sick):
            # The rows after those of the failed update were not measured.
            first = int(sick[0])
            last = (first // self.aggregate + 1) * self.aggregate
            self.run.append("controller", written[:last])
            row = written[first]
            architecture = self._architecture(row)
            raise RunStopped(faults.of_controller(row, architecture))
        self.run.append("controller", written)
        self.controller_rows += written
        accuracies = columns.accuracy.tolist()
        self.recent = [*self.recent, *accuracies][-RECENT:]

    def add_samples(
        self, epoch: int, architectures: np.ndarray, accuracies: np.ndarray
    ) -> None:
        """Writes the architectures scored after an epoch; ranks the best.

        Raises:
          RunStopped: an accuracy that is not finite; names the architecture.
        """
        written = []
        self.samples_max = float(np.max(accuracies))
        for place, (values, accuracy) in enumerate(
            zip(architectures, accuracies, strict=True)
        ):
            row = {
                "epoch": epoch,
                "step": place,
                **self._cells(values),
                "accuracy": float(accuracy),
            }
            written.append(row)
            architecture = self.space.from_array(values)
            if not np.isfinite(accuracy):
                raise RunStopped(faults.of_sample(row, architecture))
            self.best.append((float(accuracy), architecture, epoch))
        self.run.append("samples", written)
        self._cut_best()

    def end_epoch(
        self, epoch: int, measured: Mapping[str, float]
    ) -> dict[str, float]:
        """Writes the epoch's row and pictures; returns the row."""
        child, rows = self.child_rows, self.controller_rows
        accuracies = _column(rows, "accuracy")
        texts = {tuple(self._texts(row)) for row in rows}
        summary = {
            "epoch": epoch,
            "learning_rate": float(child[-1]["learning_rate"]),
            "child_loss": float(np.mean(_column(child, "loss"))),
            "child_accuracy": float(np.mean(_column(child, "accuracy"))),
            "accuracy_mean": float(np.mean(accuracies)),
            "accuracy_std": float(np.std(accuracies)),
            "accuracy_max": float(np.max(accuracies)),
            "samples_max": self.samples_max,
            "recent_mean": float(np.mean(self.recent)),
            "reward_mean": float(np.mean(_column(rows, "reward"))),
            "entropy_mean": float(np.mean(_column(rows, "entropy"))),
            "baseline": float(rows[-1]["baseline"]),
            "validation_accuracy": measured["validation_accuracy"],
            "search_test_accuracy": measured["search_test_accuracy"],
            "unique_architectures": len(texts),
            "seconds": round(measured["seconds"], 3),
        }
        self.run.append("epochs", [summary])
        self.child_rows, self.controller_rows = [], []
        write_json(
            self.run.path / "best_architectures.json",
            {
                "measured_on": "one random batch of validation images, with "
                "shared weights",
                "architectures": [
                    {
                        "rank": rank + 1,
                        "architecture": str(architecture),
                        "accuracy": accuracy,
                        "epoch": seen,
                    }
                    for rank, (accuracy, architecture, seen) in enumerate(
                        self.best
                    )
                ],
            },
        )
        scalars = {name: summary[name] for name in summary if name != "epoch"}
        self.board.scalars(epoch, scalars)
        accuracy, architecture, _ = self.best[0]
        figure = draw_architecture(
            architecture, self.space, f"best so far, {accuracy:.1%} on a batch"
        )
        self.board.picture(epoch, "best_architecture", figure_to_rgb(figure))
        return summary

    def progress(self) -> tuple[list[float], float]:
        """What the early stop looks at, see `enas.early_stop`."""
        rows = self.run.read("epochs")
        best = [float(row["samples_max"]) for row in rows]
        return best, float(rows[-1]["recent_mean"]) if rows else 0.0

    def mean_accuracies(self) -> list[float]:
        """Mean accuracy of the rewarded architectures of each epoch."""
        rows = self.run.read("epochs")
        return [float(row["accuracy_mean"]) for row in rows]

    def write_layers(self, layers: Sequence[Row]) -> None:
        """Writes type, shape and parameters of each layer."""
        write_json(self.run.path / "layers.json", {"layers": list(layers)})

    def _cells(self, values: np.ndarray) -> dict[str, str]:
        return {
            f"{name}_cell": " ".join(map(str, cell.ravel().tolist()))
            for name, cell in zip(self.space.cell_types, values, strict=True)
        }

    def _texts(self, row: Row) -> list[str]:
        return [str(row[f"{name}_cell"]) for name in self.space.cell_types]

    def _architecture(self, row: Row) -> Architecture:
        return self.space.parse(" ".join(self._texts(row)))

    def _read(self, table: str, epoch: int) -> list[Row]:
        return [
            row for row in self.run.read(table) if int(row["epoch"]) == epoch
        ]

    def _cut_best(self) -> None:
        # Python's sort is stable: of equals the one seen first stays first,
        # so a list that was read back equals one that was kept.
        seen: set[Architecture] = set()
        ranked = sorted(self.best, key=lambda entry: -entry[0])
        self.best = []
        for entry in ranked:
            if entry[1] not in seen:
                seen.add(entry[1])
                self.best.append(entry)
        del self.best[self.best_count :]


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])
