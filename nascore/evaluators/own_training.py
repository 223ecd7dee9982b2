"""The training of one architecture with weights of its own.

Weights that are new learn faster than those that were taken over. As momentum
is linear and begins at 0, a gradient that is multiplied is a rate that is.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import Split
from nascore.evaluators.inheritance import (
    PLAIN,
    Individual,
    parts_of,
    rows_in_use,
    rows_inherited,
)
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights, update, with_decay


class OwnTraining(TrainWeights):
    """Trains weights of which each row has a rate of its own.

    Args:
      shared: a network of `OwnCell`s, to hold one architecture at a time.
      images: see `TrainWeights`; likewise below.
      augmentation: likewise.
      seed: likewise.
    """

    def __init__(
        self,
        shared: SharedWeights,
        images: Split,
        augmentation: DataConfig,
        seed: int,
    ) -> None:
        super().__init__(shared, _no_sample, images, augmentation, seed)
        self.parts = parts_of(shared.supernet)
        self._start = [weight.numpy() for weight in shared.weights]
        # What gradients are multiplied with, row by row.
        self._factors = [
            tf.Variable(tf.ones(self._row_shape(n)), trainable=False)
            for n in range(len(shared.weights))
        ]

    @property
    def image_count(self) -> int:
        """Training images."""
        return self.images.size

    def _row_shape(self, number: int) -> list[int]:
        weight = self._start[number]
        if self.parts[number].kind == PLAIN:
            return [1] * weight.ndim
        return [len(weight)] + [1] * (weight.ndim - 1)

    def begin(
        self,
        cells: np.ndarray,
        parent: Individual | None,
        moved: bool,
        factor: float,
    ) -> float:
        """Takes weights over from a parent; all others, and momenta, afresh.

        Those that begin afresh do so at the same values in each architecture.

        Args:
          cells: of the architecture, int32 `[cell types, nodes, 4]`.
          parent: whose weights are taken over; None: nobody's.
          moved: see `rows_inherited`.
          factor: times which new weights learn faster.

        Returns:
          The share of its weights that were taken over.
        """
        taken = total = 0
        for number, part in enumerate(self.parts):
            start = self._start[number]
            needed = rows_in_use(part, cells)
            inherited = np.zeros_like(needed)
            if parent is not None:
                inherited = rows_inherited(part, cells, parent.cells, moved)
            if inherited.any() and parent is not None:
                stored = parent.weights[number]
                if part.kind == PLAIN:
                    start = stored
                else:
                    start = start.copy()
                    own = rows_in_use(part, parent.cells)
                    start[inherited] = stored[inherited[own]]
            self.shared.weights[number].assign(start)
            self.momenta[number].assign(np.zeros_like(start))
            size = start.size // len(needed)
            taken += size * int(inherited.sum())
            total += size * int(needed.sum())
        self.set_factors(cells, parent, moved, factor)
        return taken / total

    def set_factors(
        self,
        cells: np.ndarray,
        parent: Individual | None,
        moved: bool,
        factor: float,
    ) -> None:
        """Sets how much faster each row learns; arguments as in `begin`."""
        for number, part in enumerate(self.parts):
            if parent is None:
                inherited = np.zeros_like(rows_in_use(part, cells))
            else:
                inherited = rows_inherited(part, cells, parent.cells, moved)
            values = np.where(inherited, 1.0, factor).astype(np.float32)
            shape = self._row_shape(number)
            self._factors[number].assign(values.reshape(shape))

    def take(self, cells: np.ndarray) -> Individual:
        """The weights as they are, of an architecture."""
        found = []
        for part, weight in zip(self.parts, self.shared.weights, strict=True):
            values = weight.numpy()
            if part.kind != PLAIN:
                values = values[rows_in_use(part, cells)]
            found.append(values)
        return Individual(np.array(cells, np.int32), found)

    def _descend(
        self,
        gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
        learning_rate: tf.Tensor,
    ) -> None:
        for weight, momentum, gradient, factor in zip(
            self.shared.weights,
            self.momenta,
            gradients,
            self._factors,
            strict=True,
        ):
            config = self.config
            decayed = factor * with_decay(weight, gradient, config)
            update(weight, momentum, decayed, learning_rate, config)


def _no_sample(count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Nothing is sampled for weights of one architecture."""
    raise AssertionError(count, seed)
