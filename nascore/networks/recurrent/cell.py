"""The highway cell of ENAS and DARTS: fixed, chosen in a graph, or mixed.

Node 0: `[c, h] = [x, s] W0`, `s0 = s + sigmoid(c) (f(h) - s)`, where s is the
last state. Node i reads a node j: `[c, h] = sj Wi`, `si = sj + sigmoid(c)
(f(h) - sj)`. The new state is a mean of nodes. (Pham et al., 2018, appendix A;
Liu et al., 2019, arXiv 1806.09055, appendix A.1.2; both public codes.)
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from nascore.networks.recurrent.config import slots
from nascore.networks.recurrent.window import NodeWiring, run_window
from nascore.networks.recurrent.wiring import (
    ACTIVATIONS,
    ChosenWiring,
    FixedWiring,
)
from nascore.spaces.recurrent import RecurrentCell, RecurrentSpace

# Runs a cell over a window: of the inputs' products with their half of W0,
# `[t, b, 2n]`, the state before, `[b, n]`, and a mask `[b, n]` of what every
# node reads in all steps (None: no dropout), it makes the states after each
# step, `[t, b, n]`, and after the last.
Run = Callable[
    [tf.Tensor, tf.Tensor, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]
]
# PyTorch's, in DARTS's batch normalization.
_EPSILON = 1e-5


def highway(
    before: tf.Tensor, product: tf.Tensor, function: Callable[..., tf.Tensor]
) -> tf.Tensor:
    """A node of what it reads, `[b, n]`, and of that times its matrix."""
    gate, new = tf.split(product, 2, axis=-1)
    return before + tf.sigmoid(gate) * (function(new) - before)


def normalize(x: tf.Tensor) -> tf.Tensor:
    """Brings each of `[b, n]`'s columns to mean 0 and deviation 1."""
    mean, variance = tf.nn.moments(x, [0], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + _EPSILON)


