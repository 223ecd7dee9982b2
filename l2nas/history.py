"""What L2NAS remembers of its search: the best, and the last ones.

Everything here is of many runs at once, each of which finds one architecture
at a time.
"""

import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from l2nas.actor_critic import DEVICE, Batches
from nascore.runs.checkpoints import State
from nascore.spaces.relaxation import Relaxation


class BestList(tf.Module):
    """The best distinct architectures, best first.

    Of equally good ones those that were seen first stay and come first. One
    that is on the list already changes nothing, whatever it is worth now.

    Args:
      relaxation: of the space.
      runs: how many.
      length: most of the list.
      places: integers of a row.
    """

    def __init__(
        self, relaxation: Relaxation, runs: int, length: int, places: int
    ) -> None:
        super().__init__(name="best_list")
        self._relaxation = relaxation
        with tf.device(DEVICE):
            self.rows = tf.Variable(
                tf.zeros([runs, length, places], tf.int32),
                trainable=False,
                name="rows",
            )
            # Minus infinity: nothing is there yet.
            self.scores = tf.Variable(
                tf.fill([runs, length], -float("inf")),
                trainable=False,
                name="scores",
            )

    @property
    def state(self) -> State:
        """The list."""
        return {"best_rows": self.rows, "best_scores": self.scores}

    def restart(self) -> None:
        """Empties it."""
        self.rows.assign(tf.zeros_like(self.rows))
        self.scores.assign(tf.fill(self.scores.shape, -float("inf")))

    def frequencies(self) -> tf.Tensor:
        """How many of the list chose what, a share `[runs, size]`.

        L2NAS's state: the mean over those that are held, and zeros while
        there are none.
        """
        runs, length, places = self.rows.shape
        rows = tf.reshape(self.rows, [-1, places])
        positions = self._relaxation.positions(rows, tnp)
        chosen = tf.one_hot(positions, self._relaxation.size)
        chosen = tf.reshape(
            tf.reduce_sum(chosen, axis=1), [runs, length, self._relaxation.size]
        )
        held = tf.cast(self.scores > -float("inf"), tf.float32)[:, :, None]
        return tf.math.divide_no_nan(
            tf.reduce_sum(chosen * held, axis=1), tf.reduce_sum(held, axis=1)
        )

    def add(self, rows: tf.Tensor, scores: tf.Tensor) -> None:
        """Takes in one architecture of each run.

        Args:
          rows: int32 `[runs, places]`.
          scores: float32 `[runs]`.
        """
        length = self.rows.shape[1]
        new, score = rows[:, None], scores[:, None]
        same = tf.reduce_all(tf.equal(self.rows, new), axis=2)
        known = tf.reduce_any(
            same & (self.scores > -float("inf")), axis=1, keepdims=True
        )
        better = tf.cast(self.scores >= score, tf.int32)
        place = tf.reduce_sum(better, axis=1, keepdims=True)
        place = tf.where(known, length, place)
        numbers = tf.range(length)[None]
        before, here = numbers < place, tf.equal(numbers, place)

        def insert(values: tf.Variable, value: tf.Tensor, *axis: None) -> None:
            shifted = tf.roll(values, 1, axis=1)
            moved = tf.where(_widen(here, axis), value, shifted)
            values.assign(tf.where(_widen(before, axis), values, moved))

        insert(self.rows, new, None)
        insert(self.scores, score)


def _widen(mask: tf.Tensor, axes: tuple[None, ...]) -> tf.Tensor:
    return mask[(..., *(tf.newaxis for _ in axes))]


class Replay(tf.Module):
    """States, actions and rewards of the last steps.

    Args:
      runs: how many.
      capacity: steps that are kept.
      size: numbers of a state, and of an action.
    """

    def __init__(self, runs: int, capacity: int, size: int) -> None:
        super().__init__(name="replay")
        self._capacity = capacity
        self._sizes = [size, size, 1]
        # In one variable: each is written and read in one operation, in
        # place. Read as a whole it would be copied.
        with tf.device(DEVICE):
            self._kept = tf.Variable(
                tf.zeros([runs, capacity, sum(self._sizes)]),
                trainable=False,
                name="replay",
            )

    @property
    def state(self) -> State:
        """What is kept."""
        return {"replay": self._kept}

    def restart(self) -> None:
        """Forgets everything."""
        self._kept.assign(tf.zeros_like(self._kept))

    def held(self, steps: tf.Tensor) -> tf.Tensor:
        """How many steps are kept after so many, int32."""
        return tf.minimum(steps, self._capacity)

    def add(
        self,
        step: tf.Tensor,
        states: tf.Tensor,
        actions: tf.Tensor,
        rewards: tf.Tensor,
    ) -> None:
        """Takes in one step of each run.

        Args:
          step: its number.
          states: `[runs, size]`.
          actions: `[runs, size]`.
          rewards: `[runs]`.
        """
        runs = tf.range(self._kept.shape[0])
        slots = tf.fill(tf.shape(runs), step % self._capacity)
        together = tf.concat([states, actions, rewards[:, None]], axis=1)
        self._kept.scatter_nd_update(tf.stack([runs, slots], 1), together)

    def batches(self, slots: tf.Tensor) -> Batches:
        """What is kept in some slots.

        Args:
          slots: int32 `[updates, runs, n]`.
        """
        runs = tf.range(self._kept.shape[0])[None, :, None]
        runs = tf.broadcast_to(runs, tf.shape(slots))
        found = self._kept.gather_nd(tf.stack([runs, slots], axis=3))
        states, actions, rewards = tf.split(found, self._sizes, axis=3)
        return Batches(states, actions, rewards[..., 0])
