"""The training of shared weights on a text: one cell in each window."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from nascore.data.text import TextData
from nascore.data.windows import Windows
from nascore.evaluators.language.shared import TAME, SharedLanguage, perplexity
from nascore.evaluators.steps import TrainShared
from nascore.networks.recurrent.learning import descend, penalties
from nascore.networks.recurrent.model import LanguageModel
from nascore.protocols import Columns
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import Stream, fold


class TrainText(TrainShared):
    """The phase that trains shared weights on a text; see `Phase`.

    Its rows, a window each: `loss`, mean nats of a token; its `perplexity`;
    `learning_rate` of a whole window; `gradient_norm`, with the penalties'
    and without decay. The state is carried from window to window, and is zero
    at the beginning of an epoch.

    Args:
      shared: the weights.
      sample: proposes the cells, from a count and a seed; compiled.
      data: the text.
      seed: of the run.
    """

    _COLUMNS = ("loss", "perplexity", "gradient_norm", "healthy")
    tame = TAME

    def __init__(
        self,
        shared: SharedLanguage,
        sample: Callable[..., tf.Tensor],
        data: TextData,
        seed: int,
    ) -> None:
        super().__init__(shared, sample, seed)
        self.model: LanguageModel = shared.model
        self.windows = Windows(
            data.train,
            *(self.config.batch_size, self.config.window, self.config.jitter),
            seed,
            Stream.SHUFFLE,
        )
        start = self.model.zero_state(self.config.batch_size)
        self.carried = tf.Variable(start, trainable=False, name="carried")

    @property
    def state(self) -> State:
        """Weights, and the state that the next window begins with."""
        return {**self.shared.state, "carried": self.carried}

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return len(self.windows.of(epoch)[0])

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`."""
        firsts, lengths = self.windows.of(epoch)
        rows = self._rows(epoch, len(firsts))
        rate = self.config.learning_rate(epoch)
        columns = self.train(
            rows,
            tf.constant(firsts),
            tf.constant(lengths),
            tf.constant(rate),
            *(tf.constant(number) for number in (epoch, start, stop)),
        )
        healthy = columns.pop("healthy")
        return {
            "row": rows[start:stop],
            **columns,
            "learning_rate": np.full(stop - start, rate),
            "healthy": healthy,
        }

    # Each epoch has as many windows as its cuts make: one trace for all.
    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            *[tf.TensorSpec([None], tf.int32)] * 2,
            tf.TensorSpec([], tf.float32),
            *[tf.TensorSpec([], tf.int32)] * 3,
        ],
    )
    def train(
        self,
        rows: tf.Tensor,
        firsts: tf.Tensor,
        lengths: tf.Tensor,
        rate: tf.Tensor,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Trains on windows `start` to `stop` of an epoch, a cell each.

        Args:
          rows: int32 `[windows, length]`, of the cells.
          firsts: int32 `[windows]`, first steps; `lengths` likewise.
          lengths: see above.
          rate: float32 scalar, learning rate of a whole window.
          epoch: int32 scalar, as are `start` and `stop`.
          start: see above.
          stop: see above.

        Returns:
          Columns `[stop - start]`, see the class.
        """
        tokens = self.windows.tokens

        def step(number: tf.Tensor) -> tuple[tf.Tensor, ...]:
            first, length = firsts[number], lengths[number]
            before = tf.where(
                tf.equal(number, 0), tf.zeros_like(self.carried), self.carried
            )
            loss, norm = self._learn(
                tf.ensure_shape(rows[number], [self.model.config.space.length]),
                tokens[first : first + length + 1],
                before,
                rate * self.windows.scale(length),
                fold(self.seed, Stream.DROPOUT, epoch, number),
            )
            # A comparison with NaN is false.
            healthy = (loss <= self.config.loss_limit) & tf.math.is_finite(norm)
            return loss, perplexity(loss), norm, healthy

        return self._loop(step, start, stop)

    def _learn(
        self,
        row: tf.Tensor,
        tokens: tf.Tensor,
        before: tf.Tensor,
        rate: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One window; mean nats and the norm of the gradient."""
        weights = self.shared.weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            read = self.model.read(
                tokens[:-1], before, self.shared.run_of(row), seed
            )
            losses = self.model.cross_entropies(read.hidden, tokens[1:])
            loss = tf.reduce_mean(losses)
            total = loss + penalties(read, self.config)
        gradients = tape.gradient(total, weights)
        self.carried.assign(read.state)
        return loss, descend(weights, gradients, rate, self.config)

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        loss = float(np.mean([float(row["loss"]) for row in rows]))
        return {
            "learning_rate": float(rows[-1]["learning_rate"]),
            "child_loss": loss,
            "child_perplexity": float(np.exp(min(loss, 80.0))),
        }

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        return f"child perplexity {summary['child_perplexity']:.1f}"
