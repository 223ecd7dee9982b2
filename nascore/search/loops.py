"""Steps after one another: in one compiled loop, or with Python between.

A step is a function of its number and of how many rows there were before it.
It returns columns, `healthy` among them. After one that is not healthy there
are no more.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

Step = Callable[[Any, Any], dict[str, Any]]


def run_in_graph(
    step: Step,
    shapes: Mapping[str, Sequence[int]],
    start: tf.Tensor,
    stop: tf.Tensor,
    first: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Runs steps in one loop, without Python between them; to be compiled.

    Args:
      step: as above; each has equally many rows.
      shapes: of each column of a step, `[rows, ...]`; `row` is int32,
        `healthy` bool, the rest float32.
      start: int32 scalar, the first step.
      stop: int32 scalar, the step after the last.
      first: int32 scalar, number of the first row.

    Returns:
      Columns; the rows of steps that were not run are zero.
    """
    types = {"row": tf.int32, "healthy": tf.bool}
    rows = shapes["healthy"][0]

    def body(
        number: tf.Tensor, healthy: tf.Tensor, *arrays: tf.TensorArray
    ) -> tuple[tf.Tensor, ...]:
        values = step(number, first + (number - start) * rows)
        written = (
            array.write(number - start, values[name])
            for name, array in zip(shapes, arrays, strict=True)
        )
        return (number + 1, tf.reduce_all(values["healthy"]), *written)

    arrays = [
        tf.TensorArray(
            types.get(name, tf.float32), stop - start, element_shape=shape
        )
        for name, shape in shapes.items()
    ]
    _, _, *arrays = tf.while_loop(
        lambda number, healthy, *_: tf.logical_and(number < stop, healthy),
        body,
        (start, tf.constant(True), *arrays),
    )
    return {
        name: tf.reshape(array.stack(), [-1, *shape[1:]])
        for (name, shape), array in zip(shapes.items(), arrays, strict=True)
    }


def run_in_python(
    step: Step, start: int, stop: int, first: int
) -> list[dict[str, Any]]:
    """Runs step after step, until one has no rows.

    Args:
      step: as above; empty where there are no rows.
      start: the first step.
      stop: the step after the last.
      first: number of the first row.

    Returns:
      What each step returned.
    """
    steps: list[dict[str, Any]] = []
    for number in range(start, stop):
        values = step(number, first)
        if not values:
            break
        steps.append(values)
        if not np.all(values["healthy"]):
            break
        first += len(values["healthy"])
    return steps
