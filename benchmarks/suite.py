"""Times every part beside the least that the device could take.

  python -m benchmarks.suite [OUT.md] [--layers=6] [--rounds=5]

Random images of CIFAR's shape, the sizes of the published search. Each time
is that of the compiled loop that a search runs. Beside it stand the limits:
the multiply-adds of the chosen operations at the measured rate of a large
matrix product, and their bytes at the measured rate of a copy
(`benchmarks/arithmetic.py` says what is counted). Several minutes.
"""

import argparse
import dataclasses
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nascore.process.quiet import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from benchmarks import mlpnas_child, network_fit  # noqa: E402
from benchmarks.arithmetic import Work, count_child  # noqa: E402
from benchmarks.child_step import BATCH, random_data  # noqa: E402
from benchmarks.parts import make_parts  # noqa: E402
from benchmarks.rates import Rates, measure, timed  # noqa: E402
from enas.config import ControllerConfig, EnasConfig  # noqa: E402
from mlpnas.data.config import MlpDataConfig  # noqa: E402
from mlpnas.data.load import load  # noqa: E402
from nascore.data.augment import augment, to_float  # noqa: E402
from nascore.data.images import ImageData, Split  # noqa: E402
from nascore.evaluators.config import SharedWeightsConfig  # noqa: E402
from nascore.networks import costs  # noqa: E402
from nascore.networks.config import SupernetConfig  # noqa: E402
from nascore.process.runtime import configure, device_names  # noqa: E402
from nascore.protocols import Proposals  # noqa: E402

# Architectures in a stretch, and updates of the controller.
STEPS, UPDATES = 8, 2


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
      name: what was timed.
      seconds: of each round, for one of it.
      work: what it must do; None where that says nothing.
      note: what a reader should know.
    """

    name: str
    seconds: list[float]
    work: Work | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """In seconds."""
        return statistics.median(self.seconds)


def published(layers: int = 6, precision: str = "float32") -> EnasConfig:
    """The sizes of the published CIFAR-10 search."""
    return EnasConfig(
        child=SupernetConfig(num_layers=layers, precision=precision),
        controller=ControllerConfig(num_aggregate=10),
        weights=SharedWeightsConfig(batch_size=BATCH),
    )


class SearchParts:
    """A child network and a controller, and their times.

    Args:
      config: of the search.
      data: its images.
      rounds: how often each is timed.
    """

    def __init__(
        self, config: EnasConfig, data: ImageData, rounds: int
    ) -> None:
        self.config = config
        self.rounds = rounds
        begin = time.perf_counter()
        self.parts = make_parts(config, data)
        space = config.child.space
        self.sample = space.sample(np.random.default_rng(0), STEPS)
        self.architectures = tf.constant(self.sample)
        self._train()
        self.start_up = time.perf_counter() - begin

    def _train(self) -> None:
        numbers = (tf.constant(n) for n in (0, 0, STEPS))
        columns = self.parts.training.train(
            self.architectures, *numbers, tf.constant(1e-3)
        )
        columns["loss"].numpy()

    def _work(self, training: bool, rows: np.ndarray) -> Work:
        stack = self.parts.shared.supernet.stack
        works = (
            count_child(stack, stack.space.decode(row), BATCH, training)
            for row in rows
        )
        return sum(works, Work()) * (1 / len(rows))

    def rows(self) -> Iterator[Row]:
        """Times a step, an evaluation and the controller phase."""
        yield Row("start-up", [self.start_up], note="build, trace, 8 steps")
        yield Row(
            "child step",
            [s / STEPS for s in timed(self._train, self.rounds)],
            self._work(True, self.sample),
        )
        seed = tf.constant([1, 2])

        @tf.function(autograph=False)
        def measure(rows: tf.Tensor) -> tf.Tensor:
            return self.parts.shared.measure(Proposals(rows), seed).score

        def score(rows: np.ndarray) -> None:
            measure(tf.constant(rows)).numpy()

        yield Row(
            "child evaluation",
            [s / STEPS for s in timed(lambda: score(self.sample), self.rounds)],
            self._work(False, self.sample),
        )
        count = UPDATES * self.config.controller.num_aggregate
        rows = self.parts.asking.run(0, 0, UPDATES)["row"]
        for number in (1, count):  # Each number is traced once.
            score(rows[:number])
        phase, alone, single = [], [], []
        for _ in range(self.rounds):
            begin = time.perf_counter()
            rows = self.parts.asking.run(0, 0, UPDATES)["row"]
            phase.append((time.perf_counter() - begin) / count)
            begin = time.perf_counter()
            score(rows)
            alone.append((time.perf_counter() - begin) / count)
            begin = time.perf_counter()
            for place in range(count):
                score(rows[place : place + 1])
            single.append((time.perf_counter() - begin) / count)
        shares = np.array(alone) / np.array(phase)
        ratios = np.array(phase) / np.array(single)
        yield Row(
            "controller phase, for one evaluation",
            phase,
            self._work(False, rows),
            f"{np.median(shares):.1%} of it child evaluation "
            f"({shares.min():.1%} to {shares.max():.1%}); "
            f"{np.median(ratios):.2f} times one call for each "
            f"({ratios.min():.2f} to {ratios.max():.2f})",
        )


def pipeline_row(data: ImageData, rounds: int) -> Row:
    """Gathering, scaling, cropping, mirroring and cutout of a batch."""
    images = tf.constant(data.train.images)
    count = 20

    @tf.function(autograph=False)
    def run() -> tf.Tensor:
        def one(total: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
            seed = tf.stack([step, 1])
            places = tf.random.stateless_uniform(
                [BATCH], seed, 0, images.shape[0], tf.int32
            )
            batch = augment(
                to_float(tf.gather(images, places)), seed, 4, True, 16
            )
            return total + tf.reduce_mean(batch)

        return tf.foldl(one, tf.range(count), 0.0)

    pixels = BATCH * 32 * 32 * 3
    return Row(
        "data pipeline, a batch",
        [s / count for s in timed(lambda: run().numpy(), rounds)],
        # The bytes in; the floats out.
        Work(0.0, pixels * (1 + 4)),
        "crop, mirror, cutout",
    )


def final_row(rounds: int) -> Row:
    """A step of final training: 2 + 2 layers of 16 filters, batch 64."""
    rng = np.random.default_rng(0)
    count = network_fit.BATCH * network_fit.STEPS
    size = network_fit.SIZE
    data = Split(
        rng.integers(0, 256, (count, size, size, 3)).astype(np.uint8),
        rng.integers(0, 10, count).astype(np.int32),
    )
    work = costs.total(costs.count(network_fit.STACK)).multiply_adds
    run = network_fit.loop(data)
    return Row(
        "final training step",
        [s / network_fit.STEPS for s in timed(run, rounds)],
        Work(3.0 * work * network_fit.BATCH, 0.0),
        "4 layers, 16 filters, batch 64",
    )


def mlp_row() -> Row:
    """An MLPNAS candidate on scikit-learn's digits, compilation included."""
    data = load(MlpDataConfig(dataset="digits"))
    config = mlpnas_child.CONFIG
    space = config.space.space(data.classes)
    controller = mlpnas_child.LayerPolicy(space)
    ids = controller(10, [1, 1]).sequences.numpy()
    architectures = [space.decode(row) for row in ids]
    _, seconds = mlpnas_child.train_ours(data, architectures, 1)
    return Row(
        "MLPNAS candidate",
        [seconds / len(architectures)],
        note=f"10 cold candidates, {config.training.child_epochs} epochs, "
        f"{len(data.train.labels)} images of digits",
    )


