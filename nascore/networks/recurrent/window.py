"""A cell over a window of steps, with a gradient that is written out.

TensorFlow's gradient of a loop keeps each intermediate of each step by itself,
and multiplies for a matrix's gradient in each step: thousands of small
operations. Here a step keeps two tensors; what does not depend on later steps
is computed for all steps at once, and each matrix has one product for its
gradient. The loop back is left with a product and three sums for each node.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import tensorflow as tf


class NodeWiring(Protocol):
    """Which node reads which, and with what function.

    Attributes:
      count: of nodes after node 0.
    """

    count: int

    def source(self, nodes: Sequence[tf.Tensor], node: int) -> tf.Tensor:
        """What a node reads, of the nodes before it, `[b, n]` each."""

    def sources(self, nodes: tf.Tensor, node: int) -> tf.Tensor:
        """Of all steps: of `[t, nodes, b, n]` what a node reads."""

    def apply(self, x: tf.Tensor, node: int) -> tf.Tensor:
        """A node's function; 0 is the first node."""

    def slope(self, x: tf.Tensor, y: tf.Tensor, node: int) -> tf.Tensor:
        """Its derivative at x, where it is y."""

    def join(self, nodes: Sequence[tf.Tensor]) -> tf.Tensor:
        """The new state of all nodes."""

    def spread(self, gradient: tf.Tensor) -> Any:
        """The gradient of all nodes, from that of the new state."""

    def take(self, gradients: Any, node: int) -> tf.Tensor:
        """That of one."""

    def add(self, gradients: Any, node: int, part: tf.Tensor) -> Any:
        """Adds to that of what a node reads."""


def run_window(
    wiring: NodeWiring,
    products: tf.Tensor,
    state: tf.Tensor,
    first: tf.Tensor,
    matrices: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Runs a cell over a window.

    Args:
      wiring: of the cell.
      products: float `[t, b, 2n]`, of the inputs with their half of W0.
      state: float `[b, n]`, before the first step.
      first: the other half, `[n, 2n]`.
      matrices: of each later node, likewise.
      mask: float `[b, n]`, of what every node reads; None: no dropout.

    Returns:
      States after each step, `[t, b, n]`, and after the last.
    """

    @tf.custom_gradient
    def window(
        products: tf.Tensor, state: tf.Tensor, *weights: tf.Tensor
    ) -> tuple[Any, Callable[..., Any]]:
        kept, nodes, states, last = _forward(
            wiring, products, state, weights, mask
        )

        def gradient(
            states_gradient: tf.Tensor, last_gradient: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            before = tf.concat([state[None], states[:-1]], axis=0)
            return _backward(
                wiring,
                (kept, nodes, before),
                weights,
                mask,
                (states_gradient, last_gradient),
            )

        return (states, last), gradient

    return window(products, state, first, *matrices)


def _forward(
    wiring: NodeWiring,
    inputs: tf.Tensor,
    state: tf.Tensor,
    weights: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
) -> tuple[tf.Tensor, ...]:
    """Products `[t, nodes, b, 2n]`, nodes `[t, nodes, b, n]`, states, last."""
    count, units = tf.shape(inputs)[0], state.shape[1]
    size = wiring.count + 1

    def array(*shape: int | None) -> tf.TensorArray:
        return tf.TensorArray(tf.float32, count, element_shape=shape)

    def body(
        place: tf.Tensor, before: tf.Tensor, *arrays: tf.TensorArray
    ) -> tuple[Any, ...]:
        products: list[tf.Tensor] = []
        nodes: list[tf.Tensor] = []
        for node, weight in enumerate(weights):
            source = wiring.source(nodes, node) if node else before
            product = (source if mask is None else source * mask) @ weight
            if not node:
                product += inputs[place]
            gate, new = tf.split(product, 2, axis=1)
            gate, new = tf.sigmoid(gate), wiring.apply(new, node)
            products.append(product)
            nodes.append(source + gate * (new - source))
        after = wiring.join(nodes)
        after.set_shape(before.shape)
        values = (tf.stack(products), tf.stack(nodes), after)
        written = (
            array.write(place, value)
            for array, value in zip(arrays, values, strict=True)
        )
        return (place + 1, after, *written)

    _, last, kept, nodes, states = tf.while_loop(
        lambda place, *_: place < count,
        body,
        (
            tf.constant(0),
            state,
            array(size, None, 2 * units),
            array(size, None, units),
            array(None, units),
        ),
    )
    return kept.stack(), nodes.stack(), states.stack(), last


def _backward(
    wiring: NodeWiring,
    kept: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    weights: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
    gradients: tuple[tf.Tensor, tf.Tensor],
) -> tuple[tf.Tensor, ...]:
    """Gradients of the inputs' products, of the state and of the weights."""
    states = kept[2]
    of_states, of_last = gradients
    every = range(len(weights))
    reads, slope, passed = _slopes(wiring, kept, mask)
    count, units = tf.shape(states)[0], states.shape[2]
    found = tf.TensorArray(
        tf.float32, count, element_shape=[len(weights), None, 2 * units]
    )

    def body(
        place: tf.Tensor, after: tf.Tensor, array: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        own = wiring.spread(after + of_states[place])
        slope_now, passed_now = slope[place], passed[place]
        parts: list[tf.Tensor] = []
        for node in reversed(every):
            gradient = wiring.take(own, node)
            part = tf.reshape(
                gradient[:, None] * slope_now[node], [-1, 2 * units]
            )
            back = tf.matmul(part, weights[node], transpose_b=True)
            back = back if mask is None else back * mask
            back += gradient * passed_now[node]
            if node:
                own = wiring.add(own, node, back)
            parts.append(part)
        back.set_shape(after.shape)
        return place - 1, back, array.write(place, tf.stack(parts[::-1]))

    _, of_first, found = tf.while_loop(
        lambda place, *_: place >= 0, body, (count - 1, of_last, found)
    )
    of_products = found.stack()
    of_weights = [
        tf.matmul(
            tf.reshape(reads[node], [-1, units]),
            tf.reshape(of_products[:, node], [-1, 2 * units]),
            transpose_a=True,
        )
        for node in every
    ]
    return (of_products[:, 0], of_first, *of_weights)


def _slopes(
    wiring: NodeWiring,
    kept: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    mask: tf.Tensor | None,
) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
    """What no later step changes, of all steps at once.

    Returns:
      What each node has read, after dropout, `[t, b, n]`; what its gradient is
      multiplied by for its product, `[t, nodes, b, 2, n]`, and for what passes
      it by, `[t, nodes, b, n]`.
    """
    products, nodes, states = kept
    reads, slopes, passes = [], [], []
    for node in range(wiring.count + 1):
        read = wiring.sources(nodes, node) if node else states
        gate, new = tf.split(products[:, node], 2, axis=2)
        gate, value = tf.sigmoid(gate), wiring.apply(new, node)
        by_gate = (value - read) * gate * (1 - gate)
        by_new = gate * wiring.slope(new, value, node)
        slopes.append(tf.stack([by_gate, by_new], axis=2))
        passes.append(1 - gate)
        reads.append(read if mask is None else read * mask)
    return reads, tf.stack(slopes, axis=1), tf.stack(passes, axis=1)
