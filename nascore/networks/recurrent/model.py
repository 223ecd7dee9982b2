"""A model of language around a recurrent cell (AWD-LSTM's frame).

The embedding is also the matrix of the softmax (Press and Wolf, 2017). Each
dropout has one mask for all steps of a window (Gal and Ghahramani, 2016), made
before the steps; that of words leaves out whole rows of the embedding.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from nascore import draws
from nascore.networks.recurrent.cell import HighwayCell, Run
from nascore.networks.recurrent.config import (
    LanguageModelConfig,
    SharedLanguageModelConfig,
)
from nascore.seeds import fold_in

_WORDS, _EMBEDDED, _INPUT, _NODES, _OUTPUT = range(5)


class Read(NamedTuple):
    """What a model made of a window.

    Attributes:
      hidden: float `[t, b, n]`, states that predict, after dropout.
      raw: likewise, before it.
      state: `[b, n]`, to go on from.
    """

    hidden: tf.Tensor
    raw: tf.Tensor
    state: tf.Tensor


class LanguageModel(tf.Module):
    """Embedding, cell and softmax.

    Args:
      config: sizes and dropout.
      vocabulary: number of tokens.
      seed: int32 `[2]`, of the first weights.
    """

    def __init__(
        self, config: LanguageModelConfig, vocabulary: int, seed: tf.Tensor
    ) -> None:
        super().__init__(name="language_model")
        self.config = config
        self.vocabulary = vocabulary
        made: list[tf.Variable] = []

        def make(shape: Sequence[int], name: str) -> tf.Variable:
            uniform = draws.uniform(shape, fold_in(seed, len(made)))
            made.append(
                tf.Variable((2 * uniform - 1) * config.weight_init, name=name)
            )
            return made[-1]

        self.embedding = make([vocabulary, config.hidden_units], "embedding")
        sharing, normalize = "node", False
        if isinstance(config, SharedLanguageModelConfig):
            sharing, normalize = config.sharing, config.normalize
        self.cell = HighwayCell(
            config.space, config.hidden_units, sharing, normalize, make
        )
        self.bias = tf.Variable(tf.zeros([vocabulary]), name="bias")

    @property
    def space(self) -> object:
        """Of the cells."""
        return self.config.space

    @property
    def weights(self) -> list[tf.Variable]:
        """All of them, in the order of all checkpoints."""
        return [self.embedding, *self.cell.weights, self.bias]

    def zero_state(self, batch: int) -> tf.Tensor:
        """The state before a text, float32 `[batch, n]`."""
        return tf.zeros([batch, self.config.hidden_units])

    def read(
        self,
        tokens: tf.Tensor,
        state: tf.Tensor,
        run: Run,
        seed: tf.Tensor | None = None,
    ) -> Read:
        """Reads a window.

        Args:
          tokens: int32 `[t, b]`.
          state: float `[b, n]`, after what came before.
          run: of the cell, see `HighwayCell`.
          seed: int32 `[2]`, of the dropout; None: no dropout.
        """
        embedded = self.embed(tokens, seed)
        units = self.config.hidden_units
        # The inputs' part of node 0, of all steps at once.
        products = tf.reshape(
            tf.reshape(embedded, [-1, units]) @ self.cell.first[:units],
            tf.concat([tf.shape(tokens), [2 * units]], axis=0),
        )
        products = tf.ensure_shape(products, [*tokens.shape, 2 * units])
        size, config = tf.shape(state), self.config
        nodes = self.mask(config.node_dropout, size, seed, _NODES)
        raw, last = run(products, state, nodes)
        return Read(self.drop_output(raw, seed), raw, last)

    def mask(
        self,
        rate: float,
        shape: tf.Tensor | Sequence[int],
        seed: tf.Tensor | None,
        stream: int,
    ) -> tf.Tensor | None:
        """What something is multiplied by in all steps; None: by 1."""
        if seed is None or not rate:
            return None
        return draws.dropout(tf.ones(shape), rate, fold_in(seed, stream))

    def embed(self, tokens: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        """The cell's inputs after dropout, `[t, b, n]`; see `read`."""
        config = self.config
        embedded = tf.nn.embedding_lookup(self.embedding, tokens)
        words = self.mask(
            config.word_dropout, [self.vocabulary, 1], seed, _WORDS
        )
        if words is not None:
            embedded *= tf.gather(words, tokens)
        for rate, stream in (
            (config.embedding_dropout, _EMBEDDED),
            (config.input_dropout, _INPUT),
        ):
            own = self.mask(rate, tf.shape(embedded)[1:], seed, stream)
            embedded = embedded if own is None else embedded * own
        return embedded

    def drop_output(self, raw: tf.Tensor, seed: tf.Tensor | None) -> tf.Tensor:
        """States that predict, of `[t, b, n]`."""
        own = self.mask(
            self.config.output_dropout, tf.shape(raw)[1:], seed, _OUTPUT
        )
        return raw if own is None else raw * own

    def logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """Of states `[..., n]`, `[k, vocabulary]` one after the other."""
        flat = tf.reshape(hidden, [-1, self.config.hidden_units])
        return tf.matmul(flat, self.embedding, transpose_b=True) + self.bias

    def cross_entropies(
        self, hidden: tf.Tensor, targets: tf.Tensor
    ) -> tf.Tensor:
        """Nats of each target, `[t * b]`.

        Args:
          hidden: float `[t, b, n]`.
          targets: int32 `[t, b]`.
        """
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            tf.reshape(targets, [-1]), self.logits(hidden)
        )
