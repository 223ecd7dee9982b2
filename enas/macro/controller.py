"""The policy of ENAS over whole networks, with its penalty on skips.

Pham et al. (2018), section 2.3, with the constants and the form of the
published code. There, and here, the bits of a layer are chosen by attention
over the steps of the layers before, while bit k means tensor k, of which the
stem is the first: the two are off by one.
"""

import keras
import tensorflow as tf

from enas.macro.config import MacroControllerConfig
from enas.policy import Choices, ReinforcePolicy, Sample
from nascore import draws
from nascore.protocols import Proposals
from nascore.seeds import fold_in
from nascore.spaces.macro import MacroSpace
from nascore.strategies.policy_gradient import (
    MovingBaseline,
    descend_if_finite,
    policy_gradient_loss,
)

SKIP_PENALTY = "skip_penalty"


def skip_divergence(logits: tf.Tensor, target: float) -> tf.Tensor:
    """How far the chances of skips are from a target, in nats.

    The chance of a skip is the sigmoid of its logit, and not of twice that,
    as the softmax of the pair is which draws it: so it is in the code.

    Args:
      logits: of skips, float32 `[n, k]`; those of no skip are their
        opposites.
      target: wanted part of skips.

    Returns:
      Float32 `[n]`: the Kullback-Leibler divergences, added up.
    """
    log_skip, log_none = map(tf.math.log_sigmoid, (logits, -logits))
    none = tf.math.log(1.0 - target)
    parts = tf.exp(log_skip) * (log_skip - tf.math.log(target))
    parts += tf.exp(log_none) * (log_none - none)
    return tf.reduce_sum(parts, axis=1)


class MacroController(ReinforcePolicy):
    """The policy: an operation and skips for each layer.

    Args:
      space: the architectures to choose from.
      config: constants.
    """

    space: MacroSpace
    config: MacroControllerConfig
    columns = (*ReinforcePolicy.columns, SKIP_PENALTY)

    def __init__(
        self, space: MacroSpace, config: MacroControllerConfig
    ) -> None:
        super().__init__(space, config, MovingBaseline(config.baseline_decay))
        units, count = config.lstm_units, len(space.operations)

        def uniform() -> keras.initializers.Initializer:
            # One for each weight: it gives the same numbers at every call.
            return keras.initializers.RandomUniform(
                -config.init_range, config.init_range
            )

        self.lstm = keras.layers.LSTMCell(
            units,
            use_bias=False,
            kernel_initializer=uniform(),
            recurrent_initializer=uniform(),
        )
        self.lstm.build((None, units))

        def weight(name: str, *shape: int) -> tf.Variable:
            return tf.Variable(uniform()(shape), name=name)

        self.start = weight("start", 1, units)
        self.op_embedding = weight("op_embedding", count, units)
        self.op_kernel = weight("op_kernel", units, count)
        self.anchor_kernel = weight("anchor_kernel", units, units)
        self.query_kernel = weight("query_kernel", units, units)
        self.score_kernel = weight("score_kernel", units, 1)
        self.optimizer.build(self.variables_to_train)

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        return [
            *(variable.value for variable in self.lstm.trainable_variables),
            self.start,
            self.op_embedding,
            self.op_kernel,
            self.anchor_kernel,
            self.query_kernel,
            self.score_kernel,
        ]

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Samples from the policy."""
        sample = self(count, seed)
        notes = {
            "entropy": sample.entropy,
            "log_prob": sample.log_prob,
            SKIP_PENALTY: sample.penalty,
        }
        return Proposals(sample.architectures, notes)

    def _descend(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """One step on policy gradient and penalty; whether it was made."""
        weights = self.variables_to_train
        with tf.GradientTape() as tape:
            scored = self(architectures=rows)
            loss = policy_gradient_loss(scored.log_prob, advantages)
            loss += self.config.skip_weight * tf.reduce_mean(scored.penalty)
        gradients = tape.gradient(loss, weights)
        return descend_if_finite(self.optimizer, loss, gradients, weights)

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
          architectures: int32 `[n, length]` to score instead.
        """
        if architectures is not None:
            count = tf.shape(architectures)[0]
        choices = Choices(
            architectures,
            lambda logits, column: draws.categorical(
                logits, fold_in(seed, column)
            ),
        )
        zeros = tf.zeros([count, self.config.lstm_units])
        start = tf.repeat(self.start, count, axis=0)
        x, state = start, [zeros, zeros]
        anchors: list[tf.Tensor] = []
        penalty = tf.zeros([count])
        for layer, column in enumerate(self.space.starts.tolist()):
            hidden, state = self.lstm(x, state)
            logits = self._squash(hidden @ self.op_kernel)
            operation = choices.take(logits, column)
            x = tf.gather(self.op_embedding, operation)
            hidden, state = self.lstm(x, state)
            x = start
            if layer:
                before = tf.stack(anchors, axis=1)
                logits = self._score(before, hidden)
                penalty += skip_divergence(logits, self.config.skip_target)
                pairs = tf.stack([-logits, logits], axis=2)
                bits = choices.take_many(pairs, column + 1)
                chosen = tf.cast(bits, tf.float32)[..., None]
                x = tf.reduce_sum(chosen * before, axis=1)
                x /= 1.0 + tf.reduce_sum(chosen, axis=1)
            anchors.append(hidden)
        return Sample(
            choices.stack(),
            choices.log_prob,
            tf.stop_gradient(choices.entropy),
            # A mean over the layers that choose.
            penalty / max(1, self.space.num_layers - 1),
        )

    def _score(self, anchors: tf.Tensor, hidden: tf.Tensor) -> tf.Tensor:
        """The squashed logits of skips from each anchor, `[n, k]`.

        Args:
          anchors: of the layers before, `[n, k, units]`.
          hidden: of this one, `[n, units]`.
        """
        query = (hidden @ self.query_kernel)[:, None]
        scores = tf.tanh(anchors @ self.anchor_kernel + query)
        return self._squash((scores @ self.score_kernel)[..., 0])
