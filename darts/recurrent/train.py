"""The phase in which weights and alphas of a recurrent cell learn."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from darts.bilevel import Bilevel
from darts.recurrent.config import MixedWindowsConfig, RecurrentAlphasConfig
from darts.recurrent.layout import RecurrentLayout
from darts.recurrent.mixed import MixedLanguage
from darts.train import MIXTURE
from nascore.data.text import TextData, check_length, streams
from nascore.data.windows import Windows
from nascore.evaluators.language.shared import perplexity
from nascore.networks.recurrent.learning import penalties
from nascore.protocols import Columns
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.search import loops
from nascore.seeds import Stream, fold

# Stream of the alphas' dropout, see `nascore.seeds.fold`.
_DROPOUT = 105
TAME = "Lower --text_lr or --alpha_lr, in a new run"


class TextBatch(NamedTuple):
    """What a loss is taken of.

    Attributes:
      tokens: int32 `[t + 1, b]`.
      state: float `[b, n]`, before the first.
      seed: int32 `[2]`, of the dropout.
    """

    tokens: tf.Tensor
    state: tf.Tensor
    seed: tf.Tensor


class TrainMixedText(tf.Module):
    """Steps of DARTS: alphas on the validation text, weights on the other.

    See `nascore.protocols.Phase`. Both texts are read on from window to window
    with a state of their own; the alphas' window begins where that of the
    weights does, around the end of its text, as in DARTS's code.

    Its rows, a step each: `loss` of the weights' window in nats and its
    `perplexity`, `alpha_loss` and `alpha_perplexity` of the alphas' window
    before they learn, `learning_rate` of a whole window, norms of gradients.
    The losses that are learned also have the penalties in them.

    Args:
      mixed: the weights.
      alphas: see `darts.bilevel.start_alphas`.
      layout: of the alphas.
      data: the text.
      weights: training of the weights.
      config: training of the alphas.
      seed: of the run.

    Raises:
      InputError: a text that is too short.
    """

    name = MIXTURE
    stretch = 0
    weight = 1
    timed = False
    _COLUMNS = (
        "loss",
        "perplexity",
        "alpha_loss",
        "alpha_perplexity",
        "gradient_norm",
        "alpha_gradient_norm",
        "second_order_norm",
        "healthy",
    )

    def __init__(
        self,
        mixed: MixedLanguage,
        alphas: list[tf.Variable],
        layout: RecurrentLayout,
        data: TextData,
        weights: MixedWindowsConfig,
        config: RecurrentAlphasConfig,
        seed: int,
    ) -> None:
        super().__init__(name="train_mixed_text")
        self.mixed = mixed
        self.layout = layout
        self.weights = weights
        self.config = config
        self.seed = seed
        count = weights.batch_size
        self.windows = Windows(
            data.train,
            *(count, weights.window, weights.jitter),
            seed,
            Stream.SHUFFLE,
        )
        check_length(data.validation, count, "validation", "--batch_size")
        self.alphas_tokens = tf.constant(streams(data.validation, count))
        self.bilevel = Bilevel(
            self._loss, mixed.weights, alphas, weights, config, clips_ahead=True
        )
        start = mixed.model.zero_state(count)
        self.carried = [
            tf.Variable(start, trainable=False, name=name)
            for name in ("carried", "alphas_carried")
        ]

    @property
    def state(self) -> State:
        """Weights, alphas, their optimizer, and what both read on from."""
        carried = {f"carried_{n}": v for n, v in enumerate(self.carried)}
        return {**self.mixed.state, **self.bilevel.state, **carried}

    def shares(self, epoch: int) -> tf.Tensor:
        """Of the mixture as it is, see `MixedLanguage`."""
        return _shares(self.bilevel.alphas)

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return len(self.windows.of(epoch)[0])

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`."""
        rate = self.weights.learning_rate(epoch)
        found = self._steps(
            *(tf.constant(cut) for cut in self.windows.of(epoch)),
            tf.constant(rate),
            *(tf.constant(number) for number in (epoch, start, stop)),
        )
        columns = {name: value.numpy() for name, value in found.items()}
        sick = np.flatnonzero(~columns["healthy"])
        count = int(sick[0]) + 1 if len(sick) else stop - start
        columns = {name: value[:count] for name, value in columns.items()}
        healthy = columns.pop("healthy")
        columns["learning_rate"] = np.full(count, rate)
        return {**columns, "healthy": healthy}

    @tf.function(
        autograph=False,
        input_signature=[
            *[tf.TensorSpec([None], tf.int32)] * 2,
            tf.TensorSpec([], tf.float32),
            *[tf.TensorSpec([], tf.int32)] * 3,
        ],
    )
    def _steps(
        self,
        firsts: tf.Tensor,
        lengths: tf.Tensor,
        rate: tf.Tensor,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Steps `start` to `stop` of an epoch; ends after one that is sick."""
        steps = self.alphas_tokens.shape[0]

        def step(number: tf.Tensor, _: tf.Tensor) -> dict[str, tf.Tensor]:
            first, length = firsts[number], lengths[number]
            of_alphas = tf.minimum(length, steps - 1)
            other = tf.minimum(first % (steps - 1), steps - 1 - of_alphas)
            fresh = tf.equal(number, 0)
            ours, theirs = (
                TextBatch(
                    tokens,
                    tf.where(fresh, tf.zeros_like(carried), carried),
                    fold(self.seed, stream, epoch, number),
                )
                for tokens, carried, stream in zip(
                    (
                        self.windows.tokens[first : first + length + 1],
                        self.alphas_tokens[other : other + of_alphas + 1],
                    ),
                    self.carried,
                    (Stream.DROPOUT, _DROPOUT),
                    strict=True,
                )
            )
            found = self.bilevel.step(
                ours, theirs, rate * self.windows.scale(length)
            )
            for carried, name in zip(
                self.carried, ("state", "alpha_state"), strict=True
            ):
                carried.assign(found.pop(name))
            found["loss"] = found.pop("nats")
            found["alpha_loss"] = found.pop("alpha_nats")
            for name in ("", "alpha_"):
                found[f"{name}perplexity"] = perplexity(found[f"{name}loss"])
            return {name: found[name][None] for name in self._COLUMNS}

        return loops.run_in_graph(
            step,
            {name: [1] for name in self._COLUMNS},
            start,
            stop,
            tf.constant(0),
        )

    def _loss(
        self,
        weights: Sequence[tf.Variable],
        alphas: Sequence[tf.Variable],
        batch: TextBatch,
    ) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        """See `darts.bilevel.Loss`; the model reads its own weights."""
        model = self.mixed.model
        run = self.mixed.run_of(_shares(alphas))
        read = model.read(batch.tokens[:-1], batch.state, run, batch.seed)
        losses = model.cross_entropies(read.hidden, batch.tokens[1:])
        nats = tf.reduce_mean(losses)
        notes = {"nats": nats, "state": read.state}
        return nats + penalties(read, self.weights), notes

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""

        def mean(name: str) -> float:
            return float(np.mean([float(row[name]) for row in rows]))

        return {
            "learning_rate": float(rows[-1]["learning_rate"]),
            "mixture_loss": mean("loss"),
            "alpha_loss": mean("alpha_loss"),
        }

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        read = math.exp(min(80.0, summary["mixture_loss"]))
        return f"mixture's perplexity {read:.1f} in training"

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        loss, norm = row["loss"], row["gradient_norm"]
        what = (
            f"the mixture's loss is {loss:g} and its gradient's norm {norm:g}"
        )
        if math.isfinite(loss) and math.isfinite(norm):
            what += ", beyond --loss_limit, or the alphas' loss is not finite"
        return what, TAME


def _shares(alphas: Sequence[tf.Variable]) -> tf.Tensor:
    """A softmax over the functions of an edge, without that of `none`."""
    return tf.nn.softmax(alphas[0])[0, :, 1:]
