"""One point of `benchmarks.growth`, alone in its process.

  python -m benchmarks.growth_point BATCH FILTERS LAYERS NODES IMAGES

Prints what it measured as JSON.
"""

import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from benchmarks.parts import make_parts  # noqa: E402
from enas.config import EnasConfig  # noqa: E402
from nascore.data.images import ImageData, Split  # noqa: E402
from nascore.evaluators.config import SharedWeightsConfig  # noqa: E402
from nascore.networks import costs  # noqa: E402
from nascore.networks.config import SupernetConfig  # noqa: E402
from nascore.networks.stack import plan  # noqa: E402
from nascore.process.memory import peak  # noqa: E402
from nascore.process.runtime import configure  # noqa: E402
from nascore.protocols import Proposals  # noqa: E402
from nascore.spaces.cells import Architecture  # noqa: E402

SHAPE = (32, 32, 3)
CLASSES = 10
ARCHITECTURES = 4
ROUNDS = 2
# More rounds where they are short, because short times scatter more.
LEAST_SECONDS = 4.0
MOST_NODES = 9


@dataclasses.dataclass(frozen=True)
class Point:
    """One setting of all variables.

    Attributes:
      batch: images in a step and in an evaluation.
      filters: channels before the first reduction.
      layers: all of them, the two that `num_layers` leaves out included.
      nodes: in each cell.
      images: that are trained on; a tenth of them more for validation.
    """

    batch: int = 128
    filters: int = 20
    layers: int = 8
    nodes: int = 5
    images: int = 1000

    @property
    def child(self) -> SupernetConfig:
        """The supernet's configuration."""
        return SupernetConfig(
            num_layers=self.layers - 2,
            filters=self.filters,
            num_nodes=self.nodes,
        )


def sample(nodes: int) -> np.ndarray:
    """Random architectures, the same at all points.

    With fewer nodes they are the first nodes of the same cells, so that the
    luck of the draw does not pass for growth.
    """
    space = SupernetConfig(num_nodes=MOST_NODES).space
    rng = np.random.default_rng(0)
    rows = space.sample(rng, ARCHITECTURES)
    return rows.reshape(-1, *space.array_shape)[:, :, :nodes]


def multiply_adds(architecture: Architecture, config: SupernetConfig) -> int:
    """Multiply-adds of a child for one image, without the auxiliary head."""
    parts = costs.count(plan(config, SHAPE, CLASSES), architecture)
    return costs.total(parts, head=False).multiply_adds


def _noise(images: int) -> ImageData:
    rng = np.random.default_rng(0)

    def split(count: int) -> Split:
        return Split(
            rng.integers(0, 256, (count, *SHAPE), np.uint8),
            rng.integers(0, CLASSES, count, np.int32),
        )

    train, other = split(images), split(max(256, images // 10))
    names = tuple(map(str, range(CLASSES)))
    return ImageData("noise", train, other, other, other, names)


def _time(
    run: Callable[[tf.Tensor], tf.Tensor], architectures: tf.Tensor
) -> dict[str, float]:
    """Median of the rounds' means over all architectures, and their range."""
    for architecture in architectures:
        run(architecture).numpy()
    rounds: list[float] = []
    begin = time.perf_counter()
    while len(rounds) < ROUNDS or time.perf_counter() - begin < LEAST_SECONDS:
        start = time.perf_counter()
        for architecture in architectures:
            run(architecture).numpy()
        rounds.append((time.perf_counter() - start) / ARCHITECTURES)
    return {
        "": statistics.median(rounds),
        "_least": min(rounds),
        "_most": max(rounds),
    }


def measure(point: Point) -> dict[str, float]:
    """Builds the child of a point, trains and evaluates it.

    Returns:
      `step_s` and `evaluation_s`, with `_least` and `_most` of the rounds;
      `start_up_s`; `peak_bytes` of the process; `multiply_adds` of a batch
      forwards, the mean over the architectures.
    """
    configure()
    config = EnasConfig(
        child=point.child,
        weights=SharedWeightsConfig(batch_size=point.batch),
    )
    data = _noise(point.images)
    arrays = sample(point.nodes)
    begin = time.perf_counter()
    tf.keras.utils.set_random_seed(1)
    parts = make_parts(config, data)
    order = tf.random.shuffle(tf.range(point.images), seed=1)
    zero, rate = tf.constant(0), tf.constant(0.01)
    architectures = tf.constant(arrays)

    @tf.function(autograph=False)
    def step(architecture: tf.Tensor) -> tf.Tensor:
        values = parts.training._train_step(
            architecture, order, zero, zero, rate
        )
        return values[0]

    @tf.function(autograph=False)
    def evaluate(architecture: tf.Tensor) -> tf.Tensor:
        row = tf.reshape(architecture, [1, -1])
        return parts.shared.measure(Proposals(row), tf.constant([0, 0])).score

    step(architectures[0]).numpy()
    start_up = time.perf_counter() - begin
    times = {
        f"{name}_s{suffix}": value
        for name, function in (("step", step), ("evaluation", evaluate))
        for suffix, value in _time(function, architectures).items()
    }
    space = config.child.space
    work = [
        multiply_adds(space.from_array(array), config.child) for array in arrays
    ]
    return {
        **times,
        "start_up_s": start_up,
        "peak_bytes": peak(),
        "multiply_adds": point.batch * statistics.mean(work),
    }


if __name__ == "__main__":
    print(json.dumps(measure(Point(*map(int, sys.argv[1:])))))
