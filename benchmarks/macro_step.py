"""Times a child step over whole networks against one network for itself.

  python -m benchmarks.macro_step [--layers=12] [--filters=36] [--size=32]

All in one process, on random images:
  ours     only the chosen operations and skips run, one graph for all,
  static   one architecture traced for itself, with gradients by TensorFlow:
           the lower bound; of the reductions only those that are read.
Both train the same weights with the same full update. The machine's speed
drifts: read the ratios, which pair both step by step.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from nascore.data.config import DataConfig  # noqa: E402
from nascore.data.images import ImageData, Split  # noqa: E402
from nascore.evaluators.config import SharedWeightsConfig  # noqa: E402
from nascore.evaluators.macro_weights import MacroWeights  # noqa: E402
from nascore.evaluators.weights import TrainWeights  # noqa: E402
from nascore.networks.layouts import REDUCTION  # noqa: E402
from nascore.networks.macro.config import MacroSupernetConfig  # noqa: E402
from nascore.networks.macro.layer import MacroSharedLayer  # noqa: E402
from nascore.networks.macro.supernet import MacroSupernet  # noqa: E402
from nascore.networks.operations.kernels import batch_norm, mix  # noqa: E402
from nascore.process.runtime import configure  # noqa: E402

# How many of each an epoch of the published CIFAR-10 search has.
EPOCH = {"train": 352, "evaluate": 1000}


class StaticSupernet(MacroSupernet):
    """One architecture only, known when it is traced.

    Attributes:
      row: int `[length]`, what the next trace takes.
    """

    row: np.ndarray

    def call(
        self,
        images: tf.Tensor,
        architecture: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, None]:
        """See `MacroSupernet.call`."""
        layers = self.space.decode(self.row).layers
        tensors = [self.stem(images)]
        for layer, block in zip(self.stack.layers, self.blocks, strict=True):
            if layer.kind == REDUCTION:
                tensors = [
                    part(x) for part, x in zip(block, tensors, strict=True)
                ]
                continue
            own = layers[layer.number - 1]
            x = _run(block[0], tensors[-1], own.operation)
            for place in own.sources:
                x += tensors[place]
            if layer.number > 1:
                x = block[1](x)
            tensors.append(x)
        features = tf.reduce_mean(tensors[-1], axis=[1, 2])
        return self.classifier(features), None


def _run(layer: MacroSharedLayer, x: tf.Tensor, operation: int) -> tf.Tensor:
    """A layer's operation, with automatic gradients."""
    kernel, scale, offset = (w.value[operation] for w in layer.entries)
    counts = [len(branch.weight_specs(1)) for branch in layer.branches]
    start = sum(counts[:operation])
    slots = layer.slots[start : start + counts[operation]]
    x = batch_norm(mix(x, kernel), scale, offset)
    return layer.branches[operation].apply(x, [s.value for s in slots])


def random_data(size: int, channels: int, count: int) -> ImageData:
    """Noise, as many images for training as for measuring."""
    rng = np.random.default_rng(0)
    split = Split(
        rng.integers(0, 256, (count, size, size, channels), np.uint8),
        rng.integers(0, 10, count, np.int32),
    )
    names = tuple(map(str, range(10)))
    return ImageData("noise", split, split, split, split, names)


def make_way(
    network: type[MacroSupernet],
    config: MacroSupernetConfig,
    data: ImageData,
    batch: int,
    rows: np.ndarray,
) -> dict[str, Callable[[int], None]]:
    """Training and evaluation of row n, by what they are."""
    tf.keras.utils.set_random_seed(1)
    supernet = network(config, data.image_shape, data.classes)
    shared = MacroWeights(supernet, data, SharedWeightsConfig(batch_size=batch))
    training = TrainWeights(
        shared, lambda count, seed: count, data.train, DataConfig(), 1
    )
    order, zero = tf.range(2 * batch), tf.constant(0)
    images = shared.validation_images.images[:batch]

    def step(row: tf.Tensor) -> tf.Tensor:
        rate = tf.constant(0.01)
        return training._train_step(row, order, zero, zero, rate)[0]

    def logits(row: tf.Tensor) -> tf.Tensor:
        return shared._run(row, images, tf.constant([0, 0]))

    def compiled(function: Callable) -> Callable[[int], None]:
        if network is MacroSupernet:
            graph = tf.function(function, autograph=False)
            return lambda n: graph(tf.constant(rows[n])).numpy()
        each = {}

        def run(n: int) -> None:
            if n not in each:
                StaticSupernet.row = rows[n]
                row = tf.constant(rows[n])
                graph = tf.function(lambda: function(row), autograph=False)
                each[n] = graph.get_concrete_function()
            each[n]().numpy()

        return run

    return {"train": compiled(step), "evaluate": compiled(logits)}


def main() -> None:
    """Prints seconds and paired ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--filters", type=int, default=36)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    configure()
    config = MacroSupernetConfig(
        num_layers=told.layers, filters=told.filters, keep_prob=1.0
    )
    data = random_data(told.size, 3, 2 * told.batch)
    rng = np.random.default_rng(0)
    rows = config.space.sample(rng, told.networks)
    # As many skips as the policy's penalty asks for.
    bits = config.space.is_skip
    rows[:, bits] = rng.random(rows[:, bits].shape) < 0.4
    ways, starts = {}, {}
    for name, kind in (("ours", MacroSupernet), ("static", StaticSupernet)):
        begin = time.perf_counter()
        ways[name] = make_way(kind, config, data, told.batch, rows)
        ways[name]["train"](0)
        starts[name] = time.perf_counter() - begin
        for place in range(told.networks):
            for what in EPOCH:
                ways[name][what](place)
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(told.rounds):
        for place in range(told.networks):
            for what in EPOCH:
                for name, way in ways.items():
                    begin = time.perf_counter()
                    way[what](place)
                    seconds = time.perf_counter() - begin
                    taken.setdefault((name, what), []).append(seconds)
    print(
        f"{told.layers} layers, {told.filters} filters, batch {told.batch}, "
        f"{told.size}x{told.size}x3, {told.networks} networks; start-up "
        f"{starts['ours']:.1f} s, of one static network "
        f"{starts['static']:.1f} s"
    )
    for what in EPOCH:
        ours, static = (np.array(taken[n, what]) for n in ("ours", "static"))
        low, middle, high = np.percentile(ours / static, [10, 50, 90])
        print(
            f"{what}: {np.median(ours):.3f} s, static {np.median(static):.3f} "
            f"s; ours / static: median {middle:.2f} (10% {low:.2f}, 90% "
            f"{high:.2f}, {len(ours)} pairs)"
        )


if __name__ == "__main__":
    main()
