"""The suite's table on a GPU, and a whole epoch of the published search.

  python -m benchmarks.gpu [OUT.md] [--precision=float32]

The epoch is that of the published CIFAR-10 search (Pham et al., 2018): 45,000
images, 8 layers, 20 filters, batch 128, 300 evaluations in 30 updates, and
the shared weights on 5,000 validation images. Noise instead of images takes
the same time. Without a GPU the epoch is cut to a few steps and the rest is
extrapolated, and the text says so.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import numpy as np

from benchmarks import suite
from benchmarks.child_step import random_data
from benchmarks.parts import make_parts
from benchmarks.rates import measure

import tensorflow as tf  # isort: skip


from enas.config import ControllerConfig, EnasConfig
from nascore.data.config import DataConfig
from nascore.data.images import Split
from nascore.process.runtime import configure

TRAIN, VALIDATION = 45_000, 5_000
EPOCHS = 150
# Pham et al. (2018), table 2, ENAS + micro search space; one GTX 1080 Ti.
PUBLISHED_GPU_DAYS = 0.45


@dataclasses.dataclass(frozen=True)
class Epoch:
    """Seconds of the parts of one epoch.

    Attributes:
      child: all training steps.
      controller: all updates with their evaluations.
      validation: the shared weights on the validation images.
      share: part of steps and updates that really ran; the rest is
        extrapolated.
    """

    child: float
    controller: float
    validation: float
    share: float

    @property
    def total(self) -> float:
        """Seconds of the epoch."""
        return self.child + self.controller + self.validation


def run_epoch(config: EnasConfig, share: float) -> Epoch:
    """Runs an epoch's loops, warmed up, on noise."""
    data = random_data(TRAIN)
    rng = np.random.default_rng(1)
    validation = Split(
        rng.integers(0, 256, (VALIDATION, 32, 32, 3), np.uint8),
        rng.integers(0, 10, VALIDATION, np.int32),
    )
    data = dataclasses.replace(data, validation=validation)
    parts = make_parts(config, data)
    shared = parts.shared
    steps = parts.training.steps_per_epoch
    seed = tf.constant([1, 2])
    rows = parts.controller.sample(tf.constant(steps), seed)
    zero = tf.constant(0)

    def train(stop: int) -> float:
        begin = time.perf_counter()
        columns = parts.training.train(
            rows, zero, zero, tf.constant(stop), tf.constant(1e-3)
        )
        columns["loss"].numpy()
        return time.perf_counter() - begin

    def update(stop: int) -> float:
        begin = time.perf_counter()
        parts.asking.run(0, 0, stop)
        return time.perf_counter() - begin

    def validate() -> float:
        begin = time.perf_counter()
        cells = shared.as_cells(rows[:50])
        shared._accuracy_on(shared.validation_images, cells)
        return time.perf_counter() - begin

    # Every operation should have run once on every map size.
    train(min(steps, 20))
    update(1)
    validate()
    some = (
        max(1, round(share * steps)),
        max(1, round(share * config.controller.train_steps)),
    )
    return Epoch(
        train(some[0]) * steps / some[0],
        update(some[1]) * config.controller.train_steps / some[1],
        validate(),
        share,
    )


def describe(epoch: Epoch) -> str:
    """The epoch in words, beside the published time."""
    days = EPOCHS * epoch.total / 86400
    note = ""
    if epoch.share < 1:
        note = (
            f" Only {epoch.share:.0%} of the steps and updates ran; the "
            "rest is extrapolated."
        )
    return (
        f"An epoch of the published CIFAR-10 search: {epoch.total:.1f} s "
        f"(training {epoch.child:.1f}, controller {epoch.controller:.1f}, "
        f"validation {epoch.validation:.1f}), {3600 / epoch.total:.1f} epochs "
        f"an hour. Extrapolated to {EPOCHS} epochs: {days:.3f} days; "
        f"published: {PUBLISHED_GPU_DAYS} GPU-days on a GTX 1080 Ti.{note}"
    )


def main() -> None:
    """Prints and writes the table and the epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    configure()
    gpus = tf.config.list_physical_devices("GPU")
    config = dataclasses.replace(
        suite.published(precision=arguments.precision),
        data=DataConfig(pad_crop=4, flip=True),
        controller=ControllerConfig(num_aggregate=10, train_steps=30),
    )
    rates = measure(bool(gpus))
    lines = [] if gpus else ["NO GPU was found; this is the CPU.", ""]
    lines += [suite.describe(rates, config), "", *suite.HEADER.split("\n")]
    print("\n".join(lines), flush=True)

    def say(text: str) -> None:
        print(text, flush=True)
        lines.append(text)
        if arguments.out:
            arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")

    for row in suite.rows(config, arguments.rounds):
        say(suite.line(row, rates))
    say("")
    say(suite.peak_row())
    say("")
    say(describe(run_epoch(config, 1.0 if gpus else 0.03)))


if __name__ == "__main__":
    main()
