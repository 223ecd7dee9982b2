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
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nascore.runs.checkpoints import State
from nascore.seeds import fold, fold_in
from nascore.strategies.random import ILLEGAL
from renas.config import BLIND, MutationConfig
from renas.plan import MutationPlan

# Stream of the initial weights, see `nascore.seeds.fold`.
_WEIGHTS = 151
# Of Adam (Kingma and Ba, 2015).
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class Chances(NamedTuple):
    """Log-probabilities of all that a mutation may do.

    Attributes:
      routers: of which place changes, `[R, n, B, K]`.
      values: of what a place becomes, if it changes, `[R, n, L, V]`.
    """

    routers: tf.Tensor
    values: tf.Tensor


class Actions(NamedTuple):
    """What mutations did.

    Attributes:
      routes: int32 `[R, n, B]`, numbers among the places of a block.
      values: int32 `[R, n, B]`, what the place became.
    """

    routes: tf.Tensor
    values: tf.Tensor


class RandomMutator:
    """All places and all values are equally likely; nothing is learned.

    Args:
      plan: of the space.
      mask_same: whether a place that changes never keeps its value.
    """

    def __init__(self, plan: MutationPlan, mask_same: bool = False) -> None:
        self.plan = plan
        self.mask_same = mask_same
        self._no_member = tf.constant(~plan.is_member)
        self._illegal = tf.constant(~plan.legal)
        # Where there is no other value, the old one is kept.
        self._maskable = tf.constant(mask_same & (plan.choices > 1))
        self._members = tf.constant(plan.members)

    def chances(self, rows: tf.Tensor) -> Chances:
        """Of parents, int32 `[R, n, L]`."""
        runs, count = tf.unstack(tf.shape(rows)[:2])
        blocks, most = self.plan.members.shape
        length, values = self.plan.legal.shape
        return self._normalize(
            tf.zeros([runs, count, blocks, most]),
            tf.zeros([runs, count, length, values]),
            rows,
        )

    def _normalize(
        self, routers: tf.Tensor, values: tf.Tensor, rows: tf.Tensor
    ) -> Chances:
        """Chances of logits, without what cannot be."""
        out = self._illegal
        if self.mask_same:
            own = tf.one_hot(rows, self.plan.legal.shape[1], True, False)
            out |= own & self._maskable[:, None]
        return Chances(
            tf.nn.log_softmax(tf.where(self._no_member, ILLEGAL, routers)),
            tf.nn.log_softmax(tf.where(out, ILLEGAL, values)),
        )

    def changed(self, routes: tf.Tensor) -> tf.Tensor:
        """Places that routes `[R, n, B]` lead to, likewise."""
        chosen = tf.one_hot(routes, self.plan.members.shape[1], dtype=tf.int32)
        return tf.reduce_sum(chosen * self._members, axis=3)

    def values_of(self, chances: Chances, routes: tf.Tensor) -> tf.Tensor:
        """Log-probabilities of values where routes lead, `[R, n, B, V]`."""
        return tf.gather(chances.values, self.changed(routes), batch_dims=2)

    def apply(self, rows: tf.Tensor, actions: Actions) -> tf.Tensor:
        """The children of parents, int32 `[R, n, L]`."""
        places = self.changed(actions.routes)[..., None]
        here = tf.equal(places, tf.range(self.plan.space.length))
        value = tf.where(here, actions.values[..., None], -1)
        new = tf.reduce_max(value, axis=2)
        return tf.where(new >= 0, new, rows)

    def score(
        self, chances: Chances, actions: Actions
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Log-probabilities of actions, and entropies of all that could be.

        Returns:
          `[R, n]` each, in nats: sums over the blocks. Of a value that was
          drawn the entropy is that of each place, weighted by its chance.
        """
        values = self.values_of(chances, actions.routes)
        chosen = tf.gather(chances.routers, actions.routes, batch_dims=3)
        chosen += tf.gather(values, actions.values, batch_dims=3)
        routed = tf.exp(chances.routers)
        inside = tf.gather(_entropy(chances.values), self._members, axis=2)
        each = _entropy(chances.routers)
        each += tf.reduce_sum(routed * inside, axis=3)
        return tf.reduce_sum(chosen, axis=2), tf.reduce_sum(each, axis=2)

    @property
    def state(self) -> State:
        """Nothing is learned."""
        return {}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`; nothing is remembered."""


def _entropy(log_probs: tf.Tensor) -> tf.Tensor:
    """Over the last axis, in nats; what cannot be adds nothing."""
    return -tf.reduce_sum(tf.exp(log_probs) * log_probs, axis=-1)


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
        self._moments = {
            f"{name}_{moment}": tf.Variable(
                tf.zeros_like(start), trainable=False, name=moment
            )
            for name, start in starts.items()
            for moment in ("mean", "square")
        }
        self._updates = tf.Variable(0, trainable=False, name="updates")
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
        every = {**self.weights, **self._moments, "updates": self._updates}
        return {f"controller_{name}": value for name, value in every.items()}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        for name, start in self._starts(seeds).items():
            self.weights[name].assign(start)
        for moment in (*self._moments.values(), self._updates):
            moment.assign(tf.zeros_like(moment))

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
        units = self.config.lstm_units
        hidden = cell = tf.zeros([shape[0], 2, shape[3], units])
        states = []
        for given_now in tf.unstack(given, self.plan.tokens, axis=2):
            each = given_now + hidden @ weights["recurrent"]
            inside, forget, new, outside = tf.split(each, 4, axis=3)
            cell = tf.sigmoid(forget) * cell
            cell += tf.sigmoid(inside) * tf.tanh(new)
            hidden = tf.sigmoid(outside) * tf.tanh(cell)
            states.append(hidden)
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
        squares = [
            tf.reduce_sum(tf.square(each), axis=range(1, each.shape.rank))
            for each in map(tf.convert_to_tensor, gradients)
        ]
        finite = tf.math.is_finite(tf.add_n(squares))
        tf.cond(
            tf.reduce_all(finite),
            lambda: self._descend(gradients),
            lambda: tf.constant(False),
        )
        return finite

    def _descend(self, gradients: Sequence[tf.Tensor]) -> tf.Tensor:
        """A step of Adam, one pass over each weight."""
        count = tf.cast(self._updates.assign_add(1), tf.float32)
        for (name, weight), gradient in zip(
            self.weights.items(), gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=self._moments[f"{name}_mean"].handle,
                v=self._moments[f"{name}_square"].handle,
                beta1_power=tf.pow(_BETA_1, count),
                beta2_power=tf.pow(_BETA_2, count),
                lr=self.config.controller_lr,
                beta1=_BETA_1,
                beta2=_BETA_2,
                epsilon=_EPSILON,
                grad=gradient,
            )
        return tf.constant(True)


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
