"""Accuracy of whole networks under shared weights, and their skips."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks.macro.supernet import MacroSupernet
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State

SKIP_SHARE = "skip_share"


class MacroWeights(SharedWeights):
    """The evaluator of one-shot searches of ENAS's macro space.

    Each row has the part of its possible skips that there are, beside the
    accuracy. Moving statistics, where there are any, are part of the state.

    Args:
      supernet: the shared weights.
      data: images; those of the official test set stay untouched.
      config: what a reward is measured on.
      standardize: whether images are standardized as `data` says.
    """

    columns = (SKIP_SHARE,)

    def __init__(
        self,
        supernet: MacroSupernet,
        data: ImageData,
        config: SharedWeightsConfig,
        standardize: bool = False,
    ) -> None:
        super().__init__(supernet, data, config, standardize)
        self._bits = np.flatnonzero(supernet.space.is_skip)

    @property
    def about(self) -> str:
        """Number of layers and of weights."""
        count = sum(weight.shape.num_elements() for weight in self.weights)
        return (
            f"supernet: {self.supernet.config.num_layers} layers, "
            f"{count / 1e6:.2f}M shared weights"
        )

    @property
    def state(self) -> State:
        """Weights, and moving statistics by their own names."""
        moving = self.supernet.non_trainable_variables
        return {
            **super().state,
            **{f"statistic_{n}": v.value for n, v in enumerate(moving)},
        }

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """See `SharedWeights.measure`; with the part of skips."""
        measured = super().measure(proposals, seed)
        rows = proposals.rows
        if isinstance(rows, np.ndarray):
            share = rows[:, self._bits].mean(axis=1)
        else:
            chosen = tf.gather(rows, self._bits, axis=1)
            share = tf.reduce_mean(tf.cast(chosen, tf.float32), axis=1)
        return measured._replace(notes={SKIP_SHARE: share})

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """See `SharedWeights.validate`; a mean over the rows."""
        share = float(np.asarray(rows)[:, self._bits].mean())
        return {**super().validate(rows), SKIP_SHARE: share}
