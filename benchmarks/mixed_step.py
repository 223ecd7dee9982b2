"""A step of DARTS beside the same step written with Keras's layers.

  python -m benchmarks.mixed_step [--layers=8] [--filters=16] [--batch=64]

One step: alphas learn on one batch, weights on another. Ways:
  ours     first order,
  second   ours, second order,
  plain    first order, `benchmarks.mixed_plain`.
Memory is the peak of a process that does nothing else; times are taken in one
process, the ways in turns, and their ratios count. Random images of CIFAR's
shape.
"""

import argparse
import dataclasses
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks import rates  # noqa: E402
from benchmarks.child_step import peak_memory, random_data  # noqa: E402
from benchmarks.mixed_plain import (  # noqa: E402
    EDGES,
    OPERATIONS,
    PlainMixedNetwork,
)
from darts.bilevel import start_alphas  # noqa: E402
from darts.config import (  # noqa: E402
    AlphasConfig,
    DartsConfig,
    MixedWeightsConfig,
)
from darts.layout import AlphaLayout  # noqa: E402
from darts.mixture import mixed_operations  # noqa: E402
from darts.train import MixedBatch, TrainMixture  # noqa: E402
from nascore.evaluators.config import SharedWeightsConfig  # noqa: E402
from nascore.evaluators.mixed_weights import MixedWeights  # noqa: E402
from nascore.networks.config import MixedSupernetConfig  # noqa: E402
from nascore.networks.mixed_supernet import MixedSupernet  # noqa: E402
from nascore.networks.operations.catalogue import find_operations  # noqa: E402
from nascore.networks.stack import plan  # noqa: E402
from nascore.process.runtime import configure  # noqa: E402

WAYS = ("ours", "second", "plain")
CLASSES = 10
Batch = tuple[tf.Tensor, tf.Tensor]
Step = Callable[[], float]


@dataclasses.dataclass(frozen=True)
class Size:
    """Of the network and the batch."""

    layers: int
    filters: int
    batch: int


def _batches(size: Size) -> tuple[Batch, Batch]:
    """One for the weights, one for the alphas."""
    data = random_data(2 * size.batch, size.batch).train
    images = tf.constant(data.images, tf.float32) / 255
    labels = tf.constant(data.labels)
    cut = size.batch
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])


def make_ours(size: Size, order: str) -> tuple[Step, int]:
    """A step of this project, and the number of weights."""
    child = MixedSupernetConfig(filters=size.filters, num_layers=size.layers)
    config = DartsConfig(
        child=child,
        alphas=AlphasConfig(order=order),
        weights=MixedWeightsConfig(batch_size=size.batch),
    )
    data = random_data(size.batch, size.batch)
    layout = AlphaLayout(child.names, child.num_nodes)
    names = mixed_operations(layout, config.alphas)
    supernet = MixedSupernet(
        child, layout.wiring, names, data.image_shape, CLASSES
    )
    mixed = MixedWeights(
        supernet, data, SharedWeightsConfig(batch_size=size.batch), names
    )
    training = TrainMixture(
        mixed,
        start_alphas(config.alphas, layout, 1),
        layout,
        data,
        config.data,
        config.weights,
        config.alphas,
        1,
        1,
    )
    fade = tf.constant(0.0)
    ours, theirs = (MixedBatch(*batch, fade) for batch in _batches(size))

    @tf.function(autograph=False)
    def step() -> tf.Tensor:
        return training.bilevel.step(ours, theirs, tf.constant(0.025))["loss"]

    return lambda: float(step()), supernet.count_params()


