"""The policies over sequences of layers: an LSTM, and uniform choice.

Overview paper, section 4.1: one LSTM, one step for each layer. Its public
code feeds a whole sequence as one vector of numbers and takes every output
into its loss; here each layer is embedded, and only the log-probability of
what was sampled counts.
"""

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from mlpnas.config import PolicyConfig
from nascore import draws
from nascore.seeds import fold_in
from nascore.spaces.perceptrons import PADDING, MlpSpace

# Far below every logit, yet finite: 0 * -inf would spoil the entropy.
_ILLEGAL = -1e9


class Scored(NamedTuple):
    """A batch of sequences under a policy.

    Attributes:
      sequences: int32 `[n, max_layers]`.
      log_probs: float32 `[n, max_layers]`, of each layer, in nats; 0 where
        there was no choice.
      entropy: float32 `[n]`, sum of the entropies of the choices, in nats.
      predicted: float32 `[n]`, accuracies that the predictor expects.
    """

    sequences: tf.Tensor
    log_probs: tf.Tensor
    entropy: tf.Tensor
    predicted: tf.Tensor


class LayerPolicy(tf.Module):
    """Draws sequences under the rules of a space, or scores given ones.

    What comes next is decided by `_step` and the prior over depths; this
    class, whose `_step` finds all alike, is the policy of random search.

    Args:
      space: the architectures to choose from.
    """

    def __init__(self, space: MlpSpace) -> None:
        super().__init__(name="controller")
        self.space = space
        prior = np.where(space.allowed, space.prior, _ILLEGAL)
        # Added to the logits; `[max_layers, ids, ids]`, as `space.allowed`.
        self.prior = tf.constant(prior, tf.float32)

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        return []

    @property
    def predictor_variables(self) -> list[tf.Variable]:
        """Every weight of the predictor, those it shares included."""
        return []

    @property
    def state(self) -> list[tf.Variable]:
        """Every weight, once."""
        return []

    def __call__(
        self,
        count: int | tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        sequences: tf.Tensor | None = None,
    ) -> Scored:
        """Samples sequences, or scores the given ones.

        Args:
          count: how many to sample.
          seed: int32 `[2]`, needed for sampling.
          sequences: int32 `[n, max_layers]` to score instead.
        """
        if sequences is not None:
            count = tf.shape(sequences)[0]
        before = tf.fill([count], PADDING)
        state = self._start(count)
        summary = state[0]
        columns, log_probs = [], []
        entropy = tf.zeros([count])
        for place in range(self.space.max_layers):
            logits, state = self._step(before, state)
            logits += tf.gather(self.prior[place], before)
            if sequences is not None:
                choice = sequences[:, place]
            else:
                choice = draws.categorical(logits, fold_in(seed, place))
            every = tf.nn.log_softmax(logits)
            log_probs.append(tf.gather(every, choice, batch_dims=1))
            entropy -= tf.reduce_sum(tf.exp(every) * every, axis=1)
            columns.append(choice)
            # The state that chose the last layer has seen all before it.
            ended = (choice == PADDING)[:, None]
            summary = tf.where(ended, summary, state[0])
            before = choice
        return Scored(
            tf.stack(columns, axis=1),
            tf.stack(log_probs, axis=1),
            entropy,
            self._predict(summary),
        )

    def _start(self, count: tf.Tensor) -> list[tf.Tensor]:
        """State before the first layer; its first part is `[n, units]`."""
        return [tf.zeros([count, 1])]

    def _step(
        self, before: tf.Tensor, state: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Logits `[n, ids]` of the next layer, and the state after it."""
        return tf.zeros([tf.shape(before)[0], self.prior.shape[-1]]), state

    def _predict(self, summary: tf.Tensor) -> tf.Tensor:
        """Accuracies `[n]` from the last states; nothing is known here."""
        return tf.fill([tf.shape(summary)[0]], np.float32(np.nan))


class LstmPolicy(LayerPolicy):
    """The policy of the paper: embedding, LSTM, softmax over the vocabulary.

    Args:
      space: the architectures to choose from.
      config: sizes.
    """

    def __init__(self, space: MlpSpace, config: PolicyConfig) -> None:
        super().__init__(space)
        self.config = config
        units, ids = config.lstm_units, len(space.vocabulary) + 1
        self.embedding = keras.layers.Embedding(ids, units)
        self.embedding.build((None,))
        self.lstm = keras.layers.LSTMCell(units)
        self.lstm.build((None, units))
        self.output = keras.layers.Dense(ids)
        self.output.build((None, units))
        # Section 4.2: one dense layer that shares the LSTM.
        self.predictor = keras.layers.Dense(1, activation="sigmoid")
        self.predictor.build((None, units))

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """See `LayerPolicy.variables_to_train`."""
        return _trainable(self.embedding, self.lstm, self.output)

    @property
    def predictor_variables(self) -> list[tf.Variable]:
        """See `LayerPolicy.predictor_variables`."""
        if not self.config.predictor:
            return []
        return _trainable(self.embedding, self.lstm, self.predictor)

    @property
    def state(self) -> list[tf.Variable]:
        """See `LayerPolicy.state`."""
        return _trainable(
            self.embedding, self.lstm, self.output, self.predictor
        )

    def _start(self, count: tf.Tensor) -> list[tf.Tensor]:
        zeros = tf.zeros([count, self.config.lstm_units])
        return [zeros, zeros]

    def _step(
        self, before: tf.Tensor, state: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        hidden, state = self.lstm(self.embedding(before), state)
        return self.output(hidden), state

    def _predict(self, summary: tf.Tensor) -> tf.Tensor:
        if not self.config.predictor:
            return super()._predict(summary)
        return self.predictor(summary)[:, 0]


def _trainable(*layers: keras.layers.Layer) -> list[tf.Variable]:
    return [
        variable.value
        for layer in layers
        for variable in layer.trainable_variables
    ]


def make_policy(space: MlpSpace, config: PolicyConfig) -> LayerPolicy:
    """Makes the policy that `config.controller` names."""
    if config.controller == "random":
        return LayerPolicy(space)
    return LstmPolicy(space, config)
