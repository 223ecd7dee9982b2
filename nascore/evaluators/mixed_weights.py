"""Accuracy of cells, and of mixtures, under the weights of mixed cells."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from nascore.data.augment import to_float
from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks.mixed_supernet import MixedSupernet
from nascore.spaces.relaxation import relax


class MixedWeights(SharedWeights):
    """The evaluator of differentiable searches, see `SharedWeights`.

    A cell is the mixture in which its operations have a share of 1, and all
    others none. Shares are float32 `[cell types, edges, operations + 1]`; the
    last is that of the channels that pass no operation.

    Args:
      supernet: of mixed cells.
      data: images; those of the official test set stay untouched.
      config: the batch size.
      names: operations, in the order of an edge's shares; what the space does
        not have has no share in a cell.
      standardize: whether images are standardized as `data` says.
    """

    # What `notes` has.
    noted: tuple[str, ...] = ()
    where = " (weights of the mixture)"
    caveat = (
        "These accuracies are measured with weights that learned in a "
        "mixture of all operations; a cell's own accuracy shows after "
        "training it from scratch."
    )
    measured_on = "the validation set, with the weights of the mixture"
    ranked_on = (
        "the whole validation set, with the weights of the mixture; not the "
        "accuracy after training from scratch"
    )

    def __init__(
        self,
        supernet: MixedSupernet,
        data: ImageData,
        config: SharedWeightsConfig,
        names: Sequence[str],
        standardize: bool = False,
    ) -> None:
        super().__init__(supernet, data, config, standardize)
        self._relaxation = relax(supernet.space)
        places = [names.index(name) for name in supernet.space.operations]
        # From the operations of the space to those of an edge.
        self._columns = tf.one_hot(places, len(names))
        self._operations = len(places)

    @property
    def about(self) -> str:
        """Number of layers and of weights."""
        return (
            super()
            .about.replace("shared weights", "weights")
            .replace("supernet", "mixed cells")
        )

    def as_cells(self, rows: tf.Tensor) -> tf.Tensor:
        """Shares of rows `[n, length]`."""
        xp = tf.experimental.numpy
        chosen = self._relaxation.positions(tf.cast(rows, tf.int64), xp)
        hot = tf.reduce_sum(tf.one_hot(chosen, self._relaxation.size), axis=1)
        kinds = len(self.supernet.space.cell_types)
        own = tf.reshape(hot, [tf.shape(hot)[0], kinds, -1, self._operations])
        passed = tf.reduce_max(own, axis=-1, keepdims=True)
        return tf.concat([own @ self._columns, passed], axis=-1)

    def logits(self, images: tf.Tensor, shares: tf.Tensor) -> tf.Tensor:
        """Of a mixture, for images that are scaled.

        Args:
          images: float `[n, h, w, c]`.
          shares: see the class.
        """
        bypass = shares[..., -1] if self.supernet.groups > 1 else None
        return self.supernet(images, shares[..., :-1], bypass)

    def _run(
        self, architecture: tf.Tensor, images: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        return self.logits(to_float(images, *self.scaling), architecture)

    def mixture_score(self, shares: tf.Tensor) -> float:
        """Of a mixture, on the whole validation set."""
        return self._accuracy_on(self.validation_images, shares[None])

    def notes(self, row: np.ndarray) -> Mapping[str, float]:
        """What else is known of one cell, by name: nothing."""
        return {}
