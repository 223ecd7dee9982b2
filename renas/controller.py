"""The mutation controller of RENAS (Chen et al., 2019, section 3.3).

A bidirectional LSTM reads a parent. In each node a router says which of its
choices changes, and a mutator what it becomes: of an input by comparing the
states of the candidates, of an operation by a linear layer. All decisions are
independent given the parent, so one pass gives the probabilities of all of
them, to sample from or to score what was sampled.

Weights are those of many searches, stacked: `R` is their number, `n` that of
parents in each. Other sizes are those of `renas.plan.MutationPlan`; `E` and
`H` are the units of embedding and LSTM.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from nascore.runs.checkpoints import State
from nascore.seeds import fold, fold_in
from nascore.strategies.stacked_adam import StackedAdam
from nascore.strategies.stacked_lstm import run_lstm
from renas.config import BLIND, MutationConfig
from renas.mutators import Actions, Chances, RandomMutator
from renas.plan import MutationPlan

# Stream of the initial weights, see `nascore.seeds.fold`.
_WEIGHTS = 151


class MutationController(RandomMutator):
    """The controllers of some searches, and how they learn.

    Args:
      plan: of the space.
      config: constants.
      seeds: of the searches.
    """

    def __init__(
        self, plan: MutationPlan, config: MutationConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(plan, config.mask_same)
        self.config = config
        starts = self._starts(seeds)
        self.weights = {
            name: tf.Variable(start, name=name)
            for name, start in starts.items()
        }
        self._optimizer = StackedAdam(self.weights, config.controller_lr)
        # Operations stand after inputs among the logits; back in order.
        order = np.argsort(np.argsort(~plan.is_input, kind="stable"))
        self._order = tf.constant(order)

    def _starts(self, seeds: Sequence[int]) -> dict[str, tf.Tensor]:
        """Initial weights: normal, and biases of 0."""
        config, plan = self.config, self.plan
        units, both = config.lstm_units, 2 * config.lstm_units
        shapes = {
            "embedding": (plan.vocabulary, config.embedding_units),
            "kernel": (2, config.embedding_units, 4 * units),
            "recurrent": (2, units, 4 * units),
            "bias": (2, 4 * units),
            "router": (both, 1),
            "router_bias": (1,),
        }
        operations = int(plan.choices[~plan.is_input].max(initial=0))
        if operations:
            shapes["operation"] = (both, operations)
            shapes["operation_bias"] = (operations,)
        if plan.is_input.any():
            shapes["reader"] = shapes["candidate"] = (both, 1)
            shapes["input_bias"] = (1,)
        found: dict[str, tf.Tensor] = {}
        for number, (name, shape) in enumerate(shapes.items()):
            drawn = [
                tf.random.stateless_normal(
                    shape, fold_in(fold(seed, _WEIGHTS), number)
                )
                for seed in seeds
            ]
            scale = 0.0 if "bias" in name else config.controller_init
            found[name] = scale * tf.stack(drawn)
        return found

    @property
    def state(self) -> State:
        """Weights, and the moments of Adam."""
        every = {**self.weights, **self._optimizer.state}
        return {f"controller_{name}": value for name, value in every.items()}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        for name, start in self._starts(seeds).items():
            self.weights[name].assign(start)
        self._optimizer.restart()

    def chances(self, rows: tf.Tensor) -> Chances:
        """Of parents, int32 `[R, n, L]`."""
        plan, weights = self.plan, self.weights
        states = self._encode(self._tokens(rows))
        places = tf.gather(states, plan.positions, axis=1)
        routers = _linear(places, weights["router"], weights["router_bias"])
        routers = tf.transpose(routers[..., 0], [0, 2, 1])
        width = plan.legal.shape[1]
        parts = []
        if plan.is_input.any():
            parts.append(self._inputs(states, places, width))
        if not plan.is_input.all():
            own = tf.gather(places, np.flatnonzero(~plan.is_input), axis=1)
            logits = _linear(
                own, weights["operation"], weights["operation_bias"]
            )
            parts.append(_widen(logits, width))
        values = tf.gather(tf.concat(parts, axis=1), self._order, axis=1)
        return self._normalize(
            self._squash(tf.gather(routers, plan.members, axis=2)),
            self._squash(tf.transpose(values, [0, 2, 1, 3])),
            rows,
        )

    def _inputs(
        self, states: tf.Tensor, places: tf.Tensor, width: int
    ) -> tf.Tensor:
        """Logits of inputs, `[R, inputs, n, V]`.

        A linear layer on a place's state and a candidate's: the sum of what
        it makes of each.
        """
        plan, weights = self.plan, self.weights
        own = tf.gather(places, np.flatnonzero(plan.is_input), axis=1)
        bias = weights["input_bias"]
        read = _linear(own, weights["reader"], bias)
        every = _linear(states, weights["candidate"], 0 * bias)[..., 0]
        compared = tf.gather(every, plan.candidates, axis=1)
        return _widen(read + tf.transpose(compared, [0, 1, 3, 2]), width)

    def _squash(self, logits: tf.Tensor) -> tf.Tensor:
        config = self.config
        scaled = tf.tanh(logits / config.temperature)
        return config.tanh_constant * scaled

    def _tokens(self, rows: tf.Tensor) -> tf.Tensor:
        """The sequence of each parent, int32 `[R, n, T]`."""
        plan = self.plan
        shown = tf.gather(rows, np.maximum(plan.shown, 0), axis=2)
        tokens = tf.where(plan.shown >= 0, shown, 0) + plan.added
        if self.config.mutator == BLIND:
            return tf.zeros_like(tokens)
        return tokens

    def _encode(self, tokens: tf.Tensor) -> tf.Tensor:
        """A state for each token, `[R, T, n, 2 H]`: both directions."""
        weights = self.weights
        # What the gates get of a token depends on nothing else.
        gates = weights["embedding"][:, None] @ weights["kernel"]
        gates += weights["bias"][:, :, None]
        both = tf.stack([tokens, tokens[..., ::-1]], axis=1)
        chosen = tf.one_hot(tf.transpose(both, [0, 1, 3, 2]), gates.shape[2])
        shape = tf.shape(chosen)
        flat = tf.reshape(chosen, [shape[0], 2, -1, gates.shape[2]]) @ gates
        given = tf.reshape(flat, [*tf.unstack(shape)[:4], -1])
        steps = tf.unstack(given, self.plan.tokens, axis=2)
        states = run_lstm(steps, weights["recurrent"])
        every = tf.stack(states, axis=2)
        return tf.concat([every[:, 0], every[:, 1, ::-1]], axis=3)

    def learn(
        self, rows: tf.Tensor, actions: Actions, advantages: tf.Tensor
    ) -> tf.Tensor:
        """One update from children, unless a gradient is not finite.

        REINFORCE; the entropy's gradient joins it where `entropy_in` is loss.

        Args:
          rows: of their parents, int32 `[R, n, L]`.
          actions: that made them.
          advantages: rewards over the baseline, float32 `[R, n]`.

        Returns:
          Bool `[R]`, whether the gradient of each search is finite.
        """
        watched = list(self.weights.values())
        with tf.GradientTape() as tape:
            log_probs, entropy = self.score(self.chances(rows), actions)
            gain = log_probs * tf.stop_gradient(advantages)
            if self.config.entropy_in == "loss":
                gain += self.config.entropy_weight * entropy
            # Searches share nothing: their losses are summed up.
            loss = -tf.reduce_sum(tf.reduce_mean(gain, axis=1))
        gradients = tape.gradient(loss, watched)
        return self._optimizer.descend(gradients)


def _linear(states: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """A layer of each search: `[R, k, n, 2 H]` to `[R, k, n, outputs]`."""
    shape = tf.shape(states)
    flat = tf.reshape(states, [shape[0], -1, states.shape[3]]) @ kernel
    return (
        tf.reshape(flat, [*tf.unstack(shape)[:3], kernel.shape[2]])
        + (bias[:, None, None])
    )


def _widen(logits: tf.Tensor, width: int) -> tf.Tensor:
    """More values on the last axis, none of which is legal."""
    more = width - logits.shape[3]
    return tf.pad(logits, [[0, 0], [0, 0], [0, 0], [0, more]])
