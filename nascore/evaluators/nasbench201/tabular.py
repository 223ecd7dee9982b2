"""What an architecture is worth by a table that others measured."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.lookup import Lookup
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.lifecycle import Lifecycle

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
    # Of the means that were measured on 3,000 to 25,000 images.
    decimals = 2
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
        reported = {f"{c.split}_accuracy": c for c in config.reported}
        self._names = tuple(reported)
        self._table = Lookup({self.measures: self.searched, **reported})

    @property
    def columns(self) -> tuple[str, ...]:
        """What is reported of each."""
        return self._names

    @property
    def ranked(self) -> Mapping[str, str]:
        """The best that were measured are ranked; a table has no noise left."""
        return {name: name for name in self._names}

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
            found = self._table.of_tensor(proposals.rows)
            score = found.pop(self.measures)
            score += self._noise(tf.shape(score)[0], seed)
            return Measured(score, found)
        looked_up = self._table.of(proposals.rows)
        scores = looked_up.pop(self.measures)
        if self.config.noise:
            noise = self._noise(len(scores), tf.constant(seed))
            scores = scores + noise.numpy()
        return Measured(scores, looked_up)

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
        return self._table.of(rows)[self.measures]

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """See `Evaluator.validate`; means over the rows."""
        means = self._table.means(rows)
        return {name: means[name] for name in self._names}
