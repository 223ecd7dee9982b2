"""A model of language and how it learns: averaged SGD, window by window."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nascore.data.text import TextData, check_length, streams
from nascore.data.windows import Windows
from nascore.networks.recurrent.learning import descend, penalties
from nascore.networks.recurrent.lstm import (
    LSTM,
    LstmLanguageModel,
    equal_width,
)
from nascore.networks.recurrent.model import LanguageModel, Read
from nascore.runs.checkpoints import State
from nascore.seeds import Stream, fold
from nascore.training.language.config import FinalLanguageConfig

# Stream of the first weights, see `nascore.seeds.fold`.
_FIRST_WEIGHTS = 53
# Windows that are read between two looks at the clock.
READ_AT_ONCE = 50


def build(config: FinalLanguageConfig, vocabulary: int) -> LanguageModel:
    """The model that the settings name; an LSTM has as many weights.

    Raises:
      InputError: no such cell.
    """
    seed = fold(config.training.seed, _FIRST_WEIGHTS)
    network = config.network
    if config.training.architecture.strip().upper() == LSTM:
        width = equal_width(vocabulary, network.hidden_units, network.num_nodes)
        network = dataclasses.replace(network, hidden_units=width)
        return LstmLanguageModel(network, vocabulary, seed)
    network.space.parse(config.training.architecture)
    return LanguageModel(network, vocabulary, seed)


class Learner(tf.Module):
    """One model of language on one text.

    Args:
      config: decides the result.
      data: the text.

    Attributes:
      averaging: int32, steps that are in the averages.

    Raises:
      InputError: a text that is too short, or no such cell.
    """

    def __init__(self, config: FinalLanguageConfig, data: TextData) -> None:
        super().__init__(name="learner")
        self.config = config
        training = config.training
        self.model = build(config, len(data.vocabulary))
        self.weights = self.model.weights
        windows = config.windows
        self.windows = Windows(
            data.train,
            *(windows.batch_size, windows.window, windows.jitter),
            training.seed,
            Stream.SHUFFLE,
        )
        self.parts = {}
        for name, ids in (("validation", data.validation), ("test", data.test)):
            count = training.evaluation_streams
            check_length(ids, count, name, "--evaluation_streams")
            self.parts[name] = tf.constant(streams(ids, count))

        def copies(name: str) -> list[tf.Variable]:
            return [
                tf.Variable(weight, trainable=False, name=name)
                for weight in self.weights
            ]

        self.averages, self.best = copies("average"), copies("best")
        self.averaging = tf.Variable(0, trainable=False, name="averaging")
        start = self.model.zero_state(config.windows.batch_size)
        self.carried = tf.Variable(start, trainable=False, name="carried")
        self.loss = tf.Variable(0.0, trainable=False, dtype=tf.float64)

    @property
    def state(self) -> State:
        """All that a resumed training needs."""
        lists = (
            ("weight", self.weights),
            ("average", self.averages),
            ("best", self.best),
        )
        return {
            **{
                f"{name}_{n}": v for name, vs in lists for n, v in enumerate(vs)
            },
            "averaging": self.averaging,
            "carried": self.carried,
            "loss": self.loss,
        }

    def _read(
        self, tokens: tf.Tensor, state: tf.Tensor, seed: tf.Tensor | None
    ) -> Read:
        run = None
        if not isinstance(self.model, LstmLanguageModel):
            text = self.config.training.architecture
            cell = self.config.network.space.parse(text)
            run = self.model.cell.fixed(cell)
        return self.model.read(tokens, state, run, seed)  # type: ignore

    # Each epoch has as many windows as its cuts make: one trace for all.
    @tf.function(
        autograph=False,
        input_signature=[
            *[tf.TensorSpec([None], tf.int32)] * 2,
            *[tf.TensorSpec([], tf.int32)] * 3,
        ],
    )
    def train(
        self,
        firsts: tf.Tensor,
        lengths: tf.Tensor,
        epoch: tf.Tensor,
        start: tf.Tensor,
        stop: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        """Trains on windows `start` to `stop` of an epoch.

        Args:
          firsts: int32 `[windows]`, first steps.
          lengths: likewise, how long they are.
          epoch: int32 scalar.
          start: likewise.
          stop: likewise.

        Returns:
          The window after the last one, whether all were healthy, loss in
          nats and norm of the gradient of the last.
        """
        windows = self.config.windows

        def body(
            number: tf.Tensor, *_: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            first, length = firsts[number], lengths[number]
            before = tf.where(
                tf.equal(number, 0), tf.zeros_like(self.carried), self.carried
            )
            seed = fold(
                self.config.training.seed, Stream.DROPOUT, epoch, number
            )
            tokens = self.windows.tokens[first : first + length + 1]
            loss, norm = self._learn(
                tokens,
                before,
                windows.text_lr * self.windows.scale(length),
                seed,
            )
            self.loss.assign_add(
                tf.cast(loss, tf.float64) * tf.cast(length, tf.float64)
            )
            healthy = (loss <= windows.loss_limit) & tf.math.is_finite(norm)
            return number + 1, healthy, loss, norm

        return tf.while_loop(
            lambda number, healthy, *_: (number < stop) & healthy,
            body,
            (start, tf.constant(True), tf.constant(0.0), tf.constant(0.0)),
        )

    def _learn(
        self,
        tokens: tf.Tensor,
        before: tf.Tensor,
        rate: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One window; mean nats and the norm of the gradient."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.weights)
            read = self._read(tokens[:-1], before, seed)
            losses = self.model.cross_entropies(read.hidden, tokens[1:])
            loss = tf.reduce_mean(losses)
            total = loss + penalties(read, self.config.windows)
        gradients = tape.gradient(total, self.weights)
        self.carried.assign(read.state)
        norm = descend(self.weights, gradients, rate, self.config.windows)
        tf.cond(self.averaging > 0, self._average, lambda: tf.constant(0))
        return loss, norm

    def _average(self) -> tf.Tensor:
        """Takes the weights into their mean over the steps (Polyak)."""
        count = tf.cast(self.averaging, tf.float32)
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.assign_add((weight - average) / count)
        return self.averaging.assign_add(1)

    def start_averaging(self) -> None:
        """From the next step on weights are averaged."""
        self.averaging.assign(1)

    def swap(self, values: Sequence[tf.Variable]) -> list[tf.Tensor]:
        """Puts other values into the weights; returns theirs."""
        kept = [weight.read_value() for weight in self.weights]
        for weight, value in zip(self.weights, values, strict=True):
            weight.assign(value)
        return kept

    def evaluate(self, part: str) -> float:
        """Mean nats of `validation` or `test`, with the weights as they are."""
        tokens = self.parts[part]
        steps, size = tokens.shape[0], self.config.windows.window
        state, total = self.model.zero_state(tokens.shape[1]), 0.0
        for first in range(0, steps - 1, size * READ_AT_ONCE):
            last = min(first + size * READ_AT_ONCE, steps - 1)
            nats, state = self._evaluate(tokens[first : last + 1], state)
            total += float(nats)
        return total / ((steps - 1) * tokens.shape[1])

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.float32),
        ],
    )
    def _evaluate(
        self, tokens: tf.Tensor, state: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sum of nats of all tokens but the first, and the state after."""
        size, steps = self.config.windows.window, tf.shape(tokens)[0] - 1
        width = self.model.zero_state(1).shape[1]
        state = tf.ensure_shape(state, [None, width])

        def body(
            first: tf.Tensor, state: tf.Tensor, total: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            own = tokens[first : tf.minimum(first + size, steps) + 1]
            read = self._read(own[:-1], state, None)
            losses = self.model.cross_entropies(read.hidden, own[1:])
            found = tf.reduce_sum(tf.cast(losses, tf.float64))
            after = tf.ensure_shape(read.state, state.shape)
            return first + size, after, total + found

        _, state, total = tf.while_loop(
            lambda first, *_: first < steps,
            body,
            (tf.constant(0), state, tf.constant(0.0, tf.float64)),
        )
        return total, state

    def keep_best(self) -> None:
        """Remembers the weights as they are."""
        for best, weight in zip(self.best, self.weights, strict=True):
            best.assign(weight)


def starts_to_average(losses: Sequence[float], after: int) -> bool:
    """Whether averaging starts, by the validation losses so far.

    When the newest is above the best of all but the last `after`
    (non-monotonic trigger; Merity et al., 2018, algorithm 1).
    """
    earlier = losses[:-1]
    if not after or len(earlier) <= after:
        return False
    return losses[-1] > float(np.min(earlier[:-after]))
