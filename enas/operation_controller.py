"""The policy of ENAS over spaces of operations alone.

Each place of a row is an operation that may follow any other, as on the edges
of NAS-Bench-201's cell. What is left of ENAS's controller are the steps that
choose operations, with the constants and the form of the published code: a
start embedding, an LSTM without biases, an embedding of each operation, and
the squashed logits, whose biases prefer convolutions. Many searches, each
with a seed of its own, are stacked.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from enas.config import OperationControllerConfig
from enas.policy import Choices, ReinforcePolicy, Sample
from nascore import draws
from nascore.errors import InputError
from nascore.seeds import fold, fold_in
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.space import Space
from nascore.strategies.policy_gradient import (
    MovingBaseline,
    descend_where_finite,
)

# The stream of a search's initial weights, see `nascore.seeds.fold`.
INITIAL_WEIGHTS = 200


class OperationController(ReinforcePolicy):
    """The policy over operations: one step of the LSTM for each place.

    Operations whose name holds `conv` are the convolutions. All weights are
    `[runs, ...]`.

    Args:
      space: the architectures to choose from.
      config: constants.
      seeds: of the searches, see `nascore.search.many`.

    Raises:
      InputError: a place of the space is no operation, or not free.
    """

    config: OperationControllerConfig

    def __init__(
        self,
        space: Space,
        config: OperationControllerConfig,
        seeds: Sequence[int],
    ) -> None:
        operations = free_operations(space)
        self.runs = len(seeds)
        baseline = MovingBaseline(config.baseline_decay, self.runs)
        super().__init__(space, config, baseline)
        convolutions = ["conv" in name for name in operations]
        units, count = config.lstm_units, len(operations)
        self._shapes = {
            "kernel": (units, 4 * units),
            "recurrent_kernel": (units, 4 * units),
            "start": (1, units),
            "op_embedding": (count, units),
            "op_kernel": (units, count),
        }
        self._weights = {
            name: tf.Variable(value, name=name)
            for name, value in self._draw_weights(seeds).items()
        }
        self._first_bias = tf.where(convolutions, config.conv_bias, 0.0)
        self.op_bias = tf.Variable(
            tf.tile(self._first_bias[None, None], [self.runs, 1, 1]),
            name="op_bias",
        )
        self.fixed_op_bias = config.normal_op_bias * tf.where(
            convolutions, 1.0, -1.0
        )
        self.optimizer.build(self.variables_to_train)

    @property
    def variables_to_train(self) -> list[tf.Variable]:
        """Every weight of the policy."""
        return [*self._weights.values(), self.op_bias]

    def restart(self, seeds: Sequence[int]) -> None:
        """See `Restarts`."""
        for name, value in self._draw_weights(seeds).items():
            self._weights[name].assign(value)
        self.op_bias.assign(tf.zeros_like(self.op_bias) + self._first_bias)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        self.optimizer.learning_rate = self.config.controller_lr
        self.baseline.value.assign(tf.zeros_like(self.baseline.value))

    def _draw_weights(self, seeds: Sequence[int]) -> dict[str, tf.Tensor]:
        """Initial weights of searches with these seeds, by name."""
        reach = self.config.init_range
        drawn = {}
        for number, (name, shape) in enumerate(self._shapes.items()):
            folded = [fold(seed, INITIAL_WEIGHTS, number) for seed in seeds]
            places = [draws.uniform(shape, seed) for seed in folded]
            drawn[name] = reach * (2 * tf.stack(places) - 1)
        return drawn

    def __call__(
        self,
        count: int | tf.Tensor | None = None,
        seed: tf.Tensor | None = None,
        architectures: tf.Tensor | None = None,
    ) -> Sample:
        """Samples architectures, or scores the given ones.

        Args:
          count: how many to sample in each search.
          seed: int32 `[runs, 2]`, or `[2]` of one; needed for sampling.
          architectures: int32 `[n, length]` to score instead, run by run.
        """
        if architectures is not None:
            count = tf.shape(architectures)[0] // self.runs
        weights = self._weights
        places: Any = None
        if seed is not None:
            places = self._draw_places(count, seed)
        choices = Choices(
            architectures,
            draw=lambda logits, column: draws.choose(logits, places[:, column]),
        )
        hidden = carry = tf.zeros([self.runs, count, self.config.lstm_units])
        x = tf.repeat(weights["start"], count, axis=1)
        for place in range(self.space.length):
            gates = x @ weights["kernel"] + hidden @ weights["recurrent_kernel"]
            into, forget, candidate, out = tf.split(gates, 4, axis=2)
            carry = tf.sigmoid(forget) * carry
            carry += tf.sigmoid(into) * tf.tanh(candidate)
            hidden = tf.sigmoid(out) * tf.tanh(carry)
            logits = self._squash(
                hidden @ weights["op_kernel"] + self.op_bias,
                self.config.op_tanh_reduce,
            )
            logits += self.fixed_op_bias
            flat = tf.reshape(logits, [-1, logits.shape[-1]])
            chosen = tf.reshape(choices.take(flat, place), [self.runs, -1])
            x = tf.gather(weights["op_embedding"], chosen, batch_dims=1)
        return choices.sample()

    def _draw_places(
        self, count: int | tf.Tensor, seed: tf.Tensor
    ) -> tf.Tensor:
        """What all choices of a sample are drawn with, `[n, length, k]`.

        Together: each draw of its own would be a loop over the searches.
        """
        shape = [count, self.op_bias.shape[-1]]
        return draws.of_each(
            lambda one: tf.stack(
                [
                    draws.uniform(shape, fold_in(one, column))
                    for column in range(self.space.length)
                ],
                axis=1,
            ),
            seed,
        )

    def _loss(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """Of each search the mean over its own rows."""
        return self.runs * super()._loss(rows, advantages)

    def _descend(self, rows: tf.Tensor, advantages: tf.Tensor) -> tf.Tensor:
        """One step of each search; whether it was made, of each row.

        A scalar for one search, as `Strategy.tell` has it.
        """
        _, gradients = self._differentiate(rows, advantages)
        made = descend_where_finite(
            self.optimizer, gradients, self.variables_to_train
        )
        if self.runs == 1:
            return made[0]
        return tf.repeat(made, tf.shape(rows)[0] // self.runs)


def free_operations(space: Space) -> tuple[str, ...]:
    """The names of the operations of a space that chooses nothing else.

    Raises:
      InputError: it does, or not all operations are free at each place.
    """
    operations = tuple(getattr(space, "operations", ()))
    kinds = {place.kind for place in space.places}
    allowed = space.allowed
    free = allowed[0, 0].all() and allowed[1:].all() and not space.prior.any()
    if kinds != {"operation"} or not (operations and free):
        names = ", ".join(sorted(kinds))
        raise InputError(
            "ENAS's policy over operations fits spaces whose places are all "
            "operations with names, each free to follow any, such as "
            f"{Bench201Space.kind}; cells are searched by --method=enas. "
            f"Received: {space.kind}, whose places are {names}"
        )
    return operations
