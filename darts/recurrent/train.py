"""The phase in which weights and alphas of a recurrent cell learn."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from darts.bilevel import Bilevel
from darts.recurrent.config import MixedWindowsConfig, RecurrentAlphasConfig
from darts.recurrent.layout import RecurrentLayout
from darts.recurrent.mixed import MixedLanguage
from darts.steps import MixtureSteps
from nascore.data.text import TextData, check_length, streams
from nascore.data.windows import Windows
from nascore.evaluators.language.shared import perplexity
from nascore.networks.recurrent.learning import penalties
from nascore.protocols import Columns
from nascore.runs.checkpoints import State
from nascore.seeds import Stream, fold

# Stream of the alphas' dropout, see `nascore.seeds.fold`.
_DROPOUT = 105


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


class TrainMixedText(MixtureSteps):
    """Steps of DARTS: alphas on the validation text, weights on the other.

    Both texts are read on from window to window with a state of their own; the
    alphas' window begins where that of the weights does, around the end of its
    text, as in DARTS's code.

    Its rows are those of `MixtureSteps`, of a window each: losses in nats, with
    their perplexities, and the learning rate of a whole window. The losses that
    are learned also have the penalties in them.

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

    note = "perplexity"
    means = {"mixture_loss": "loss", "alpha_loss": "alpha_loss"}
    tame = "Lower --text_lr or --alpha_lr, in a new run"

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
        super().__init__(mixed, layout, seed)
        self.weights = weights
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
        return self._with_rate(found, rate)

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

        def step(number: tf.Tensor) -> dict[str, tf.Tensor]:
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
            return found

        return self._loop(step, start, stop)

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

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        read = math.exp(min(80.0, summary["mixture_loss"]))
        return f"mixture's perplexity {read:.1f} in training"


def _shares(alphas: Sequence[tf.Variable]) -> tf.Tensor:
    """A softmax over the functions of an edge, without that of `none`."""
    return tf.nn.softmax(alphas[0])[0, :, 1:]
