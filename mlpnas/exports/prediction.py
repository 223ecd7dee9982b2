"""An exported model of a table, loaded again to classify rows."""

import dataclasses
import warnings
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from mlpnas.config import MODEL_FILE
from mlpnas.data.tables.columns import name_some
from mlpnas.data.tables.readings import apply
from mlpnas.data.tables.rows import describe_unknown
from mlpnas.exports.card import CARD_FILE, TableCard, read_card
from mlpnas.exports.table_inputs import NUMBERS, TEXTS
from nascore.errors import InputError
from nascore.training.exports.keras_file import CLASSES, check_keras_file

# What reads columns, beside what networks are made of.
_CLASSES = CLASSES | frozenset(
    """
    __numpy__ Cast Divide Equal Isnan StringLookup Take Where
    """.split()
)
_BATCH = 1024


@dataclasses.dataclass(frozen=True)
class TableModel:
    """What a run made of a table.

    Attributes:
      card: how rows are read, and the classes.
      model: the Keras model.
    """

    card: TableCard
    model: keras.Model

    def predict(
        self, frame: pd.DataFrame, where: str
    ) -> tuple[np.ndarray, list[str]]:
        """Classifies rows.

        Args:
          frame: as `table_files.read_table` returns it.
          where: what it is called in messages.

        Returns:
          Probabilities `[n, classes]`, and notes on what was not as in
          training.

        Raises:
          InputError: a column is missing, or holds no numbers.
        """
        reading = self.card.reading
        names = [column.name for column in reading.columns]
        lacking = [name for name in names if name not in frame]
        if lacking:
            raise InputError(
                f"{where} lacks columns that the model takes: "
                f"{name_some(lacking)}"
            )
        notes = []
        surplus = [str(name) for name in frame if name not in names]
        if surplus:
            notes.append(
                f"{where} has columns that the model does not take: "
                f"{name_some(surplus)}"
            )
        rows = apply(reading, frame, where)
        notes += describe_unknown(
            rows, reading.names(False), self.card.categories, where
        )
        parts = [
            np.asarray(self.model(self._batch(rows.iloc[first:][:_BATCH])))
            for first in range(0, len(rows), _BATCH)
        ]
        answers = np.concatenate(parts)
        if answers.shape[1] == 1:
            answers = np.concatenate([1 - answers, answers], 1)
        return answers, notes

    def _batch(self, rows: pd.DataFrame) -> dict[str, tf.Tensor]:
        batch = {}
        for kind, is_numeric, dtype in (
            (NUMBERS, True, np.float64),
            (TEXTS, False, object),
        ):
            names = list(self.card.reading.names(is_numeric))
            if self.card.is_wide and names:
                batch[kind] = tf.constant(rows[names].to_numpy(dtype))
            elif not self.card.is_wide:
                for name in names:
                    batch[name] = tf.constant(rows[name].to_numpy(dtype))
        return batch


def load_model(path: Path) -> TableModel:
    """Loads the model of a run folder; code in it is never run.

    Raises:
      InputError: there is none, or it is damaged.
    """
    card = read_card(path / CARD_FILE)
    file = path / MODEL_FILE
    check_keras_file(file, _CLASSES)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "When providing `inputs`")
            model = keras.models.load_model(file, compile=False, safe_mode=True)
        outputs = int(model.output_shape[-1])
        inputs = set(model.input)
    # Keras has another error for every damage.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{file} cannot be loaded as a Keras model: {reason}"
        ) from None
    names = {column.name for column in card.reading.columns}
    if card.is_wide:
        names = {
            kind
            for kind, numeric in ((NUMBERS, True), (TEXTS, False))
            if card.reading.names(numeric)
        }
    if inputs != names or max(outputs, 2) != len(card.classes):
        raise InputError(
            f"{file} and {path / CARD_FILE} do not belong together: their "
            "columns or classes differ"
        )
    return TableModel(card, model)
