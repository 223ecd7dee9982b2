"""From raw examples to the numbers that a perceptron takes.

Everything is fitted on the training part alone. The fitted numbers are kept
in plain attributes, so that an exported model can hold the same steps.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# What a missing text becomes: a category of its own, if training has it.
MISSING = ""


@dataclasses.dataclass(frozen=True)
class ImageEncoder:
    """Flattens images and scales their pixels to [0, 1].

    Attributes:
      shape: height, width, channels.
    """

    shape: tuple[int, int, int]

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Brings uint8 `[n, h, w, c]` to float32 `[n, h * w * c]`."""
        flat = images.reshape(len(images), -1)
        return flat.astype(np.float32) / np.float32(255)


class TableEncoder:
    """Imputes, standardises and one-hot encodes the columns of a table.

    Args:
      frame: the training rows; columns of numbers and of text, where a
        missing text is `MISSING`.
      numeric: names of the columns of numbers.
      categorical: names of the columns of text.

    Attributes:
      medians: of each numeric column, for missing numbers.
      means: of each numeric column after imputing.
      deviations: likewise; 1 where that is 0.
      categories: of each categorical column, sorted.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        numeric: Sequence[str],
        categorical: Sequence[str],
    ) -> None:
        self.numeric = tuple(numeric)
        self.categorical = tuple(categorical)
        self._imputer = SimpleImputer(strategy="median")
        self._scaler = StandardScaler()
        self._one_hot = OneHotEncoder(
            handle_unknown="ignore", sparse_output=False, dtype=np.float32
        )
        self._transformer = ColumnTransformer(
            [
                (
                    "numeric",
                    make_pipeline(self._imputer, self._scaler),
                    list(numeric),
                ),
                ("categorical", self._one_hot, list(categorical)),
            ]
        )
        self._transformer.fit(frame)
        fitted = self._transformer.named_transformers_
        if self.numeric:
            imputer, scaler = (step for _, step in fitted["numeric"].steps)
            self.medians = imputer.statistics_
            self.means, self.deviations = scaler.mean_, scaler.scale_
        else:
            self.medians = self.means = self.deviations = np.zeros(0)
        self.categories: tuple[tuple[str, ...], ...] = ()
        if self.categorical:
            found = fitted["categorical"].categories_
            self.categories = tuple(tuple(map(str, names)) for names in found)

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """Brings rows to float32 `[n, numbers + categories]`."""
        return self._transformer.transform(frame).astype(np.float32)


Encoder = ImageEncoder | TableEncoder
