"""Times a child step and an evaluation against two other ways to build them.

  python -m benchmarks.child_step [--layers=6] [--steps=5] [--batch=128]

All in one process, on random images of CIFAR's shape:
  all      every operation of every edge computed, one picked (as the TF1
           code of ENAS does it),
  ours     only the chosen operation runs, one graph for all architectures,
  static   one architecture traced for itself: the lower bound.
Every way trains the same weights with the same full update. The machine's
speed drifts: read the ratios, which pair the ways step by step.
"""

import argparse
import dataclasses
import resource
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
from nascore.networks.config import SupernetConfig  # noqa: E402
from nascore.networks.operations.kernels import batch_norm  # noqa: E402
from nascore.networks.shared_cell import SharedCell  # noqa: E402
from nascore.process.runtime import configure  # noqa: E402

BATCH = 128
# How many of each an epoch of the published CIFAR-10 search has.
EPOCH = {"train": 352, "evaluate": 300}


class ComputeAllCell(SharedCell):
    """Computes every operation and picks one, input by stacking."""

    def call(
        self, input_0: tf.Tensor, input_1: tf.Tensor, cell: tf.Tensor
    ) -> tf.Tensor:
        """See `SharedCell.call`."""
        edges = tf.reshape(cell, [-1, 2])
        rows = self.slot_offsets + edges[:, 0]
        chosen = [tf.gather(slots.value, rows) for slots in self.slots]
        tensors = [input_0, input_1]
        for node in range(self.num_nodes):
            terms = []
            for edge in (2 * node, 2 * node + 1):
                x = tf.stack(tensors)[edges[edge, 0]]
                outputs, start = [], 0
                for operation in self.operations.values():
                    count = len(operation.weight_specs(self.channels))
                    slot = [w[edge] for w in chosen[start : start + count]]
                    outputs.append(operation.apply(x, slot))
                    start += count
                terms.append(tf.stack(outputs)[edges[edge, 1]])
            tensors.append(terms[0] + terms[1])
        used = tf.reduce_any(
            tf.range(self.num_tensors)[:, None] == edges[:, 0], axis=1
        )
        kernels = tf.where(
            used[:, None, None, None, None],
            0.0,
            self.loose_end_kernels.value,
        )
        kernel = tf.concat(tf.unstack(kernels), axis=2)
        joined = tf.nn.relu(tf.concat(tensors, axis=-1))
        return self.norm(tf.nn.conv2d(joined, kernel, 1, "SAME"))


class StaticCell(SharedCell):
    """One architecture only, known when it is traced.

    Attributes:
      architecture: int `[cell types, nodes, 4]`, what the next trace takes;
        a tensor that went through Keras no longer has a static value.
    """

    architecture: np.ndarray

    def call(
        self, input_0: tf.Tensor, input_1: tf.Tensor, cell: tf.Tensor
    ) -> tf.Tensor:
        """See `SharedCell.call`."""
        is_reduction = self.name.endswith("reduction_cell")
        edges = self.architecture[int(is_reduction)].reshape(-1, 2)
        rows = self.slot_offsets + edges[:, 0]
        operations = list(self.operations.values())
        counts = [len(op.weight_specs(self.channels)) for op in operations]
        chosen = [tf.gather(slots.value, rows) for slots in self.slots]
        tensors = [input_0, input_1]
        terms = []
        for edge, (index, op) in enumerate(edges):
            start = sum(counts[:op])
            slot = [w[edge] for w in chosen[start : start + counts[op]]]
            terms.append(operations[op].apply(tensors[index], slot))
            if edge % 2:
                tensors.append(terms[-2] + terms[-1])
        ends = [n for n in range(len(tensors)) if n not in edges[:, 0]]
        kernels = self.loose_end_kernels.value
        kernel = tf.concat([kernels[n] for n in ends], axis=2)
        joined = tf.nn.relu(tf.concat([tensors[n] for n in ends], axis=-1))
        x = tf.nn.conv2d(joined, kernel, 1, "SAME")
        return batch_norm(x, self.norm.scale.value, self.norm.offset.value)


def random_data(images: int = 2 * BATCH, others: int = 2 * BATCH) -> ImageData:
    """Noise in CIFAR's shape: training images, and of each other split."""
    rng = np.random.default_rng(0)

    def split(count: int) -> Split:
        return Split(
            rng.integers(0, 256, (count, 32, 32, 3), np.uint8),
            rng.integers(0, 10, count, np.int32),
        )

    few = split(others)
    names = tuple(map(str, range(10)))
    return ImageData("noise", split(images), few, few, few, names)


