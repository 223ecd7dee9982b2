"""What a trained network makes of the official test set."""

import dataclasses

import numpy as np
import pandas as pd
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

CALIBRATION_BINS = 15


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Measures of predictions on a labelled set.

    Attributes:
      images: how many there were.
      accuracy: part of them that was classified correctly.
      interval: 95% Wilson interval of the accuracy, as if the images were
        the only source of chance.
      loss: mean cross entropy in nats.
      calibration_error: expected calibration error (Guo et al., 2017,
        equation 3) over bins of equal width.
      per_class: a row for each class: precision, recall, f1, images.
      confusion: a row for each class, a column for each prediction.
      calibration: a row for each bin of the confidence that holds images:
        lower, upper, images, confidence, accuracy.
    """

    images: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    calibration_error: float
    per_class: pd.DataFrame
    confusion: pd.DataFrame
    calibration: pd.DataFrame

    def summary(self) -> dict[str, object]:
        """The single numbers, for a JSON file."""
        return {
            "images": self.images,
            "accuracy": self.accuracy,
            "accuracy_interval_95": list(self.interval),
            "loss": self.loss,
            "calibration_error": self.calibration_error,
        }


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross entropy of each example in nats, `[n]`."""
    logarithms = log_softmax(logits.astype(np.float64), axis=1)
    return -logarithms[np.arange(len(labels)), labels]


def evaluate(
    logits: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]
) -> Evaluation:
    """Measures logits `[n, classes]` against labels `[n]`."""
    probabilities = softmax(logits.astype(np.float64), axis=1)
    predicted = probabilities.argmax(1)
    hits = predicted == labels
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(
        method="wilson"
    )
    every = np.arange(len(class_names))
    precision, recall, f1, images = precision_recall_fscore_support(
        labels, predicted, labels=every, zero_division=0.0
    )
    calibration = _calibrate(probabilities.max(1), hits)
    gaps = (calibration["accuracy"] - calibration["confidence"]).abs()
    return Evaluation(
        len(labels),
        float(hits.mean()),
        (float(interval.low), float(interval.high)),
        float(cross_entropies(logits, labels).mean()),
        float((gaps * calibration["images"]).sum() / len(labels)),
        pd.DataFrame(
            {
                "class": class_names,
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "images": images,
            }
        ),
        pd.DataFrame(
            confusion_matrix(labels, predicted, labels=every),
            pd.Index(class_names, name="class"),
            list(class_names),
        ),
        calibration,
    )


def _calibrate(confidences: np.ndarray, hits: np.ndarray) -> pd.DataFrame:
    """Mean confidence and accuracy in bins of the confidence."""
    edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
    # A confidence on an edge belongs to the bin below it.
    bins = np.clip(np.digitize(confidences, edges, right=True) - 1, 0, None)
    table = pd.DataFrame(
        {"bin": bins, "confidence": confidences, "accuracy": hits}
    )
    groups = table.groupby("bin")
    means = groups.mean()
    return pd.DataFrame(
        {
            "lower": edges[means.index],
            "upper": edges[means.index + 1],
            "images": groups.size(),
            "confidence": means["confidence"],
            "accuracy": means["accuracy"],
        }
    )
