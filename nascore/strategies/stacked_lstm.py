"""An LSTM of many searches in a stack, with its gradient written out.

The gradient of the recurrent kernel is one product over all steps. Left to
the tape it would be one for each step, each as large as the kernel, which in
a large stack takes longer than all else.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf


def multiply(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """The product `[..., k, m]` of `[..., k, n]` and `[..., n, m]`.

    TensorFlow takes four times as long for a stack of one matrix as for the
    matrix.
    """
    if kernel.shape.rank != 3 or kernel.shape[0] != 1:
        return x @ kernel
    return (x[0] @ kernel[0])[None]


def run_lstm(
    given: Sequence[tf.Tensor], recurrent: tf.Tensor
) -> list[tf.Tensor]:
    """Hidden states after each step, `[..., k, units]` each.

    The first state and cell are 0. Gates are those of input, forgetting,
    candidate and output.

    Args:
      given: what the gates get at each step, but for the state before,
        `[..., k, 4 * units]`.
      recurrent: kernel of the state before, `[..., units, 4 * units]`.
    """

    @tf.custom_gradient
    def run(
        recurrent: tf.Tensor, *given: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, ...], Callable]:
        states: list[tf.Tensor] = []
        # Of each step: gates, cell before (0 has none), tanh of the cell.
        kept: list[tuple[list[tf.Tensor], tf.Tensor | None, tf.Tensor]] = []
        cell = None
        for x in given:
            if states:
                x += multiply(states[-1], recurrent)
            into, forget, new, out = tf.split(x, 4, axis=-1)
            gates = [tf.sigmoid(into), tf.sigmoid(forget), tf.tanh(new)]
            gates.append(tf.sigmoid(out))
            fresh = gates[0] * gates[2]
            before = cell
            cell = fresh if before is None else gates[1] * before + fresh
            bent = tf.tanh(cell)
            states.append(gates[3] * bent)
            kept.append((gates, before, bent))

        def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return _gradient(recurrent, states, kept, upstream)

        return tuple(states), gradient

    found = run(recurrent, *given)
    return list(found) if len(given) > 1 else list(tf.nest.flatten(found))


def _gradient(
    recurrent: tf.Tensor,
    states: Sequence[tf.Tensor],
    kept: Sequence[tuple[list[tf.Tensor], tf.Tensor | None, tf.Tensor]],
    upstream: Sequence[tf.Tensor],
) -> tuple[tf.Tensor, ...]:
    """Gradients of the recurrent kernel, and of what each step got."""
    turned = tf.linalg.matrix_transpose(recurrent)
    slopes: list[tf.Tensor] = []
    state, cell = upstream[-1], None
    for step in reversed(range(len(states))):
        (into, forget, new, out), before, bent = kept[step]
        own = state * out * (1 - tf.square(bent))
        cell = own if cell is None else cell + own
        parts = [
            cell * new * into * (1 - into),
            tf.zeros_like(cell)
            if before is None
            else cell * before * forget * (1 - forget),
            cell * into * (1 - tf.square(new)),
            state * bent * out * (1 - out),
        ]
        slopes.insert(0, tf.concat(parts, axis=-1))
        if step:
            cell = cell * forget
            state = upstream[step - 1] + multiply(slopes[0], turned)
    if len(states) == 1:
        return tf.zeros_like(recurrent), *slopes
    # The rows of all steps but the first, which had no state before it.
    rows = tf.concat(states[:-1], axis=-2)
    after = tf.concat(slopes[1:], axis=-2)
    kernel = tf.matmul(rows, after, transpose_a=True)
    return kernel, *slopes
