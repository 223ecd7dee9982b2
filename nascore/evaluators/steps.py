"""Steps that train shared weights, whatever is learned in them."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from nascore.runs.tables import Row
from nascore.seeds import Stream, fold


def explain_step(row: Row, whose: str, beyond: str) -> str:
    """Says in what way a training step is not healthy.

    Args:
      row: has `loss` and `gradient_norm`.
      whose: loss it is.
      beyond: what is wrong where both are finite.
    """
    loss, norm = row["loss"], row["gradient_norm"]
    what = f"{whose} loss is {loss:g} and its gradient's norm {norm:g}"
    finite = math.isfinite(loss) and math.isfinite(norm)
    return f"{what}, {beyond}" if finite else what


class TrainShared(tf.Module):
    """What phases that train shared weights have in common; see `Phase`.

    Args:
      shared: the weights, with a `config` of their training.
      sample: proposes the architectures, from a count and a seed; compiled.
      seed: of the run.
    """

    name = "child"
    stretch = 0
    weight = 1
    timed = False
    # What a step gives, `healthy` last.
    _COLUMNS: tuple[str, ...]
    # What to change where the numbers are not finite.
    tame: str

    def __init__(
        self, shared: Any, sample: Callable[..., tf.Tensor], seed: int
    ) -> None:
        super().__init__(name="train_shared")
        self.shared = shared
        self.config = shared.config
        self.seed = seed
        self._sample = sample
        # What was sampled last, and for which epoch.
        self._sampled: tuple[int, tf.Tensor] | None = None

    def _rows(self, epoch: int, steps: int) -> tf.Tensor:
        """What is learned in an epoch, int32 `[steps, length]`."""
        if self._sampled is None or self._sampled[0] != epoch:
            seed = fold(self.seed, Stream.CHILD_ARCHITECTURES, epoch)
            rows = self._sample(tf.constant(steps), seed)
            self._sampled = (epoch, rows)
        return self._sampled[1]

    def _loop(
        self,
        step: Callable[[tf.Tensor], Sequence[tf.Tensor]],
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Steps `start` to `stop` in one loop; to be compiled.

        Whether one was healthy does not matter here: a GPU would have to be
        waited for to tell.

        Args:
          step: makes a scalar for each column of a number.
          start: int32 scalar.
          stop: likewise.

        Returns:
          Columns `[stop - start]`.
        """

        def body(number: tf.Tensor, *arrays: tf.TensorArray) -> tuple[Any, ...]:
            written = (
                array.write(number - start, value)
                for array, value in zip(arrays, step(number), strict=True)
            )
            return (number + 1, *written)

        arrays = [
            tf.TensorArray(
                tf.bool if name == "healthy" else tf.float32,
                stop - start,
                element_shape=[],
            )
            for name in self._COLUMNS
        ]
        _, *arrays = tf.while_loop(
            lambda number, *_: number < stop, body, (start, *arrays)
        )
        columns = dict(
            zip(self._COLUMNS, (a.stack() for a in arrays), strict=True)
        )
        # No later step would show what the last update did, and the weights
        # may be saved or measured next. One pass a stretch, not a step.
        sound = tf.math.is_finite(tf.linalg.global_norm(self.shared.weights))
        others = tf.range(start, stop) != stop - 1
        columns["healthy"] &= tf.logical_or(others, sound)
        return columns

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        beyond = "beyond --loss_limit or too much for a weight,"
        return explain_step(row, "the child's", beyond), self.tame
