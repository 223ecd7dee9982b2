"""Throughput of the discrete network, and the time to build it.

  python -m benchmarks.network_fit [--rounds=5]

Trains the same graph four ways, in turns in one process: written by hand with
Keras's layers under `fit`; built by `build_network` under `fit`; the same
with the fused normalization; and in the loop of final training. Prints a
Markdown table with paired ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from nascore.data.images import Split
from nascore.networks.config import NetworkConfig
from nascore.networks.discrete import LOGITS, build_network
from nascore.networks.layers import (
    Normalization,
    fused_moving_norm,
    moving_norm,
)
from nascore.networks.stack import plan
from nascore.training.config import FinalConfig, TrainingConfig
from nascore.training.loop import Loop

BATCH, STEPS, SIZE, WIDTH = 64, 10, 32, 16
ARCHITECTURE = "0 0 1 1 2 3 1 4  0 3 1 0 2 1 0 2"
PUBLISHED = (
    "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 "
    "1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"
)
NETWORK = NetworkConfig(
    num_nodes=2, filters=WIDTH, num_layers=2, layout="enas"
).for_inference()
STACK = plan(NETWORK, (SIZE, SIZE, 3), 10, NETWORK.space.parse(ARCHITECTURE))


def by_hand() -> keras.Model:
    """The network of `ARCHITECTURE`, written down layer by layer."""
    layers = keras.layers

    def norm(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    def conv(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
        x = layers.ReLU()(x)
        return norm(layers.Conv2D(width, 1, use_bias=False)(x))

    def sep(
        x: keras.KerasTensor, kernel: int, width: int, strides: int
    ) -> keras.KerasTensor:
        for stride in (strides, 1):
            x = layers.ReLU()(x)
            x = layers.SeparableConv2D(
                width, kernel, stride, "same", use_bias=False
            )(x)
            x = norm(x)
        return x

    def halve(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
        x = layers.ReLU()(x)
        y = layers.Cropping2D(((1, 0), (1, 0)))(x)
        one = layers.Conv2D(width // 2, 1, 2, use_bias=False)(x)
        two = layers.Conv2D(width // 2, 1, 2, use_bias=False)(y)
        return norm(layers.Concatenate()([one, two]))

    def normal(
        a: keras.KerasTensor, b: keras.KerasTensor, width: int
    ) -> keras.KerasTensor:
        first = layers.Add()([sep(a, 3, width, 1), sep(b, 5, width, 1)])
        pool = layers.MaxPooling2D(3, 1, "same")(first)
        second = layers.Add()([pool, b])
        return second

    def reduction(
        a: keras.KerasTensor, b: keras.KerasTensor, width: int
    ) -> keras.KerasTensor:
        pool = layers.MaxPooling2D(3, 2, "same")(a)
        first = layers.Add()([pool, sep(b, 3, width, 2)])
        mean = layers.AveragePooling2D(3, 2, "same")(a)
        return layers.Add()([sep(first, 5, width, 1), mean])

    images = keras.Input((SIZE, SIZE, 3))
    stem = norm(
        layers.Conv2D(3 * WIDTH, 3, padding="same", use_bias=False)(images)
    )
    width = 2 * WIDTH
    a, b = conv(stem, width), conv(conv(stem, width), width)
    zero = reduction(a, b, width)
    width = 4 * WIDTH
    a, b = halve(stem, width), conv(conv(zero, width), width)
    one = reduction(a, b, width)
    a, b = halve(zero, width), conv(one, width)
    two = normal(a, b, width)
    a, b = one, conv(two, width)
    three = normal(a, b, width)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(three))
    return keras.Model(images, layers.Dense(10, use_bias=False)(x))


def built(normalization: Normalization) -> keras.Model:
    """The same network from its description."""
    architecture = NETWORK.space.parse(ARCHITECTURE)
    shape = (SIZE, SIZE, 3)
    return build_network(architecture, shape, 10, NETWORK, normalization)


def fit(model: keras.Model, data: Split) -> Callable[[], None]:
    """Returns what trains a model for one round under Keras's `fit`."""
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    images = tf.constant(data.images, tf.float32)
    labels = tf.constant(data.labels)

    def once() -> None:
        model.fit(images, labels, BATCH, verbose=0, shuffle=False)

    return once


def loop(data: Split) -> Callable[[], None]:
    """Returns what trains the network for one round in our loop."""
    config = FinalConfig(
        network=NETWORK,
        training=TrainingConfig(
            architecture=ARCHITECTURE, batch_size=BATCH, weight_decay=0.0
        ),
    )
    network = built(fused_moving_norm)
    strategy = tf.distribute.get_strategy()
    training = Loop(network, data, (0.0, 1.0), config, strategy)

    def once() -> None:
        numbers = (tf.constant(n) for n in (0, 0, STEPS))
        training.train(*numbers)[0].numpy()

    return once


def build_seconds() -> float:
    """Seconds to build the published cell with 17 layers of 36 filters."""
    config = NetworkConfig()
    begin = time.perf_counter()
    build_network(config.space.parse(PUBLISHED), (32, 32, 3), 10, config)
    return time.perf_counter() - begin


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    rng = np.random.default_rng(0)
    count = BATCH * STEPS
    data = Split(
        rng.integers(0, 256, (count, SIZE, SIZE, 3)).astype(np.uint8),
        rng.integers(0, 10, count).astype(np.int32),
    )
    models = {
        "by hand, fit": by_hand(),
        "built, fit": built(moving_norm),
        "built, fused normalization, fit": built(fused_moving_norm),
    }
    parameters = {model.count_params() for model in models.values()}
    if len(parameters) > 1:
        raise RuntimeError(f"the networks differ: {parameters} weights")
    ways = {name: fit(_logits(model), data) for name, model in models.items()}
    ways["built, fused normalization, our loop"] = loop(data)
    for way in ways.values():
        way()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - begin)
    print(f"{parameters.pop():,} weights, batch {BATCH}, {SIZE}x{SIZE}x3")
    print(f"TensorFlow {tf.__version__}, {tf.config.list_physical_devices()}")
    print("| way | images / s | time, relative to by hand (least, greatest) |")
    print("|---|---|---|")
    base = times["by hand, fit"]
    for name, seconds in times.items():
        ratios = [own / hand for own, hand in zip(seconds, base, strict=True)]
        print(
            f"| {name} | {count / statistics.median(seconds):.0f} | "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}, "
            f"{max(ratios):.2f}) |"
        )
    seconds = [build_seconds() for _ in range(3)]
    print(
        "\nbuilding 17 layers of 36 filters: "
        f"{', '.join(f'{s:.1f}' for s in seconds)} s"
    )


def _logits(model: keras.Model) -> keras.Model:
    """A model of the logits alone, as `fit` wants it for plain labels."""
    if isinstance(model.output, dict):
        return keras.Model(model.input, model.output[LOGITS])
    return model


if __name__ == "__main__":
    main()
