"""Accuracy of architectures under shared weights as they are.

It is measured inside compiled loops: an architecture is a row of a tensor
and a batch is a row of indices, so nothing is traced again and Python is
entered once for a whole stretch of work.
"""

import time
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.data.augment import to_float
from nascore.data.images import ImageData
from nascore.evaluators.batches import Images, to_device
from nascore.evaluators.config import SharedWeightsConfig
from nascore.process.runtime import once
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import next_stretch
from nascore.seeds import fold_in

# What to do about shared weights that have gone wrong.
TAME = "Lower --child_lr_max, or set --clip_norm=5, in a new run"


class Network(Protocol):
    """A network that holds the weights of many architectures.

    Attributes:
      config: of its layers.
      trainable_variables: the weights.
    """

    config: Any
    trainable_variables: list[Any]

    @property
    def space(self) -> Any:
        """Of the architectures."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Logits."""


def accuracy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Part of the images whose largest logit is the label's."""
    return tf.reduce_mean(tf.cast(_hits(labels, logits), tf.float32))


def _hits(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), labels)


class SharedWeights(tf.Module):
    """The evaluator of one-shot searches, see `nascore.protocols.Evaluator`.

    Args:
      supernet: the shared weights.
      data: images; those of the official test set stay untouched.
      config: what a reward is measured on.
      standardize: whether images are standardized as `data` says.
    """

    in_graph = True
    columns: tuple[str, ...] = ()
    measures = "accuracy"
    texts: tuple[str, ...] = ()
    loses = False
    budgets: tuple[int, ...] = ()
    ranked: Mapping[str, str] = {}
    where = " (shared weights)"
    caveat = (
        "These accuracies are measured with shared weights; an "
        "architecture's own accuracy shows after training it from scratch."
    )
    decimals = 1
    measured_on = "one random batch of validation images, with shared weights"
    ranked_on = (
        "the whole validation set, with shared weights; not the accuracy "
        "after training from scratch"
    )
    fault = ("the shared weights give logits that are not finite", TAME)

    def __init__(
        self,
        supernet: Network,
        data: ImageData,
        config: SharedWeightsConfig,
        standardize: bool = False,
    ) -> None:
        super().__init__(name="shared_weights")
        # Whoever puts parts together knows of which kind it is.
        self.supernet: Any = supernet
        self.config = config
        self.lifecycle: Lifecycle | None = None
        self.validation_images = to_device(data.validation)
        self.search_test_images = to_device(data.search_test)
        self.scaling: tuple[object, ...] = ()
        if standardize:
            self.scaling = (data.mean, data.std)
        self.weights = [
            variable.value for variable in supernet.trainable_variables
        ]
        self._logits = once(self._run)
        # For strategies that are no part of a graph.
        length = supernet.space.length
        self._measure_compiled = tf.function(
            self._scores,
            [
                tf.TensorSpec([None, length], tf.int32),
                tf.TensorSpec([2], tf.int32),
            ],
            autograph=False,
        )
        # Batches that are run between two pauses; the first call compiles,
        # and says nothing of their time.
        self._stretch = 8

    @property
    def about(self) -> str:
        """Number of layers and of weights."""
        count = sum(weight.shape.num_elements() for weight in self.weights)
        return (
            f"supernet: {len(self.supernet.config.layer_types)} layers, "
            f"{count / 1e6:.2f}M shared weights"
        )

    @property
    def state(self) -> State:
        """The weights, under the names that they have in all checkpoints."""
        return {
            f"weight_{place}": weight
            for place, weight in enumerate(self.weights)
        }

    def as_cells(self, rows: tf.Tensor) -> tf.Tensor:
        """Rows `[n, length]` as the supernet takes them."""
        return tf.reshape(rows, [-1, *self.supernet.space.array_shape])

    def _run(
        self, architecture: tf.Tensor, images: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """Logits of a batch of uint8 images, without the auxiliary head."""
        logits, _ = self.supernet(
            to_float(images, *self.scaling),
            architecture,
            seed=seed if self.config.reward_dropout else None,
        )
        return logits

    @property
    def reward_batch_size(self) -> int:
        """Images that a reward is measured on."""
        wanted = self.config.reward_batch_size or self.config.batch_size
        return min(wanted, self.validation_images.size)

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """Each row on a random batch of validation images of its own.

        A score is NaN where a logit is not finite, which would otherwise
        pass for a guess of the first class. NumPy's rows come from outside
        of a graph.
        """
        if isinstance(proposals.rows, np.ndarray):
            return Measured(self._measure_compiled(proposals.rows, seed))
        return Measured(self._scores(proposals.rows, seed))

    def _scores(self, rows: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Of rows `[n, length]`, float32 `[n]`."""
        cells = self.as_cells(rows)
        return tf.map_fn(
            lambda place: self._reward_accuracy(
                cells[place], fold_in(seed, place)
            ),
            tf.range(tf.shape(cells)[0]),
            fn_output_signature=tf.TensorSpec([], tf.float32),
            parallel_iterations=1,
        )

    def _reward_accuracy(
        self, architecture: tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        order = draws.order(self.validation_images.size, seed)
        batch = order[: self.reward_batch_size]
        images, labels = self.validation_images
        logits = self._logits(
            architecture, tf.gather(images, batch), fold_in(seed, 1)
        )
        return tf.where(
            tf.reduce_all(tf.math.is_finite(logits)),
            accuracy(tf.gather(labels, batch), logits),
            np.nan,
        )

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """Accuracy on the validation and on the search-test images.

        The latter neither the weights nor a controller have learned from.
        """
        return {
            f"{split}_accuracy": self.accuracy_of(rows, split)
            for split in ("validation", "search_test")
        }

    def cell_score(self, row: np.ndarray) -> float:
        """Of one architecture, on the whole validation set."""
        return self.accuracy_of(row[None], "validation")

    def accuracy_of(self, rows: np.ndarray, split: str) -> float:
        """Accuracy on all images of `validation` or `search_test`."""
        images = {
            "validation": self.validation_images,
            "search_test": self.search_test_images,
        }[split]
        return self._accuracy_on(images, self.as_cells(tf.constant(rows)))

    def _accuracy_on(self, images: Images, cells: tf.Tensor) -> float:
        """On a whole split; batch k is run by architecture `k mod n`."""
        batches = -(-images.size // min(self.reward_batch_size, images.size))
        hits = start = 0
        while start < batches:
            stop = min(start + self._stretch, batches)
            begin = time.monotonic()
            hits += int(
                self._count_hits(
                    images.images,
                    images.labels,
                    cells,
                    *(tf.constant(n) for n in (start, stop)),
                )
            )
            self._stretch = next_stretch(stop - start, time.monotonic() - begin)
            start = stop
            if self.lifecycle:
                self.lifecycle.stop_if_asked()
        return hits / images.size

    @tf.function(autograph=False)
    def _count_hits(
        self,
        images: tf.Tensor,
        labels: tf.Tensor,
        cells: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> tf.Tensor:
        """Images that batches `start` to `stop` have right."""
        total = labels.shape[0]
        size = min(self.reward_batch_size, total)

        def count(batch: tf.Tensor) -> tf.Tensor:
            # The last batch is the last `size` images: batch normalization
            # needs full batches. Each image counts once all the same.
            first = tf.minimum(batch * size, total - size)
            logits = self._logits(
                cells[batch % tf.shape(cells)[0]],
                tf.ensure_shape(
                    images[first : first + size], [size, *images.shape[1:]]
                ),
                tf.zeros([2], tf.int32),
            )
            hits = _hits(labels[first : first + size], logits)
            fresh = first + tf.range(size) >= batch * size
            return tf.reduce_sum(tf.cast(tf.logical_and(hits, fresh), tf.int32))

        return tf.reduce_sum(
            tf.map_fn(
                count,
                tf.range(start, stop),
                fn_output_signature=tf.TensorSpec([], tf.int32),
                parallel_iterations=1,
            )
        )
