"""What training takes and gives, as plain values; no TensorFlow here."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nascore.spaces.perceptrons import MlpArchitecture

# Kernel `[inputs, units]` and bias `[units]` of a layer.
LayerWeights = tuple[np.ndarray, np.ndarray]


class Examples(NamedTuple):
    """Features float32 `[n, d]` and labels int32 `[n]`."""

    features: np.ndarray
    labels: np.ndarray


class EpochRows(NamedTuple):
    """What training measured, an entry for each epoch.

    Attributes:
      loss: mean over the training batches, in nats.
      validation_loss: in nats.
      validation_accuracy: from 0 to 1.
    """

    loss: np.ndarray
    validation_loss: np.ndarray
    validation_accuracy: np.ndarray


@dataclasses.dataclass(frozen=True)
class TrainerSettings:
    """How networks are trained.

    Attributes:
      outputs: units of the final layer; 1 is a sigmoid for two classes.
      batch_size: examples in a step.
      learning_rate: of Adam.
      patience: epochs without a lower validation loss before it stops.
      dropout_rate: of dropout layers.
      keep_best: end with the weights of the lowest validation loss, not
        with the last ones.
      deterministic: see `nascore.process.runtime.make_deterministic`.
    """

    outputs: int
    batch_size: int
    learning_rate: float
    patience: int
    dropout_rate: float
    keep_best: bool = False
    deterministic: bool = False


class Task(NamedTuple):
    """A candidate to be trained.

    Attributes:
      architecture: hidden layers.
      weights: of all layers, at the start.
      seed: two integers, of the order of examples and of dropout.
      epochs: of training.
    """

    architecture: MlpArchitecture
    weights: list[LayerWeights]
    seed: tuple[int, int]
    epochs: int


class Trained(NamedTuple):
    """A candidate after training.

    Attributes:
      weights: of all layers, at the end.
      rows: what each epoch measured.
      seconds: of the training, the compilation included.
      diverged_at: training epoch and step in it, from 0, after which loss or
        weights were not finite and the training ended; None if it went well.
    """

    weights: list[LayerWeights]
    rows: EpochRows
    seconds: float
    diverged_at: tuple[int, int] | None = None

    @property
    def accuracies(self) -> np.ndarray:
        """Validation accuracy of each epoch; 0 where none was measured.

        Whoever trained it, no NaN goes from here to a policy.
        """
        return np.nan_to_num(self.rows.validation_accuracy, nan=0.0)

    def score(self, rule: str) -> float:
        """What it is ranked and rewarded by; `rule` is of `SCORES`."""
        return SCORES[rule](self.accuracies)


def epoch_weighted_mean(accuracies: np.ndarray) -> float:
    """Mean of validation accuracies, epoch n with weight n.

    The score of the public code of MLPNAS.
    """
    weights = np.arange(1, len(accuracies) + 1)
    return float(np.average(accuracies.astype(np.float64), weights=weights))


def best_epoch(accuracies: np.ndarray) -> float:
    """The highest of validation accuracies."""
    return float(accuracies.max())


# How a candidate's validation accuracies, one for each epoch, make its score.
SCORES: dict[str, Callable[[np.ndarray], float]] = {
    "weighted": epoch_weighted_mean,
    "best": best_epoch,
}
