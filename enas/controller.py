"""The strategy of ENAS: an LSTM policy, trained with REINFORCE.

Pham et al. (2018), sections 2.2 and 2.4, with the constants of the published
code.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from enas.config import ControllerConfig
from nascore import draws
from nascore.networks.operations.catalogue import find_operations
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import fold_in
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, CellSpace
from nascore.strategies.policy_gradient import (
    MovingBaseline,
    descend_if_finite,
    policy_gradient_loss,
)


class Sample(NamedTuple):
    """A batch of architectures under a policy.

    Attributes:
      architectures: int32 `[n, cell types, nodes, 4]`.
      log_prob: float32 `[n]`, log-probability of each, in nats.
      entropy: float32 `[n]`, sum of the entropies of its choices, in nats;
        no gradient flows through it.
    """

    architectures: tf.Tensor
    log_prob: tf.Tensor
    entropy: tf.Tensor


class _Chosen:
    """Makes the choices of a batch, drawing them or replaying given ones.

    Args:
      given: int32 `[n, length]` to replay, or None to draw.
      seed: int32 `[2]`, needed to draw.
    """

    def __init__(self, given: tf.Tensor | None, seed: tf.Tensor | None) -> None:
        self.given = given
        self.seed = seed
        self.columns: dict[int, tf.Tensor] = {}
        self.log_prob = tf.constant(0.0)
        self.entropy = tf.constant(0.0)

    def take(self, logits: tf.Tensor, column: int) -> tf.Tensor:
        """Chooses integer `column` from logits `[n, k]`; int32 `[n]`."""
        if self.given is None:
            choice = draws.categorical(logits, fold_in(self.seed, column))
        else:
            choice = self.given[:, column]
        log_probs = tf.nn.log_softmax(logits)
        self.log_prob += tf.gather(log_probs, choice, batch_dims=1)
        self.entropy -= tf.reduce_sum(tf.exp(log_probs) * log_probs, axis=1)
        self.columns[column] = choice
        return choice

    def stack(self) -> tf.Tensor:
        """All choices, int32 `[n, length]`."""
        columns = [self.columns[column] for column in sorted(self.columns)]
        return tf.stack(columns, axis=1)


class LstmController(tf.Module):
    """The strategy, see `nascore.protocols.Strategy`.

    Args:
      space: the architectures to choose from.
      config: constants.
    """

    in_graph = True
    columns = ("baseline", "entropy", "log_prob")
    lasting = ("baseline",)

    def __init__(self, space: CellSpace, config: ControllerConfig) -> None:
        super().__init__(name="controller")
        self.space = space
        self.config = config
        units = config.lstm_units

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

        count = len(space.operations)
        signs = tf.constant(
            [
                1.0 if operation.is_convolution else -1.0
                for operation in find_operations(space.operations)
            ]
        )
        self.start = weight("start", 1, units)
        self.op_embedding = weight("op_embedding", count, units)
        self.op_kernel = weight("op_kernel", units, count)
        self.op_bias = tf.Variable(
            tf.where(signs > 0, config.conv_bias, 0.0), name="op_bias"
        )
        self.fixed_op_bias = config.normal_op_bias * signs
        self.anchor_kernel = weight("anchor_kernel", units, units)
        self.query_kernel = weight("query_kernel", units, units)
        self.score_kernel = weight("score_kernel", units, 1)
        self.baseline = MovingBaseline(config.baseline_decay)
        self.optimizer = keras.optimizers.Adam(
            config.controller_lr, beta_1=0.0, epsilon=1e-3
        )
        self.optimizer.build(self.variables_to_train)

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        return [
            *(variable.value for variable in self.lstm.trainable_variables),
            self.start,
            self.op_embedding,
            self.op_kernel,
            self.op_bias,
            self.anchor_kernel,
            self.query_kernel,
            self.score_kernel,
        ]

    @property
    def state(self) -> State:
        """Weights, moments of the optimizer, and the baseline."""
        moments = [v.value for v in self.optimizer.variables]
        return {
            **{f"weight_{n}": v for n, v in enumerate(self.variables_to_train)},
            **{f"optimizer_{n}": v for n, v in enumerate(moments)},
            "baseline": self.baseline.value,
        }

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Samples from the policy."""
        sample = self(count, seed)
        rows = tf.reshape(sample.architectures, [-1, self.space.length])
        notes = {"entropy": sample.entropy, "log_prob": sample.log_prob}
        return Proposals(rows, notes)

    @tf.function(autograph=False)
    def sample(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Rows of `ask`, int32 `[count, length]`, compiled once."""
        return self.ask(count, seed).rows

    def finalists(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh samples."""
        return self.sample(count, seed)

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, Any]:
        """One update from all rows; the baseline moves with each of them."""
        bonus = self.config.entropy_weight * proposals.notes["entropy"]
        totals = rewards + bonus
        baseline = tf.map_fn(self.baseline, totals, parallel_iterations=1)
        made = self._descend(proposals.rows, totals - baseline)
        return {"baseline": baseline, "healthy": made}

    def _descend(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """One step on the policy-gradient loss; whether it was made."""
        weights = self.variables_to_train
        architectures = tf.reshape(rows, [-1, *self.space.array_shape])
        with tf.GradientTape() as tape:
            scored = self(architectures=architectures)
            loss = policy_gradient_loss(scored.log_prob, advantages)
        gradients = tape.gradient(loss, weights)
        return descend_if_finite(self.optimizer, loss, gradients, weights)

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        if not math.isfinite(row["entropy"] + row["log_prob"]):
            return (
                "the controller's probabilities are not finite",
                "Lower --controller_lr in a new run",
            )
        return (
            "the controller's loss or its gradient is not finite",
            "Lower --controller_lr or --entropy_weight in a new run",
        )

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
          architectures: int32 `[n, cell types, nodes, 4]` to score instead.
        """
        given = None
        if architectures is not None:
            count = tf.shape(architectures)[0]
            given = tf.reshape(architectures, [count, self.space.length])
        choices = _Chosen(given, seed)
        zeros = tf.zeros([count, self.config.lstm_units])
        state = [zeros, zeros]
        for place in range(len(self.space.cell_types)):
            state = self._choose_cell(choices, place, state)
        sampled = tf.reshape(choices.stack(), [-1, *self.space.array_shape])
        return Sample(
            sampled, choices.log_prob, tf.stop_gradient(choices.entropy)
        )

    def _choose_cell(
        self, choices: _Chosen, place: int, state: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        """Makes the choices of one cell, continuing from the LSTM's state."""
        units = self.config.lstm_units
        start = tf.repeat(self.start, tf.shape(state[0])[0], axis=0)
        anchors: list[tf.Tensor] = []
        keys: list[tf.Tensor] = []
        for _ in range(CELL_INPUTS):
            hidden, state = self.lstm(start, state)
            anchors.append(tf.zeros_like(hidden))
            keys.append(hidden @ self.anchor_kernel)
        for node in range(self.space.num_nodes):
            column = (place * self.space.num_nodes + node) * 4
            x = start
            for part in range(NODE_INPUTS):
                hidden, state = self.lstm(x, state)
                query = (hidden @ self.query_kernel)[:, None]
                scores = tf.tanh(tf.stack(keys, axis=1) + query)
                scores = tf.reshape(scores, [-1, units]) @ self.score_kernel
                logits = self._squash(tf.reshape(scores, [-1, len(keys)]))
                index = choices.take(logits, column + 2 * part)
                x = tf.gather(tf.stack(anchors, axis=1), index, batch_dims=1)
            for part in range(NODE_INPUTS):
                hidden, state = self.lstm(x, state)
                logits = self._squash(
                    hidden @ self.op_kernel + self.op_bias,
                    self.config.op_tanh_reduce,
                )
                if place == 0:
                    logits += self.fixed_op_bias
                op = choices.take(logits, column + 2 * part + 1)
                x = tf.gather(self.op_embedding, op)
            hidden, state = self.lstm(x, state)
            anchors.append(hidden)
            keys.append(hidden @ self.anchor_kernel)
        return state

    def _squash(self, logits: tf.Tensor, reduce: float = 1.0) -> tf.Tensor:
        """Bounds logits by the tanh constant over `reduce`."""
        bound = self.config.tanh_constant / reduce
        return bound * tf.tanh(logits / self.config.temperature)
