"""Perplexity of recurrent cells under shared weights as they are."""

import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from nascore import draws
from nascore.data.text import TextData, check_length, streams
from nascore.evaluators.language.config import SharedWindowsConfig
from nascore.networks.recurrent.cell import Run
from nascore.networks.recurrent.model import LanguageModel
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import next_stretch
from nascore.seeds import fold_in

# A perplexity of it gets a score of 1 (Pham et al., 2018, section 3.1).
SCALE = 80.0
MEASURES = "perplexity_score"
TAME = "Lower --text_lr or --clip_norm, in a new run"
# exp of more does not fit float32; no text is so hard.
_MOST_NATS = 80.0


def perplexity(nats: tf.Tensor) -> tf.Tensor:
    """Of the mean nats of a token."""
    # A minimum would make a number of NaN on some devices.
    return tf.exp(tf.where(nats > _MOST_NATS, _MOST_NATS, nats))


def show_score(score: float, spread: float | None = None) -> str:
    """A score with the perplexity that it stands for.

    Args:
      score: 80 / perplexity.
      spread: its standard deviation.
    """
    known = f" (perplexity {SCALE / score:.1f})" if score > 0 else ""
    text = f"{score:.3f}{known}"
    return text if spread is None else f"{text} +- {spread:.3f}"


class SharedLanguage(tf.Module):
    """The evaluator of searches of recurrent cells; see `Evaluator`.

    The score is 80 / perplexity.

    Args:
      model: the shared weights.
      data: the text; its test part stays untouched.
      config: what a reward is measured on.

    Raises:
      InputError: a validation text that is too short for its streams.
    """

    in_graph = True
    columns: tuple[str, ...] = ("perplexity",)
    measures = MEASURES
    texts: tuple[str, ...] = ()
    loses = False
    budgets: tuple[int, ...] = ()
    ranked: Mapping[str, str] = {}
    where = " (shared weights)"
    caveat = (
        "These perplexities are measured with shared weights; an "
        "architecture's own perplexity shows after training it from scratch."
    )
    decimals = 3
    measured_on = (
        "one random window of the validation text, with shared weights; the "
        "score is 80 / perplexity"
    )
    ranked_on = (
        "the whole validation text, with shared weights; not the perplexity "
        "after training from scratch"
    )
    fault = ("the shared weights give logits that are not finite", TAME)

    def __init__(
        self, model: LanguageModel, data: TextData, config: SharedWindowsConfig
    ) -> None:
        super().__init__(name="shared_language")
        self.model = model
        self.config = config
        self.lifecycle: Lifecycle | None = None
        count = config.reward_streams
        check_length(data.validation, count, "validation", "--reward_streams")
        self.validation = tf.constant(streams(data.validation, count))
        self.weights = model.weights
        self._measure_compiled = tf.function(
            self._perplexities,
            [
                tf.TensorSpec([None, model.config.space.length], tf.int32),
                tf.TensorSpec([2], tf.int32),
            ],
            autograph=False,
        )
        # Windows that are read between two pauses.
        self._stretch = 4

    @property
    def about(self) -> str:
        """Number of weights."""
        count = sum(weight.shape.num_elements() for weight in self.weights)
        return f"model of language: {count / 1e6:.2f}M shared weights"

    @property
    def state(self) -> State:
        """The weights, under the names that they have in all checkpoints."""
        return {f"weight_{n}": weight for n, weight in enumerate(self.weights)}

    def show(self, score: float, spread: float | None = None) -> str:
        """See `nascore.search.summaries.show_score`."""
        return show_score(score, spread)

    def as_cells(self, rows: np.ndarray) -> np.ndarray:
        """Rows as `run_of` takes them, one each."""
        return rows

    def run_of(self, row: tf.Tensor) -> Run:
        """Runs the cell of a row `[length]`."""
        return self.model.cell.chosen(row)

    def nats(
        self, row: tf.Tensor, tokens: tf.Tensor, state: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Of a window's tokens but the first, without dropout.

        Args:
          row: of a cell, see `run_of`.
          tokens: int32 `[t + 1, b]`.
          state: float `[b, n]`.

        Returns:
          Mean nats, a scalar; the state to go on from.
        """
        read = self.model.read(tokens[:-1], state, self.run_of(row))
        losses = self.model.cross_entropies(read.hidden, tokens[1:])
        return tf.reduce_mean(losses), read.state

    def measure(self, proposals: Proposals, seed: tf.Tensor) -> Measured:
        """Each row on a random window of the validation text of its own."""
        rows = proposals.rows
        inside = not isinstance(rows, np.ndarray)
        found = (self._perplexities if inside else self._measure_compiled)(
            rows, seed
        )
        return Measured(SCALE / found, {"perplexity": found})

    def _perplexities(self, rows: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Of rows `[n, length]`, float32 `[n]`."""
        steps, count = self.validation.shape
        length = min(self.config.window, steps - 1)

        def one(place: tf.Tensor) -> tf.Tensor:
            start = draws.below(
                tf.constant(steps - length), [], fold_in(seed, place)
            )
            tokens = self.validation[start : start + length + 1]
            tokens = tf.ensure_shape(tokens, [length + 1, count])
            nats, _ = self.nats(
                rows[place], tokens, self.model.zero_state(count)
            )
            return perplexity(nats)

        return tf.map_fn(
            one,
            tf.range(tf.shape(rows)[0]),
            fn_output_signature=tf.TensorSpec([], tf.float32),
            parallel_iterations=1,
        )

    def validate(self, rows: np.ndarray) -> Mapping[str, float]:
        """Score and perplexity on the whole validation text.

        The state of one row is carried through the text; of several, which
        take the windows by turns, each window begins from a state of zero.
        """
        found = self.perplexity_of(tf.constant(self.as_cells(rows)))
        return {
            "validation_score": SCALE / found,
            "validation_perplexity": found,
        }

    def perplexity_of(self, rows: tf.Tensor) -> float:
        """On the whole validation text, see `validate`.

        Args:
          rows: as `run_of` takes them, one or more.
        """
        steps, count = self.validation.shape
        windows = -(-(steps - 1) // self.config.window)
        state, total, start = self.model.zero_state(count), 0.0, 0
        while start < windows:
            stop = min(start + self._stretch, windows)
            begin = time.monotonic()
            nats, state = self._read(
                rows, state, *(tf.constant(n) for n in (start, stop))
            )
            total += float(nats)
            self._stretch = next_stretch(stop - start, time.monotonic() - begin)
            start = stop
            if self.lifecycle:
                self.lifecycle.stop_if_asked()
        return float(np.exp(min(_MOST_NATS, total / ((steps - 1) * count))))

    @tf.function(autograph=False)
    def _read(
        self,
        rows: tf.Tensor,
        state: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sum of nats in windows `start` to `stop`, and the state after."""
        steps, count = self.validation.shape
        several = tf.shape(rows)[0] > 1

        def body(
            window: tf.Tensor, state: tf.Tensor, total: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            first = window * self.config.window
            last = tf.minimum(first + self.config.window, steps - 1)
            tokens = self.validation[first : last + 1]
            before = tf.where(several, tf.zeros_like(state), state)
            row = rows[window % tf.shape(rows)[0]]
            nats, after = self.nats(row, tokens, before)
            read = tf.cast((last - first) * count, tf.float64)
            return window + 1, after, total + read * tf.cast(nats, tf.float64)

        _, state, total = tf.while_loop(
            lambda window, *_: window < stop,
            body,
            (start, state, tf.constant(0.0, tf.float64)),
        )
        return total, state
