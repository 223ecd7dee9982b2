"""Accuracy of NAS-Bench-201's cells under weights, beside the table's.

What the table has is never told to a strategy: it is noted of each cell, so
that one sees what the weights are worth.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.mixed_weights import MixedWeights
from nascore.evaluators.nasbench201.lookup import Lookup
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks.bench201.supernet import Bench201Supernet
from nascore.protocols import Measured, Proposals
from nascore.spaces.bench201 import OPERATIONS

_NONE = OPERATIONS.index("none")
_TABLE = "; table_*: test accuracy after 200 epochs, by NAS-Bench-201"


class Shared201Weights(SharedWeights):
    """The evaluator of one-shot searches over NAS-Bench-201's cells.

    Each row has the table's accuracies, too.

    Args:
      supernet: the shared weights.
      data: images; those of the official test set stay untouched.
      config: what a reward is measured on.
      standardize: whether images are standardized as `data` says.
    """

    columns = tuple(TRUTH)
    ranked_on = SharedWeights.ranked_on + _TABLE

    def __init__(
        self,
        supernet: Bench201Supernet,
        data: ImageData,
        config: SharedWeightsConfig,
        standardize: bool = False,
    ) -> None:
        super().__init__(supernet, data, config, standardize)
        self._truth = Lookup(TRUTH)

    def as_cells(self, rows: tf.Tensor) -> tf.Tensor:
        """A row is a cell."""
        return rows

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """See `SharedWeights.measure`; with what the table has."""
        measured = super().measure(proposals, seed)
        if isinstance(proposals.rows, np.ndarray):
            return measured._replace(notes=self._truth.of(proposals.rows))
        return measured._replace(notes=self._truth.of_tensor(proposals.rows))

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """See `SharedWeights.validate`; means over the rows."""
        return {**super().validate(rows), **self._truth.means(rows)}


class Mixed201Weights(MixedWeights):
    """The evaluator of differentiable searches over NAS-Bench-201's cells.

    See `MixedWeights`; there is one cell type, and `none` is an operation
    like the others, but that a cell's edge with it passes nothing at all.

    Args:
      supernet: of mixed cells.
      data: images; those of the official test set stay untouched.
      config: the batch size.
      names: operations, in the order of an edge's shares.
      standardize: whether images are standardized as `data` says.
    """

    noted = tuple(TRUTH)
    ranked_on = MixedWeights.ranked_on + _TABLE

    def __init__(
        self,
        supernet: Bench201Supernet,
        data: ImageData,
        config: SharedWeightsConfig,
        names: Sequence[str],
        standardize: bool = False,
    ) -> None:
        super().__init__(supernet, data, config, names, standardize)
        self._truth = Lookup(TRUTH)
        self._count = len(names)

    def as_cells(self, rows: tf.Tensor) -> tf.Tensor:
        """Shares of rows `[n, 6]`."""
        own = tf.one_hot(rows, self._count)
        passed = tf.cast(tf.not_equal(rows, _NONE), tf.float32)
        return tf.concat([own, passed[..., None]], axis=-1)[:, None]

    def logits(self, images: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
        """See `MixedWeights.logits`."""
        (own,) = tf.unstack(shares)
        bypass = own[:, -1] if self.supernet.groups > 1 else None
        return self.supernet(images, own[:, :-1], bypass=bypass)[0]

    def notes(self, row: np.ndarray) -> Mapping[str, float]:
        """What the table has of a cell."""
        return self._truth.means(row[None])

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """See `SharedWeights.validate`; means over the rows."""
        return {**super().validate(rows), **self._truth.means(rows)}
