"""Tokens a second of a recurrent cell in training, beside Keras's LSTM.

  python -m benchmarks.recurrent --units=64,200 --batch=32

Each way is one compiled step on random tokens: a window read, differentiated,
and plain gradient descent. The cell is DARTS's second one: fixed, as in the
final training; chosen, as under ENAS's shared weights; mixed, as in DARTS's
search. Rounds of all ways by turns; the least time of each counts.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import app, flags

from experiments.launch import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from nascore.networks.recurrent.config import (  # noqa: E402
    SharedLanguageModelConfig,
)
from nascore.networks.recurrent.lstm import LstmLanguageModel  # noqa: E402
from nascore.networks.recurrent.model import LanguageModel  # noqa: E402
from nascore.seeds import fold  # noqa: E402

WAYS = ("lstm", "fixed", "chosen", "mixed")
Step = Callable[[], tf.Tensor]


def make_step(
    way: str, units: int, batch: int, window: int, vocabulary: int
) -> Step:
    """A compiled training step.

    Args:
      way: of `WAYS`.
      units: width.
      batch: streams.
      window: steps.
      vocabulary: tokens.
    """
    config = SharedLanguageModelConfig(
        hidden_units=units,
        sharing="choice" if way == "chosen" else "node",
        normalize=way == "mixed",
    )
    kind = LstmLanguageModel if way == "lstm" else LanguageModel
    model = kind(config, vocabulary, fold(1, 1))
    cell = config.space.parse("DARTS_V2")
    row = tf.constant(config.space.encode(cell))
    tokens = np.random.default_rng(1).integers(
        0, vocabulary, (window + 1, batch), np.int32
    )
    weights = model.weights
    # As a window of any length comes in a search.
    signature = [
        tf.TensorSpec([None, batch], tf.int32),
        tf.TensorSpec([2], tf.int32),
        tf.TensorSpec([config.space.length], tf.int32),
    ]

    @tf.function(autograph=False, input_signature=signature)
    def step(tokens: tf.Tensor, seed: tf.Tensor, row: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            run: Any = None
            if way == "fixed":
                run = model.cell.fixed(cell)
            elif way == "chosen":
                run = model.cell.chosen(row)
            elif way == "mixed":
                run = model.cell.mixed(tf.fill([36, 4], 0.2))
            state = model.zero_state(batch)
            read = model.read(tokens[:-1], state, run, seed)
            losses = model.cross_entropies(read.hidden, tokens[1:])
            loss = tf.reduce_mean(losses)
        for weight, gradient in zip(
            weights, tape.gradient(loss, weights), strict=True
        ):
            weight.assign_sub(0.01 * tf.convert_to_tensor(gradient))
        return loss

    given = (tf.constant(tokens), fold(1, 2), row)
    return lambda: step(*given)


def main(args: list[str]) -> None:
    """Prints a line for each width and way."""
    del args
    values = flags.FLAGS
    keras.utils.set_random_seed(1)
    for units in map(int, values.units):
        steps, first = {}, {}
        for way in WAYS:
            steps[way] = make_step(
                way, units, values.batch, values.window, values.vocabulary
            )
            begin = time.perf_counter()
            steps[way]().numpy()
            first[way] = time.perf_counter() - begin
        least = dict.fromkeys(WAYS, np.inf)
        for _ in range(values.rounds):
            for way in WAYS:
                begin = time.perf_counter()
                steps[way]().numpy()
                took = time.perf_counter() - begin
                least[way] = min(least[way], took)
        tokens = values.batch * values.window
        for way in WAYS:
            print(
                f"{units:5d} units, {way:7}: {tokens / least[way]:9,.0f} "
                f"tokens/s, {least[way] / least['lstm']:5.2f} times the LSTM's "
                f"time; first step {first[way]:.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    flags.DEFINE_list("units", ["64", "200"], "Widths.")
    flags.DEFINE_integer("batch", 32, "Streams.")
    flags.DEFINE_integer("window", 35, "Steps.")
    flags.DEFINE_integer("vocabulary", 65, "Tokens.")
    flags.DEFINE_integer("rounds", 15, "Rounds.")
    app.run(main)
