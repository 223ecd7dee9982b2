"""Simulator and decoder, and their training on random vectors.

Liu (2019), sections 3.2 and 4.1: two halves of an autoencoder, trained on
uniform vectors with least squares and Adam. The searches of a stack share
nothing: `R` is their number.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from nascore import draws
from nascore.runs.checkpoints import State
from nascore.seeds import fold, fold_in
from nascore.spaces.space import Space
from nascore.strategies.stacked_adam import StackedAdam
from nases.config import AutoencoderConfig
from nases.networks import Weights, make_networks, start_weights

# Streams of the draws, see `nascore.seeds.fold`.
_SIMULATOR, _DECODER, _VECTORS, _HELD_OUT, _POINTS = 161, 162, 163, 164, 165
# Training steps between two measurements.
ROUND = 100
# Vectors that are never trained on, and points whose rows are counted.
_HELD, REACH_POINTS = 1000, 10_000


class Autoencoder(tf.Module):
    """Simulator s and decoder f, with f(s(x)) near x.

    Args:
      space: of the architectures.
      config: sizes and training.
      seeds: of the searches.

    Attributes:
      reals: the numbers that stand for architectures; `size` of them.
      embedding: numbers of a point.

    Raises:
      InputError: an embedding larger than `reals`.
    """

    def __init__(
        self, space: Space[Any], config: AutoencoderConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(name="autoencoder")
        self.space = space
        self.config = config
        self.reals = config.reals(space)
        self.embedding = config.embedding_of(space)
        self._nets = make_networks(config, self.reals, self.embedding)
        self._weights = {
            name: tf.Variable(value, trainable=False, name=name)
            for name, value in self._starts(seeds).items()
        }
        self._optimizer = StackedAdam(self._weights, config.pretrain_lr)
        self._seeds = tf.Variable(list(seeds), dtype=tf.int32, trainable=False)

    def _starts(self, seeds: Sequence[int]) -> dict[str, tf.Tensor]:
        parts = zip(
            ("simulator", "decoder"),
            self._nets,
            (_SIMULATOR, _DECODER),
            strict=True,
        )
        return {
            f"{part}_{name}": value
            for part, network, stream in parts
            for name, value in start_weights(network, seeds, stream).items()
        }

    @property
    def state(self) -> State:
        """Weights, and what the optimizer remembers."""
        moments = self._optimizer.state
        return {
            **self._weights,
            **{f"autoencoder_{name}": v for name, v in moments.items()},
        }

    @property
    def simulator(self) -> dict[str, tf.Variable]:
        """The simulator's weights by their names in its network."""
        return self._part("simulator")

    def _part(self, part: str) -> dict[str, tf.Variable]:
        return {
            name.removeprefix(f"{part}_"): value
            for name, value in self._weights.items()
            if name.startswith(f"{part}_")
        }

    def restart(self, seeds: Sequence[int]) -> None:
        """Begins anew, for these seeds."""
        for name, value in self._starts(seeds).items():
            self._weights[name].assign(value)
        self._optimizer.restart()
        self._seeds.assign(list(seeds))

    def snapshot(self) -> dict[str, np.ndarray]:
        """A copy of the weights, by name."""
        return {name: value.numpy() for name, value in self._weights.items()}

    def take(self, weights: Mapping[str, np.ndarray]) -> None:
        """Takes over what `snapshot` returned."""
        for name, value in weights.items():
            self._weights[name].assign(value)

    def encode(self, vectors: tf.Tensor, weights: Any = None) -> tf.Tensor:
        """Codes `[R, k, embedding]` of vectors `[R, k, size]`.

        Args:
          vectors: from 0 to 1.
          weights: of the simulator, or of a controller that is like it.
        """
        network = self._nets[0]
        return network(self.simulator if weights is None else weights, vectors)

    def decode(self, points: tf.Tensor) -> tf.Tensor:
        """Vectors `[R, k, size]` of points, which are cut to [0, 1]."""
        inside = tf.clip_by_value(points, 0.0, 1.0)
        return self._nets[1](self._part("decoder"), inside)

    def rows(self, vectors: tf.Tensor) -> tf.Tensor:
        """Rows that vectors stand for, int32 `[R * k, length]`."""
        flat = tf.reshape(vectors, [-1, self.reals.size])
        return tf.cast(self.reals.rows(flat, tnp), tf.int32)

    def uniform(self, count: int, width: int, stream: int) -> tf.Tensor:
        """Uniform vectors of each search, `[R, count, width]`."""
        return _draw([count, width], _fold_each(self._seeds, stream))

    @tf.function(autograph=False)
    def train(self, number: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        """Trains for some steps on vectors that were never seen.

        Args:
          number: of the round, int32 scalar; its vectors follow from it.
          steps: of it, int32 scalar, at most `ROUND`.

        Returns:
          Mean loss of each search, `[R]`; not finite where a gradient was
          not.
        """
        batch, size = self.config.pretrain_batch, self.reals.size
        seeds = _fold_each(self._seeds, _VECTORS, number)
        runs = self._seeds.shape[0]

        def body(step: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, ...]:
            vectors = _draw([batch, size], fold_in(seeds, step))
            loss, finite = self._descend(vectors)
            return step + 1, total + tf.where(finite, loss, np.nan)

        _, total = tf.while_loop(
            lambda step, _: step < steps,
            body,
            (tf.constant(0), tf.zeros([runs])),
        )
        return total / tf.cast(steps, tf.float32)

    def _descend(self, vectors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """One step; losses `[R]`, and whether gradients are finite."""
        weights = list(self._weights.values())
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            loss = self._loss(vectors)
            # Searches share nothing: their losses are summed up.
            total = tf.reduce_sum(loss)
        gradients = tape.gradient(total, weights)
        return loss, self._optimizer.descend(gradients)

    def _loss(self, vectors: tf.Tensor) -> tf.Tensor:
        """Mean squared error of each search, `[R]`."""
        error = self.decode(self.encode(vectors)) - vectors
        return tf.reduce_mean(tf.square(error), axis=[1, 2])

    @tf.function(autograph=False)
    def held_out_loss(self) -> tf.Tensor:
        """Mean squared error of vectors that nothing learns from, `[R]`."""
        return self._loss(self.uniform(_HELD, self.reals.size, _HELD_OUT))

    @tf.function(autograph=False)
    def _reached(self, count: int) -> tf.Tensor:
        points = self.uniform(count, self.embedding, _POINTS)
        return self.rows(self.decode(points))

    def reach(self, count: int = REACH_POINTS) -> list[int]:
        """Distinct architectures of uniform points, in each search."""
        rows = self._reached(count).numpy()
        every = rows.reshape(self._seeds.shape[0], count, -1)
        return [len(np.unique(own, axis=0)) for own in every]

    def axes(self) -> tf.Tensor:
        """Two directions in which codes differ most, `[R, embedding, 2]`.

        Principal components of the codes of uniform vectors; each points to
        where its largest number is positive.
        """
        weights = {name: v.read_value() for name, v in self.simulator.items()}
        find = _axes_of(self.space, self.config.alone)
        return find(weights, self._seeds.read_value())


@functools.lru_cache(maxsize=16)
def _axes_of(
    space: Space[Any], config: AutoencoderConfig
) -> Callable[[Weights, tf.Tensor], tf.Tensor]:
    """What makes `Autoencoder.axes` of a simulator's weights and of seeds.

    One trace serves all autoencoders of a process that are alike: there is
    one for each column of a table and each policy.
    """
    reals = config.reals(space)
    simulator, _ = make_networks(config, reals, config.embedding_of(space))

    @tf.function(autograph=False)
    def find(weights: Weights, seeds: tf.Tensor) -> tf.Tensor:
        vectors = _draw([_HELD, reals.size], _fold_each(seeds, _HELD_OUT))
        codes = simulator(weights, vectors)
        centred = codes - tf.reduce_mean(codes, axis=1, keepdims=True)
        _, vectors = tf.linalg.eigh(
            tf.matmul(centred, centred, transpose_a=True)
        )
        found = vectors[:, :, ::-1][:, :, :2]
        found = tf.pad(found, [[0, 0], [0, 0], [0, 2 - found.shape[2]]])
        largest = tf.reduce_max(found, axis=1, keepdims=True)
        least = -tf.reduce_min(found, axis=1, keepdims=True)
        return tf.where(largest >= least, found, -found)

    return find


def _fold_each(
    seeds: tf.Tensor, stream: int, *counters: int | tf.Tensor
) -> tf.Tensor:
    """Seeds `[R, 2]` of a draw in each search, see `nascore.seeds.fold`."""
    return tf.map_fn(
        lambda seed: fold(seed, stream, *counters),
        seeds,
        fn_output_signature=tf.TensorSpec([2], tf.int32),
    )


def _draw(shape: Sequence[int], seeds: tf.Tensor) -> tf.Tensor:
    """Uniform numbers of each search, `[R, *shape]`, of seeds `[R, 2]`."""
    return tf.map_fn(
        lambda one: draws.uniform(shape, one),
        seeds,
        fn_output_signature=tf.TensorSpec(shape, tf.float32),
    )
