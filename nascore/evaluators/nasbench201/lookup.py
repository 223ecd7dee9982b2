"""Rows of cells looked up in the table, on the host and in a graph."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nascore.evaluators.nasbench201.names import TableColumn
from nascore.evaluators.nasbench201.table import accuracies
from nascore.spaces.bench201 import EDGES, codes_of


class Lookup:
    """Some columns of the table, by names.

    Args:
      columns: name -> column.
    """

    def __init__(self, columns: Mapping[str, TableColumn]) -> None:
        self._found = {name: accuracies(c) for name, c in columns.items()}
        every = np.stack(list(self._found.values()))
        self._every = tf.constant(every, tf.float32)
        self._weights = tf.constant(
            codes_of(np.eye(len(EDGES), dtype=int)), tf.int32
        )

    def of(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """By name, float64 `[n]`, of rows `[n, 6]`."""
        codes = codes_of(rows)
        return {name: found[codes] for name, found in self._found.items()}

    def means(self, rows: np.ndarray) -> dict[str, float]:
        """Means over rows `[n, 6]`, by name."""
        return {name: float(v.mean()) for name, v in self.of(rows).items()}

    def of_tensor(self, rows: tf.Tensor) -> dict[str, tf.Tensor]:
        """`of` in a graph, float32."""
        codes = tf.linalg.matvec(rows, self._weights)
        every = tf.unstack(tf.gather(self._every, codes, axis=1))
        return dict(zip(self._found, every, strict=True))
