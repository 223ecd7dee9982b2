"""What an architecture is worth by a table that others measured."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.lifecycle import Lifecycle
from nascore.spaces.bench201 import EDGES, codes_of

LEAK = (
    "note: the search sees test accuracies (--search_on=test), as the "
    "published protocol of L2NAS does: its test numbers are no estimate of "
    "what a found cell is worth"
)


class Tabular(tf.Module):
    """Looks up NAS-Bench-201; see `nascore.protocols.Evaluator`.

    Args:
      config: which accuracy is searched on, which are reported.
    """

    in_graph = True
    measures = "accuracy"
    texts: tuple[str, ...] = ()
    loses = False
    budgets: tuple[int, ...] = ()
    fault = (
        "an accuracy is not a number",
        "Lower --noise in a new run",
    )

    def __init__(self, config: TableConfig) -> None:
        super().__init__(name="tabular")
        self.config = config
        self.lifecycle: Lifecycle | None = None
        self.searched = config.searched
        self._found = table.accuracies(self.searched)
        self._reported = {
            f"{column.split}_accuracy": table.accuracies(column)
            for column in config.reported
        }
        self._every = tf.constant(
            np.stack([self._found, *self._reported.values()]), tf.float32
        )
        self._weights = tf.constant(
            codes_of(np.eye(len(EDGES), dtype=int)), tf.int32
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """What is reported of each."""
        return tuple(self._reported)

    @property
    def ranked(self) -> Mapping[str, str]:
        """The best that were measured are ranked; a table has no noise left."""
        return {name: name for name in self._reported}

    @property
    def where(self) -> str:
        """See `Evaluator.where`."""
        return f" ({self.searched})"

    @property
    def caveat(self) -> str:
        """See `Evaluator.caveat`."""
        return LEAK if self.config.search_on == "test" else ""

    @property
    def measured_on(self) -> str:
        """See `Evaluator.measured_on`."""
        leak = ", a leak" if self.config.search_on == "test" else ""
        return f"NAS-Bench-201, {self.searched}{leak}"

    @property
    def ranked_on(self) -> str:
        """See `Evaluator.ranked_on`."""
        return self.measured_on

    @property
    def about(self) -> str:
        """See `Evaluator.about`."""
        noise = self.config.noise
        more = f", noise of {noise:g} points" if noise else ""
        return f"NAS-Bench-201 says the {self.searched}{more}"

    @property
    def state(self) -> State:
        """It remembers nothing."""
        return {}

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """Looks rows up: in a graph, or on the host for NumPy arrays.

        Args:
          proposals: rows `[n, 6]`.
          seed: int32 `[2]`, or `[runs, 2]` for the rows of many searches,
            run by run; for noise only.
        """
        if isinstance(proposals.rows, tf.Tensor):
            codes = tf.linalg.matvec(proposals.rows, self._weights)
            score, *every = tf.unstack(tf.gather(self._every, codes, axis=1))
            score += self._noise(tf.shape(codes)[0], seed)
            return Measured(score, dict(zip(self.columns, every, strict=True)))
        codes = codes_of(proposals.rows)
        notes = {name: col[codes] for name, col in self._reported.items()}
        score = self._found[codes]
        if self.config.noise:
            score = score + self._noise(len(codes), tf.constant(seed)).numpy()
        return Measured(score, notes)

    def _noise(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What is added to each of the scores, float32 `[count]`."""
        if not self.config.noise:
            return tf.zeros([count])
        seeds = tf.reshape(seed, [-1, 2])
        each = count // tf.shape(seeds)[0]
        normal = tf.map_fn(
            lambda one: tf.random.stateless_normal([each], one),
            seeds,
            fn_output_signature=tf.TensorSpec([None], tf.float32),
        )
        return tf.reshape(normal, [count]) * self.config.noise / 100

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """What is searched on, without noise, float64 `[n]`."""
        return self._found[codes_of(rows)]

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """See `Evaluator.validate`; means over the rows."""
        codes = codes_of(rows)
        return {
            name: float(values[codes].mean())
            for name, values in self._reported.items()
        }
