"""What the found network is compared with: scikit-learn's classifiers.

All learn from the same encoded training examples; the settings of
`MLPClassifier` are the paper's, the others are scikit-learn's own.
"""

import dataclasses
import time
import warnings

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from mlpnas.data.load import MlpData


@dataclasses.dataclass(frozen=True)
class Compared:
    """A competitor's accuracies.

    Attributes:
      name: of `mlpnas.config.COMPETITORS`.
      validation_accuracy: on the examples that scores are measured on.
      test_accuracy: on the test examples.
      seconds: of fitting.
      remark: what else there is to say, such as the architecture found.
    """

    name: str
    validation_accuracy: float
    test_accuracy: float
    seconds: float
    remark: str = ""


def make_classifier(name: str, seed: int) -> ClassifierMixin:
    """Makes one of scikit-learn's classifiers."""
    if name == "mlp":
        return MLPClassifier(
            activation="relu", solver="adam", alpha=0.01, random_state=seed
        )
    if name == "logistic":
        return LogisticRegression(max_iter=300)
    return HistGradientBoostingClassifier(random_state=seed)


def compare(name: str, data: MlpData, seed: int) -> Compared:
    """Fits and tests one of scikit-learn's classifiers."""
    begin = time.monotonic()
    classifier = make_classifier(name, seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        # More threads, which wait for each other in a loop, stand still where
        # another program takes a core.
        with threadpool_limits(1):
            classifier.fit(data.train.features, data.train.labels)
    seconds = time.monotonic() - begin
    gave_up = any(w.category is ConvergenceWarning for w in caught)

    def accuracy(features: np.ndarray, labels: np.ndarray) -> float:
        return float(np.mean(classifier.predict(features) == labels))

    return Compared(
        name,
        accuracy(*data.validation),
        accuracy(*data.test),
        seconds,
        "iterations ended before convergence" if gave_up else "",
    )
