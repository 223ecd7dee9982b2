"""The share of NASES's strategy in the time of a search over shared weights.

  python -m benchmarks.nases [--epochs=6]

Small cells on scikit-learn's digits, as in --preset=nases_small, where weights
and images take less than anywhere else. Prints seconds of an epoch and of what
the strategy does in one, asking and learning, by itself; medians.
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from experiments.support.small_presets import values_of  # noqa: E402
from nascore.config import flatten, unflatten  # noqa: E402
from nascore.protocols import Measured  # noqa: E402
from nascore.runs.folder import RunFolder  # noqa: E402
from nases.config import NasesConfig  # noqa: E402
from nases.search import make_search  # noqa: E402
from nases.strategy import EmbeddingSearch  # noqa: E402

# Those that trace, and the pre-training, are not counted.
_FIRST = 2
_ROUNDS = 7


def epoch_seconds(config: NasesConfig, folder: Path) -> tuple[float, Any]:
    """Searches; seconds of an epoch, and the strategy."""
    with RunFolder.create(folder) as run:
        search = make_search(config, run)
        search.run()
    with (folder / "epochs.csv").open(newline="") as file:
        seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    return float(np.median(seconds[_FIRST:])), search.strategy


def strategy_seconds(strategy: EmbeddingSearch, config: NasesConfig) -> float:
    """What it takes to ask and tell as often as in an epoch."""
    count = config.asking.num_aggregate

    @tf.function
    def step(seed: tf.Tensor) -> tf.Tensor:
        proposals = strategy.ask(count, seed)
        scores = tf.random.stateless_uniform([count], seed)
        told = strategy.tell(proposals, Measured(scores), scores)
        return told["healthy"]

    def spend() -> float:
        begin = time.perf_counter()
        for number in range(config.asking.train_steps):
            step(tf.constant([7, number])).numpy()
        return time.perf_counter() - begin

    spend()
    return float(np.median([spend() for _ in range(_ROUNDS)]))


def main() -> None:
    """Prints both, and the share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    epochs = parser.parse_args().epochs
    defaults = NasesConfig()
    values = {**flatten(defaults), **values_of("nases_small", defaults)}
    config = unflatten(defaults, {**values, "epochs": epochs})
    with tempfile.TemporaryDirectory() as folder:
        whole, strategy = epoch_seconds(config, Path(folder) / "run")
    own = strategy_seconds(strategy, config)
    print(
        f"an epoch {whole:.3f} s, the strategy in it {own:.3f} s: "
        f"{own / whole:.1%}"
    )


if __name__ == "__main__":
    main()
