"""What an MLPNAS search writes into its run folder."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from mlpnas.config import MlpnasConfig
from mlpnas.data.load import MlpData
from mlpnas.tasks import Trained
from nascore.process.runtime import device_names
from nascore.runs.atomic import write_json
from nascore.runs.folder import SEARCH_END, RunFolder
from nascore.runs.positions import Ledger
from nascore.runs.tensorboard import Board
from nascore.spaces.perceptrons import (
    MlpArchitecture,
    MlpSpace,
    count_parameters,
)


@dataclasses.dataclass(frozen=True)
class Measured:
    """An architecture and what its training gave.

    Attributes:
      number: how many were measured before it.
      architecture: hidden layers.
      score: of its validation accuracies; see `tasks.SCORES`.
      accuracy: validation accuracy after its last epoch.
      diverged: whether its weights are of no use.
    """

    number: int
    architecture: MlpArchitecture
    score: float
    accuracy: float
    diverged: bool = False


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What the policy said of an architecture before it was trained.

    Attributes:
      architecture: hidden layers.
      log_prob: in nats.
      entropy: of the policy along it, in nats.
      predicted: accuracy that the predictor expected; NaN without one.
      shared_layers: how many layers start from stored weights.
    """

    architecture: MlpArchitecture
    log_prob: float
    entropy: float
    predicted: float
    shared_layers: int


class Records:
    """The rows of a search and what follows from them.

    Args:
      run: the run folder; an earlier part of the same search may be in it.
      config: the search's configuration.
      method: what the run is called.
      data: the examples, to recognise other data on resuming.
      space: the search space.

    Raises:
      InputError: the folder holds a run of other settings or other data.
    """

    def __init__(
        self,
        run: RunFolder,
        config: MlpnasConfig,
        method: str,
        data: MlpData,
        space: MlpSpace,
    ) -> None:
        self.run = run
        self.space = space
        self.data = data
        self.rule = config.training.score
        about = {
            "method": method,
            "data": data.describe(),
            "devices": device_names(),
        }
        run.record_start(about, config, space)
        self.ledger = Ledger(run, "candidates", "epochs")
        self.board = Board(run.path / "tensorboard")
        self.measured: list[Measured] = []

    def rewind(self) -> None:
        """Drops the rows after the checkpoint, and reads the rest back."""
        self.ledger.rewind()
        self.measured = [
            Measured(
                int(row["number"]),
                self.space.parse(row["architecture"]),
                float(row["score"]),
                float(row["accuracy"]),
                bool(row.get("note")),
            )
            for row in self.run.read("candidates")
        ]

    def ranking(self, count: int) -> list[Measured]:
        """The best by score; of equals the one that was seen first.

        Those that diverged, which nothing can be done with, come last.
        """
        return sorted(
            self.measured, key=lambda entry: (entry.diverged, -entry.score)
        )[:count]

    def add(
        self,
        epoch: int,
        proposals: Sequence[Proposal],
        results: Sequence[Trained],
        rewards: np.ndarray,
    ) -> None:
        """Writes the candidates of an epoch."""
        rows = []
        for place, (proposal, trained) in enumerate(
            zip(proposals, results, strict=True)
        ):
            accuracies = trained.accuracies
            entry = Measured(
                len(self.measured),
                proposal.architecture,
                trained.score(self.rule),
                float(accuracies[-1]),
                trained.diverged_at is not None,
            )
            self.measured.append(entry)
            rows.append(
                {
                    "epoch": epoch,
                    "step": place,
                    "number": entry.number,
                    "architecture": self.space.format(entry.architecture),
                    "score": entry.score,
                    "accuracy": entry.accuracy,
                    "best_accuracy": float(accuracies.max()),
                    "validation_loss": float(trained.rows.validation_loss[-1]),
                    "epochs_trained": len(accuracies),
                    "parameters": count_parameters(
                        entry.architecture,
                        self.data.features,
                        self.space.outputs,
                    ),
                    "shared_layers": proposal.shared_layers,
                    "predicted": proposal.predicted,
                    "reward": float(rewards[place]),
                    "log_prob": proposal.log_prob,
                    "entropy": proposal.entropy,
                    "seconds": round(trained.seconds, 4),
                    "accuracies": " ".join(f"{a:.6g}" for a in accuracies),
                    "note": describe_divergence(trained),
                }
            )
        self.run.append("candidates", rows)

    def end_epoch(
        self,
        epoch: int,
        proposals: Sequence[Proposal],
        measured: Mapping[str, float],
    ) -> dict[str, float]:
        """Writes the epoch's row, with what else was measured; returns it."""
        entries = self.measured[len(self.measured) - len(proposals) :]
        scores = np.array([entry.score for entry in entries])
        best = self.ranking(1)[0]
        summary = {
            "epoch": epoch,
            "architectures": len(entries),
            "score_mean": float(scores.mean()),
            "score_std": float(scores.std()),
            "score_max": float(scores.max()),
            "accuracy_mean": float(np.mean([e.accuracy for e in entries])),
            "best_score": best.score,
            "entropy_mean": float(np.mean([p.entropy for p in proposals])),
            "predictor_correlation": rank_correlation(
                [proposal.predicted for proposal in proposals], scores
            ),
            "shared_layers": sum(p.shared_layers for p in proposals),
            **measured,
        }
        self.run.append("epochs", [summary])
        self.board.scalars(
            epoch,
            {
                name: value
                for name, value in summary.items()
                if name != "epoch" and np.isfinite(value)
            },
        )
        return summary

    def finish(self, count: int, epochs: int, stopped_early: bool) -> None:
        """Writes the ranking; from then on the search is finished."""
        write_json(
            self.run.path / SEARCH_END,
            {
                "measured_on": "validation examples, in training of its own",
                "epochs": epochs,
                "stopped_early": stopped_early,
                "evaluated": len(self.measured),
                "architectures": [
                    {
                        "rank": rank,
                        "architecture": self.space.format(entry.architecture),
                        "score": entry.score,
                        "validation_accuracy": entry.accuracy,
                        "number": entry.number,
                        "parameters": count_parameters(
                            entry.architecture,
                            self.data.features,
                            self.space.outputs,
                        ),
                    }
                    for rank, entry in enumerate(self.ranking(count), 1)
                ],
            },
        )


def describe_divergence(trained: Trained) -> str:
    """Where a candidate's training went wrong; nothing if it did not."""
    if trained.diverged_at is None:
        return ""
    epoch, step = trained.diverged_at
    return f"diverged in training epoch {epoch + 1}, step {step + 1}"


def rank_correlation(predicted: Sequence[float], measured: np.ndarray) -> float:
    """Spearman's rank correlation; NaN where there is none to compute."""
    if not np.isfinite(predicted).all() or len(measured) < 3:
        return float("nan")
    if np.ptp(predicted) == 0 or np.ptp(measured) == 0:
        return float("nan")
    return float(stats.spearmanr(predicted, measured).statistic)
