"""The policy of ENAS over recurrent cells (Pham et al., 2018, section 2.1).

With the constants and the order of `enas_lm`, the public code that its authors
call the correct one: for each node an LSTM attends to earlier nodes to choose
the input, then chooses the function. From the logit of an input the square of
its distance is taken, and what the LSTM reads next is the chosen node's anchor
over its distance.
"""

import keras
import tensorflow as tf

from enas.config import RecurrentControllerConfig
from enas.policy import Choices, ReinforcePolicy, Sample, attend
from nascore import draws
from nascore.seeds import fold
from nascore.spaces.recurrent import RecurrentSpace
from nascore.strategies.policy_gradient import MovingBaseline

# Of the policy's first weights, see `nascore.seeds.fold`.
_WEIGHTS = 52
# What an anchor is divided by, beside its distance.
_NEAR = 0.1


class RecurrentController(ReinforcePolicy):
    """The policy: inputs by attention with a preference for near ones.

    Args:
      space: the architectures to choose from.
      config: constants.
      seed: of the run.
    """

    space: RecurrentSpace

    def __init__(
        self,
        space: RecurrentSpace,
        config: RecurrentControllerConfig,
        seed: int = 1,
    ) -> None:
        super().__init__(space, config, MovingBaseline(config.baseline_decay))
        # Unlike that of ENAS's cells, with the usual constants.
        self.optimizer = keras.optimizers.Adam(config.controller_lr)
        units, count = config.lstm_units, len(space.functions)
        made: list[tf.Variable] = []

        def weight(name: str, *shape: int) -> tf.Variable:
            uniform = draws.uniform(shape, fold(seed, _WEIGHTS, len(made)))
            value = (2 * uniform - 1) * config.init_range
            made.append(tf.Variable(value, name=name))
            return made[-1]

        self.lstm_kernel = weight("lstm_kernel", 2 * units, 4 * units)
        self.start = weight("start", 1, units)
        # Also what scores the functions, as in `enas_lm`.
        self.functions = weight("functions", count, units)
        self.anchor_kernel = weight("anchor_kernel", units, units)
        self.query_kernel = weight("query_kernel", units, units)
        self.score_kernel = weight("score_kernel", units, 1)
        self._weights = made
        self.optimizer.build(made)

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        return list(self._weights)

    def _lstm(
        self, x: tf.Tensor, state: tuple[tf.Tensor, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A step without biases; new memory and output, `[n, units]` each."""
        memory, output = state
        gates = tf.concat([x, output], axis=1) @ self.lstm_kernel
        admit, forget, show, new = tf.split(gates, 4, axis=1)
        memory = tf.sigmoid(admit) * tf.tanh(new) + tf.sigmoid(forget) * memory
        return memory, tf.sigmoid(show) * tf.tanh(memory)

    def __call__(
        self,
        count: int | tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        architectures: tf.Tensor | None = None,
    ) -> Sample:
        """Samples architectures, or scores the given ones.

        Args:
          count: how many to sample.
          seed: int32 `[2]`, needed for sampling.
          architectures: int32 `[n, length]`, to score instead.
        """
        if architectures is not None:
            count = tf.shape(architectures)[0]
        choices = Choices(architectures, seed)
        zeros = tf.zeros([count, self.config.lstm_units])
        state = (zeros, zeros)
        x = tf.repeat(self.start, tf.shape(zeros)[0], axis=0)
        if self.space.skip:
            x, state = self._choose_function(choices, 0, x, state)
        # Node 0, which nothing describes.
        anchors, keys = [zeros], [zeros @ self.anchor_kernel]
        for node in range(1, self.space.num_nodes + 1):
            column = self.space.skip + 2 * (node - 1)
            state = self._lstm(x, state)
            index = choices.take(self._score(keys, state[1]), column)
            distance = tf.cast(node - index, tf.float32)[:, None]
            x = tf.gather(tf.stack(anchors, axis=1), index, batch_dims=1)
            x /= _NEAR + distance
            x, state = self._choose_function(choices, column + 1, x, state)
            anchors.append(state[1])
            keys.append(state[1] @ self.anchor_kernel)
        return choices.sample()

    def _score(self, keys: list[tf.Tensor], output: tf.Tensor) -> tf.Tensor:
        """Logits of the inputs of the next node, `[n, nodes so far]`."""
        query = output @ self.query_kernel
        logits = self._squash(attend(keys, query, self.score_kernel))
        if not self.config.distance_scale:
            return logits
        distances = tf.range(len(keys), 0, -1, dtype=tf.float32)
        return logits - distances**2 / self.config.distance_scale

    def _choose_function(
        self,
        choices: Choices,
        column: int,
        x: tf.Tensor,
        state: tuple[tf.Tensor, tf.Tensor],
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, tf.Tensor]]:
        """Chooses a function; returns its embedding and the new state."""
        state = self._lstm(x, state)
        logits = tf.matmul(state[1], self.functions, transpose_b=True)
        chosen = choices.take(self._squash(logits), column)
        return tf.gather(self.functions, chosen), state