def make_plain(size: Size) -> tuple[Step, int]:
    """A step with Keras's layers and optimizers, and the number of weights."""
    network = PlainMixedNetwork(size.layers, size.filters, CLASSES)
    alphas = [
        tf.Variable(1e-3 * tf.random.normal([EDGES, OPERATIONS]))
        for _ in range(2)
    ]
    descent = keras.optimizers.SGD(
        0.025, 0.9, global_clipnorm=5.0, weight_decay=3e-4
    )
    adam = keras.optimizers.Adam(3e-4, 0.5, 0.999)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    ours, theirs = _batches(size)

    def learn(
        batch: Batch,
        variables: list[tf.Variable],
        optimizer: keras.optimizers.Optimizer,
    ) -> tf.Tensor:
        images, labels = batch
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            shares = [tf.nn.softmax(own) for own in alphas]
            loss = loss_of(labels, network(images, shares, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, variables), variables, strict=True)
        )
        return loss

    shares = [tf.nn.softmax(own) for own in alphas]
    network(ours[0][:2], shares)
    weights = [weight.value for weight in network.trainable_variables]
    descent.build(weights)
    adam.build(alphas)

    @tf.function(autograph=False)
    def step() -> tf.Tensor:
        learn(theirs, alphas, adam)
        return learn(ours, weights, descent)

    count = sum(int(tf.size(weight)) for weight in weights)
    return lambda: float(step()), count


def make(way: str, size: Size) -> tuple[Step, int]:
    """Of a way."""
    tf.keras.utils.set_random_seed(1)
    if way == "plain":
        return make_plain(size)
    return make_ours(size, "second" if way == "second" else "first")


def multiply_adds(size: Size) -> float:
    """Of a step of first order, of the products of edges and links.

    The alphas' pass is forward and back through all maps; that of the weights
    has the kernels' gradients, too.
    """
    child = MixedSupernetConfig(filters=size.filters, num_layers=size.layers)
    layout = AlphaLayout(child.names, child.num_nodes)
    found = 0
    for layer in plan(child, (32, 32, 3), CLASSES).layers:
        for link in layer.inputs:
            found += link.want.pixels * link.have.channels * layer.width
        for source, _ in layout.edges:
            reads = (
                layer.inside if source < layout.wiring.inputs else layer.node
            )
            strides = reads.height // layer.node.height
            found += layer.node.pixels * sum(
                operation.multiply_adds(layer.width, strides)
                for operation in find_operations(child.names)
            )
    return 5.0 * found * size.batch


def peak(way: str, words: list[str]) -> float:
    """Peak in GiB of a process that takes two steps of a way."""
    command = [sys.executable, "-m", "benchmarks.mixed_step", f"--only={way}"]
    done = subprocess.run(
        [*command, *words], check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Prints a Markdown table, then ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--filters", type=int, default=16)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=WAYS)
    arguments = parser.parse_args()
    configure()
    size = Size(arguments.layers, arguments.filters, arguments.batch)
    if arguments.only:
        step, _ = make(arguments.only, size)
        step()
        step()
        print(peak_memory())
        return
    words = [
        f"--{f.name}={getattr(size, f.name)}" for f in dataclasses.fields(size)
    ]
    peaks = {way: peak(way, words) for way in WAYS}
    steps, counts, start = {}, {}, {}
    # All are made before one is timed: a seed for TensorFlow, which each of
    # them sets, makes it prepare what there is anew.
    for way in WAYS:
        begin = time.perf_counter()
        steps[way], counts[way] = make(way, size)
        steps[way]()
        start[way] = time.perf_counter() - begin
    for step in steps.values():
        step()
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(arguments.rounds):
        for way, step in steps.items():
            begin = time.perf_counter()
            step()
            taken[way].append(time.perf_counter() - begin)
    print(
        f"{size.layers} cells, {size.filters} channels, batch {size.batch}, "
        f"32x32x3; TensorFlow {tf.__version__}, {arguments.rounds} rounds"
    )
    products = rates.measure(False).products
    print(
        f"Least time of a step of first order, by its products alone: "
        f"{multiply_adds(size) / products:.2f} s at "
        f"{products / 1e9:.0f} G multiply-adds/s, measured here"
    )
    print("| way | weights | start-up s | s / step | peak GiB |")
    print("|---|---|---|---|---|")
    for way in WAYS:
        print(
            f"| {way} | {counts[way]:,} | {start[way]:.1f} "
            f"| {statistics.median(taken[way]):.2f} "
            f"({min(taken[way]):.2f} to {max(taken[way]):.2f}) "
            f"| {peaks[way]:.2f} |"
        )
    for over, under in (("plain", "ours"), ("second", "ours")):
        ratios = [a / b for a, b in zip(taken[over], taken[under], strict=True)]
        print(
            f"{over} / {under}: time {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}), memory "
            f"{peaks[over] / peaks[under]:.2f}"
        )


if __name__ == "__main__":
    main()
