"""Perplexity of recurrent cells, and of mixtures, under mixed weights."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nascore.data.text import TextData
from nascore.evaluators.language.config import SharedWindowsConfig
from nascore.evaluators.language.shared import SCALE, SharedLanguage
from nascore.networks.recurrent.cell import Run
from nascore.networks.recurrent.model import LanguageModel


class MixedLanguage(SharedLanguage):
    """The evaluator of DARTS on recurrent cells, see `SharedLanguage`.

    A cell is the mixture in which its functions have a share of 1. Shares are
    float32 `[edges, functions]`; what is missing to 1 is `none`'s.

    Args:
      model: the weights.
      data: the text; its test part stays untouched.
      config: what is measured on.

    Raises:
      InputError: a validation text that is too short for its streams.
    """

    # What `notes` has, of which an epoch has a mean.
    noted: tuple[str, ...] = ()
    where = " (weights of the mixture)"
    caveat = (
        "These perplexities are measured with weights that learned in a "
        "mixture of all functions; a cell's own perplexity shows after "
        "training it from scratch."
    )
    measured_on = (
        "the validation text, with the weights of the mixture; the score is "
        "80 / perplexity"
    )
    ranked_on = (
        "the whole validation text, with the weights of the mixture; not the "
        "perplexity after training from scratch"
    )

    def __init__(
        self, model: LanguageModel, data: TextData, config: SharedWindowsConfig
    ) -> None:
        super().__init__(model, data, config)
        self._space = model.config.space

    @property
    def about(self) -> str:
        """Number of weights."""
        return super().about.replace("shared weights", "weights, mixed cell")

    def run_of(self, row: tf.Tensor) -> Run:
        """Runs the mixture of shares."""
        return self.model.cell.mixed(row)

    def as_cells(self, rows: np.ndarray) -> np.ndarray:
        """Shares of rows `[n, length]`."""
        nodes = self._space.num_nodes
        edges = nodes * (nodes + 1) // 2
        found = np.zeros((len(rows), edges, len(self._space.functions)))
        for place, row in enumerate(rows):
            cell = self._space.decode(row)
            for node, (source, function) in enumerate(cell.nodes):
                found[place, node * (node + 1) // 2 + source, function] = 1
        return found.astype(np.float32)

    def cell_score(self, row: np.ndarray) -> float:
        """Of one cell, on the whole validation text."""
        return self.validate(row[None])["validation_score"]

    def mixture_score(self, shares: tf.Tensor) -> float:
        """Of a mixture, likewise."""
        return SCALE / self.perplexity_of(shares[None])

    def notes(self, row: np.ndarray) -> Mapping[str, float]:
        """What else is known of one cell, by name: nothing."""
        return {}
