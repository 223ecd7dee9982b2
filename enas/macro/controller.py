"""The policy of ENAS over whole networks, with its penalty on skips.

Pham et al. (2018), section 2.3, with the constants and the form of the
published code. There, and here, the bits of a layer are chosen by attention
over the steps of the layers before, while bit k means tensor k, of which the
stem is the first: the two are off by one.
"""

import tensorflow as tf

from enas.attention import AttentionPolicy
from enas.macro.config import MacroControllerConfig
from enas.policy import Choices, Sample
from nascore.spaces.macro import MacroSpace
from nascore.strategies.policy_gradient import policy_gradient_loss

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


class MacroController(AttentionPolicy):
    """The policy: an operation and skips for each layer.

    Args:
      space: the architectures to choose from.
      config: constants.
    """

    space: MacroSpace
    config: MacroControllerConfig
    columns = (*AttentionPolicy.columns, SKIP_PENALTY)

    def _loss(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """That of the policy gradient, and the penalty."""
        scored = self(architectures=rows)
        loss = policy_gradient_loss(scored.log_prob, advantages)
        penalty = tf.reduce_mean(scored.notes[SKIP_PENALTY])
        return loss + self.config.skip_weight * penalty

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
        choices = Choices(architectures, seed)
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
        # A mean over the layers that choose.
        penalty /= max(1, self.space.num_layers - 1)
        return choices.sample(**{SKIP_PENALTY: penalty})

    def _score(self, anchors: tf.Tensor, hidden: tf.Tensor) -> tf.Tensor:
        """The squashed logits of skips from each anchor, `[n, k]`.

        Args:
          anchors: of the layers before, `[n, k, units]`.
          hidden: of this one, `[n, units]`.
        """
        query = (hidden @ self.query_kernel)[:, None]
        scores = tf.tanh(anchors @ self.anchor_kernel + query)
        return self._squash((scores @ self.score_kernel)[..., 0])
