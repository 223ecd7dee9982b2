"""What the phases share in which weights and alphas learn, step by step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.evaluators.steps import explain_step
from nascore.protocols import Columns
from nascore.runs.tables import Row
from nascore.search import loops

MIXTURE = "mixture"


class MixtureSteps(tf.Module):
    """Steps of a mixture; see `nascore.protocols.Phase`.

    Its rows, a step each: `loss` of the weights' batch, `alpha_loss` of the
    alphas' batch before they learn, both with a note beside; `learning_rate`,
    norms of gradients.

    Args:
      mixed: the weights.
      layout: of the alphas.
      seed: of the run.
    """

    name = MIXTURE
    stretch = 0
    weight = 1
    timed = False
    # What is noted beside each loss.
    note: str
    # Columns of an epoch, in their order, and those of the steps that they
    # are the means of.
    means: Mapping[str, str]
    # What to change where the numbers are not finite.
    tame: str

    def __init__(self, mixed: Any, layout: Any, seed: int) -> None:
        super().__init__(name="mixture_steps")
        self.mixed = mixed
        self.layout = layout
        self.seed = seed

    @property
    def _columns(self) -> tuple[str, ...]:
        """All but the learning rate, which a stretch has one of."""
        return (
            "loss",
            self.note,
            "alpha_loss",
            f"alpha_{self.note}",
            "gradient_norm",
            "alpha_gradient_norm",
            "second_order_norm",
            "healthy",
        )

    def _loop(
        self,
        step: Callable[[tf.Tensor], Mapping[str, tf.Tensor]],
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Steps `start` to `stop`; ends after one that is sick.

        Args:
          step: makes scalars of a number; one that is missing is NaN.
          start: int32 scalar.
          stop: likewise.

        Returns:
          Columns `[stop - start]`.
        """

        def row(number: tf.Tensor, _: tf.Tensor) -> dict[str, tf.Tensor]:
            found = step(number)
            return {
                name: found.get(name, tf.constant(np.nan, tf.float32))[None]
                for name in self._columns
            }

        shapes = {name: [1] for name in self._columns}
        return loops.run_in_graph(row, shapes, start, stop, tf.constant(0))

    def _with_rate(
        self, columns: Mapping[str, tf.Tensor], rate: float
    ) -> Columns:
        """Columns of a stretch with its learning rate, `healthy` last."""
        found = {name: value.numpy() for name, value in columns.items()}
        healthy = found.pop("healthy")
        rates = np.full(len(healthy), rate)
        return {**found, "learning_rate": rates, "healthy": healthy}

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        return {
            "learning_rate": float(rows[-1]["learning_rate"]),
            **{
                name: float(np.mean([float(row[column]) for row in rows]))
                for name, column in self.means.items()
            },
        }

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        beyond = "beyond --loss_limit, or the alphas' loss is not finite"
        return explain_step(row, "the mixture's", beyond), self.tame
