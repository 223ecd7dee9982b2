"""Models of tables that a search of perceptrons left."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from experiments.door.tables import to_columns
from mlpnas.config import FINAL_FILE
from mlpnas.exports.prediction import TableModel, load_model
from nascore.errors import InputError

_TINY = 1e-38


def _read(path: Path) -> TableModel:
    if not (path / FINAL_FILE).exists():
        raise InputError(
            f"{path} has no model yet: its search has not come to its end"
        )
    return load_model(path)


def load(path: Path) -> keras.Model:
    """The model that a search left; see `MlpSearch`."""
    return _read(path).model


def predict(path: Path, x: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """Probabilities `[n, classes]` of rows, and the names of the classes."""
    model = _read(path)
    frame = pd.DataFrame(to_columns(x))
    return model.predict(frame, "x")[0], model.card.classes


def measure(path: Path, x: Any, y: Any) -> dict[str, float]:
    """Accuracy and loss of rows; see `Run.evaluate`.

    Raises:
      InputError: a column or a class that was not there in training.
    """
    probabilities, classes = predict(path, x)
    if y is None:
        raise InputError("y is missing: give evaluate(x, y) a class a row")
    labels = [str(value) for value in np.asarray(y)]
    odd = sorted(set(labels) - set(classes))
    if odd:
        raise InputError(
            f"y has the class {odd[0]!r}; in training there were: "
            f"{', '.join(classes)}"
        )
    if len(labels) != len(probabilities):
        raise InputError(
            f"y has {len(labels)} labels for {len(probabilities)} rows of x"
        )
    places = np.array([classes.index(label) for label in labels])
    chosen = probabilities[np.arange(len(places)), places]
    return {
        "accuracy": float((probabilities.argmax(1) == places).mean()),
        "loss": float(-np.log(np.maximum(chosen, _TINY)).mean()),
        "rows": len(places),
    }
