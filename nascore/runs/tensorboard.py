"""TensorBoard scalars and pictures of a run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf


class Board:
    """Writes event files that TensorBoard shows.

    Args:
      folder: where the event files go.
    """

    def __init__(self, folder: Path) -> None:
        self._writer = tf.summary.create_file_writer(str(folder))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes named numbers of one step."""
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step)
        self._writer.flush()

    def picture(self, step: int, name: str, rgb: np.ndarray) -> None:
        """Writes a uint8 `[h, w, 3]` picture."""
        with self._writer.as_default():
            tf.summary.image(name, rgb[None], step)
        self._writer.flush()