def peak_row() -> str:
    """The peak memory so far, as a line of text."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    peak *= 1 if sys.platform == "darwin" else 1024
    device = "GPU:0" if tf.config.list_physical_devices("GPU") else "CPU:0"
    held = tf.config.experimental.get_memory_info(device)["peak"]
    return (
        f"Peak of the process {peak / 1e9:.2f} GB; of TensorFlow's tensors on "
        f"{device} {held / 1e9:.2f} GB."
    )


HEADER = (
    "| part | ms, median (least to greatest) | limit by products, ms | "
    "limit by bytes, ms | of the limit | |\n|---|---|---|---|---|---|"
)


def line(row: Row, rates: Rates) -> str:
    """One line of the Markdown table."""
    seconds = [f"{1e3 * s:.4g}" for s in row.seconds]
    spread = f"{1e3 * row.median:.4g}"
    if len(seconds) > 1:
        low, high = (1e3 * f(row.seconds) for f in (min, max))
        spread += f" ({low:.4g} to {high:.4g})"
    limits = ["", "", ""]
    if row.work is not None:
        each = rates.limit(row.work)
        limits = [f"{1e3 * s:.4g}" if s else "" for s in each]
        limits.append(f"{max(each) / row.median:.0%}")
    return f"| {row.name} | {spread} | {' | '.join(limits)} | {row.note} |"


def describe(rates: Rates, config: EnasConfig) -> str:
    """What ran, and what the device can do."""
    child = config.child
    return (
        f"{', '.join(device_names())}; TensorFlow {tf.__version__}; "
        f"{len(child.layer_types)} layers, {child.filters} filters, batch "
        f"{config.weights.batch_size}, 32x32x3, {child.precision}.\n"
        f"Measured here: {rates.products / 1e9:.0f} G multiply-adds/s "
        f"(float32 matrix product), {rates.bytes / 1e9:.1f} GB/s "
        "(read and written)."
    )


def rows(config: EnasConfig, rounds: int) -> Iterator[Row]:
    """Every row, in turn."""
    data = random_data()
    yield from SearchParts(config, data, rounds).rows()
    yield pipeline_row(data, rounds)
    yield final_row(rounds)
    yield mlp_row()


def main() -> None:
    """Prints and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--precision", default="float32")
    arguments = parser.parse_args()
    configure()
    config = published(arguments.layers, arguments.precision)
    rates = measure(bool(tf.config.list_physical_devices("GPU")))
    lines = [describe(rates, config), "", *HEADER.split("\n")]
    print("\n".join(lines), flush=True)
    peak = ""
    for row in rows(config, arguments.rounds):
        lines.append(line(row, rates))
        print(lines[-1], flush=True)
        if row.name.startswith("controller"):
            peak = peak_row()
    lines += ["", f"{peak} (After the first four rows.)"]
    print("\n".join(lines[-2:]))
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
