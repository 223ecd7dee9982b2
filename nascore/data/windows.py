"""A text in memory of the device, in streams that are cut into windows."""

import numpy as np
import tensorflow as tf

from nascore.data.text import check_length, streams, windows


class Windows:
    """A text in streams, cut anew in each epoch.

    Args:
      ids: int32 `[n]`.
      batch: streams.
      window: steps of a window.
      jitter: whether its length is drawn.
      seed: of the run.
      stream: of the cuts, see `nascore.seeds`.
      what: part of the text it is, for messages.

    Raises:
      InputError: it is too short.
    """

    def __init__(
        self,
        ids: np.ndarray,
        batch: int,
        window: int,
        jitter: bool,
        seed: int,
        stream: int,
        what: str = "training",
    ) -> None:
        check_length(ids, batch, what, "--batch_size")
        self.window = window
        self._jitter = jitter
        self.tokens = tf.constant(streams(ids, batch))
        self._draw = (seed, int(stream))
        self._cuts: tuple[int, np.ndarray, np.ndarray] | None = None

    def of(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """First step and length of each window of an epoch."""
        if self._cuts is None or self._cuts[0] != epoch:
            found = windows(
                self.tokens.shape[0],
                self.window,
                self._jitter,
                [*self._draw, epoch],
            )
            self._cuts = (epoch, *found)
        return self._cuts[1:]

    def scale(self, length: tf.Tensor) -> tf.Tensor:
        """By which a window's learning rate is multiplied."""
        return tf.cast(length, tf.float32) / self.window