@dataclasses.dataclass
class Way:
    """A way to build the child, ready to run."""

    train: Callable[[int], None]
    evaluate: Callable[[int], None]
    start_up: float


def make_way(
    cell: type[SharedCell], config: EnasConfig, arrays: np.ndarray
) -> Way:
    """Builds one way and runs its first step."""
    begin = time.perf_counter()
    tf.keras.utils.set_random_seed(1)
    batch = config.weights.batch_size
    parts = make_parts(config, random_data(2 * batch, 2 * batch), cell)
    order = tf.range(2 * batch)
    static = cell is StaticCell
    architectures = tf.constant(arrays)
    images = parts.shared.validation_images.images[:batch]
    zero, rate, seed = tf.constant(0), tf.constant(0.01), tf.constant([0, 0])

    def step(architecture: tf.Tensor) -> tf.Tensor:
        values = parts.training._train_step(
            architecture, order, zero, zero, rate
        )
        return values[0]

    def logits(architecture: tf.Tensor) -> tf.Tensor:
        return parts.shared._run(architecture, images, seed)

    def compile_for(function: Callable) -> Callable[[int], None]:
        if not static:
            compiled = tf.function(function, autograph=False)
            return lambda n: compiled(architectures[n]).numpy()
        each = {}

        def run(n: int) -> None:
            if n not in each:
                StaticCell.architecture = arrays[n]
                constant = tf.constant(arrays[n])
                compiled = tf.function(
                    lambda: function(constant), autograph=False
                )
                each[n] = compiled.get_concrete_function()
            each[n]().numpy()

        return run

    way = Way(compile_for(step), compile_for(logits), 0.0)
    way.train(0)
    way.start_up = time.perf_counter() - begin
    return way


def peak_memory() -> float:
    """The process's largest memory so far, in GiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return peak / 2**20 if sys.platform != "darwin" else peak / 2**30


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--only-ours", action="store_true")
    arguments = parser.parse_args()
    configure()
    config = EnasConfig(
        child=SupernetConfig(num_layers=arguments.layers),
        weights=SharedWeightsConfig(batch_size=arguments.batch),
    )
    rng = np.random.default_rng(0)
    space = config.child.space
    arrays = space.sample(rng, arguments.steps).reshape(-1, *space.array_shape)
    cells = {"ours": SharedCell}
    if not arguments.only_ours:
        cells |= {"static": StaticCell, "all": ComputeAllCell}
    ways, peaks = {}, {}
    for name, cell in cells.items():
        ways[name] = make_way(cell, config, arrays)
        for place in range(arguments.steps):  # Traces, warms up.
            ways[name].train(place)
            ways[name].evaluate(place)
        peaks[name] = peak_memory()
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(3):
        for place in range(arguments.steps):
            for name, way in ways.items():
                for what in EPOCH:
                    begin = time.perf_counter()
                    getattr(way, what)(place)
                    seconds = time.perf_counter() - begin
                    times.setdefault((name, what), []).append(seconds)
    print(
        f"{arguments.layers + 2} layers, 20 filters, batch {arguments.batch}, "
        "32x32x3"
    )
    print(f"TensorFlow {tf.__version__}, {tf.config.list_physical_devices()}")
    print("| way | start-up s | s / step | s / evaluation | peak GiB so far |")
    print("|---|---|---|---|---|")
    for name, way in ways.items():
        step, evaluation = (
            statistics.median(times[name, what])
            for what in ("train", "evaluate")
        )
        print(
            f"| {name} | {way.start_up:.1f} | {step:.3f} | {evaluation:.3f} "
            f"| {peaks[name]:.2f} |"
        )
    taken = {key: np.array(values) for key, values in times.items()}
    for name in ways:
        parts = [count * taken[name, what] for what, count in EPOCH.items()]
        taken[name, "epoch"] = np.sum(parts, axis=0)
    for other in (name for name in ways if name != "ours"):
        for what in (*EPOCH, "epoch"):
            ratios = taken[other, what] / taken["ours", what]
            low, middle, high = np.percentile(ratios, [10, 50, 90])
            print(
                f"{other} / ours, {what}: median {middle:.2f} "
                f"(10% {low:.2f}, 90% {high:.2f}, {len(ratios)} pairs)"
            )


if __name__ == "__main__":
    main()