class HighwayCell(tf.Module):
    """The weights of one cell, or of all of a space.

    Args:
      space: of the cells.
      units: width n.
      sharing: of the matrices, see `SharedLanguageModelConfig`.
      normalized: whether nodes are normalized over the batch.
      make: makes a first weight of a shape.
    """

    def __init__(
        self,
        space: RecurrentSpace,
        units: int,
        sharing: str,
        normalized: bool,
        make: Callable[[Sequence[int], str], tf.Variable],
    ) -> None:
        super().__init__(name="highway_cell")
        self.space = space
        self.sharing = sharing
        self.normalized = normalized
        # Upper half of the input, lower half of the state.
        self.first = make([2 * units, 2 * units], "first")
        self.nodes = [
            make([count, units, 2 * units], f"node_{node}")
            for node, count in enumerate(slots(space, sharing), 1)
        ]
        self.units = units

    @property
    def weights(self) -> list[tf.Variable]:
        """All of them."""
        return [self.first, *self.nodes]

    def fixed(self, cell: RecurrentCell) -> Run:
        """Runs a cell that is known when a graph is made."""
        matrices = [
            weight[self._slot(source, function)]
            for weight, (source, function) in zip(
                self.nodes, cell.nodes, strict=True
            )
        ]
        return self._run_one(FixedWiring(self.space, cell), matrices)

    def _slot(self, source: Any, function: Any) -> Any:
        """Which of a node's matrices a choice has."""
        if self.sharing == "choice":
            return source * len(self.space.functions) + function
        return source if self.sharing == "input" else 0 * source

    def chosen(self, row: tf.Tensor) -> Run:
        """Runs a cell that is known when a graph is run.

        What a row chooses is gathered before the steps, not in each of them.

        Args:
          row: int32 `[length]`, of the space.
        """
        pairs = tf.reshape(row[self.space.skip :], [-1, 2])
        matrices = [
            tf.gather(weight, self._slot(pairs[place, 0], pairs[place, 1]))
            for place, weight in enumerate(self.nodes)
        ]
        return self._run_one(ChosenWiring(self.space, row), matrices)

    def _run_one(self, wiring: NodeWiring, matrices: list[tf.Tensor]) -> Run:
        """Of one architecture; its gradient is written out if it can be."""

        def run(
            products: tf.Tensor, state: tf.Tensor, mask: tf.Tensor | None
        ) -> tuple[tf.Tensor, tf.Tensor]:
            first = self.first[self.units :]
            if not self.normalized:
                return run_window(
                    wiring, products, state, first, matrices, mask
                )

            def step(x: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
                nodes: list[tf.Tensor] = []
                for node, weight in enumerate([first, *matrices]):
                    source = wiring.source(nodes, node) if node else before
                    product = _masked(source, mask) @ weight
                    made = highway(
                        source,
                        product if node else product + x,
                        lambda new, node=node: wiring.apply(new, node),
                    )
                    nodes.append(normalize(made))
                return wiring.join(nodes)

            return run_steps(step, products, state)

        return run

    def mixed(self, shares: tf.Tensor) -> Run:
        """Runs a mixture, whose nodes read all earlier ones.

        Needs one matrix for each node, and a node 0 that is not chosen.

        Args:
          shares: float `[edges, functions]`, those into node 1 first; what is
            missing to 1 has the function that is always 0.
        """
        tables, start = [], 0
        for node in range(1, self.space.num_nodes + 1):
            tables.append(shares[start : start + node, :, None, None])
            start += node
        settle = normalize if self.normalized else tf.identity

        def run(
            products: tf.Tensor, state: tf.Tensor, mask: tf.Tensor | None
        ) -> tuple[tf.Tensor, tf.Tensor]:
            def step(x: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
                product = _masked(before, mask) @ self.first[self.units :]
                first = highway(before, product + x, tf.tanh)
                nodes = [settle(first)]
                for weight, table in zip(self.nodes, tables, strict=True):
                    made = self._mix(tf.stack(nodes), weight[0], table, mask)
                    nodes.append(settle(made))
                return tf.add_n(nodes[1:]) / self.space.num_nodes

            return run_steps(step, products, state)

        return run

    def _mix(
        self,
        nodes: tf.Tensor,
        weight: tf.Tensor,
        table: tf.Tensor,
        mask: tf.Tensor | None,
    ) -> tf.Tensor:
        """A node of all earlier ones, `[i, b, n]`; one product for them."""
        flat = tf.reshape(_masked(nodes, mask), [-1, self.units]) @ weight
        shape = tf.concat([tf.shape(nodes)[:2], [2 * self.units]], axis=0)
        gate, new = tf.split(tf.reshape(flat, shape), 2, axis=2)
        functions = tf.add_n(
            [
                table[:, place] * ACTIVATIONS[name](new)
                for place, name in enumerate(self.space.functions)
            ]
        )
        kept = tf.reduce_sum(table, axis=1) * nodes
        return tf.reduce_sum(
            kept + tf.sigmoid(gate) * (functions - kept), axis=0
        )


def _masked(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    return x if mask is None else x * mask


def run_steps(
    step: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    products: tf.Tensor,
    state: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs a step over a window, with TensorFlow's own gradient.

    Args:
      step: makes the new state `[b, n]` of a row of `products`, and of the
        last state.
      products: float `[t, b, 2n]`.
      state: float `[b, n]`, before the first step.

    Returns:
      States after each step, `[t, b, n]`, and after the last.
    """
    count = tf.shape(products)[0]
    units = products.shape[2] // 2
    states = tf.TensorArray(tf.float32, count, element_shape=[None, units])

    def body(
        place: tf.Tensor, before: tf.Tensor, array: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        after = step(products[place], before)
        after.set_shape(before.shape)
        return place + 1, after, array.write(place, after)

    _, last, states = tf.while_loop(
        lambda place, *_: place < count,
        body,
        (tf.constant(0), state, states),
        maximum_iterations=products.shape[0],
    )
    return states.stack(), last
