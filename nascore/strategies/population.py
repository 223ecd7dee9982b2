"""A population of many searches at once, as variables of a graph.

Each individual has the number of its evaluation, its row, its score and what
it was rewarded with. `R` is the number of searches, `P` of individuals.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from nascore.runs.checkpoints import State

# The number of nobody.
NOBODY = -1


class Drawn(NamedTuple):
    """Individuals of tournaments, by their places in the population.

    Attributes:
      parents: int32 `[R, count]`, the best of each.
      leaves: likewise, who is to leave when the child joins.
    """

    parents: tf.Tensor
    leaves: tf.Tensor


class Population(tf.Module):
    """Those that live.

    Args:
      runs: searches.
      size: most individuals of each.
      length: integers of a row.
    """

    def __init__(self, runs: int, size: int, length: int) -> None:
        super().__init__(name="population")

        def variable(value: tf.Tensor, name: str) -> tf.Variable:
            return tf.Variable(value, trainable=False, name=name)

        self.size = size
        self.rows = variable(tf.zeros([runs, size, length], tf.int32), "rows")
        self.scores = variable(tf.zeros([runs, size]), "scores")
        self.rewards = variable(tf.zeros([runs, size]), "rewards")
        self.numbers = variable(
            tf.fill([runs, size], tf.constant(NOBODY)), "numbers"
        )

    @property
    def state(self) -> State:
        """Who lives."""
        return {
            "population_rows": self.rows,
            "population_scores": self.scores,
            "population_rewards": self.rewards,
            "population_numbers": self.numbers,
        }

    def restart(self) -> None:
        """Nobody lives."""
        for variable in (self.rows, self.scores, self.rewards):
            variable.assign(tf.zeros_like(variable))
        self.numbers.assign(tf.fill(self.numbers.shape, NOBODY))

    def living(self) -> tf.Tensor:
        """How many live, int32 scalar; equally many in each search."""
        return tf.math.count_nonzero(self.numbers[0] >= 0, dtype=tf.int32)

    def ranks(self) -> tf.Tensor:
        """Places from the worst, int32 `[R, P]`; of equals the older first."""
        score, number = self.scores[:, None], self.numbers[:, None]
        own_score, own_number = self.scores[..., None], self.numbers[..., None]
        older = tf.equal(score, own_score) & (number < own_number)
        below = (score < own_score) | older
        return tf.math.count_nonzero(below, axis=2, dtype=tf.int32)

    def draw(
        self, places: tf.Tensor, sample: int, replace: bool, removal: str
    ) -> Drawn:
        """Tournaments of a population that is full.

        Who leaves after one of them is in none of the next.

        Args:
          places: random, from 0 to below 1, float32 `[R, count, P]`.
          sample: size of a tournament, at least 2.
          replace: whether it is drawn with replacement.
          removal: `worst` of the tournament, or `oldest` of all.
        """
        ranks = self.ranks()
        gone = tf.zeros_like(ranks, tf.bool)
        parents, leaves = [], []
        for keys in tf.unstack(places, axis=1):
            if replace:
                scaled = keys[:, :sample] * self.size
                chosen = tf.cast(scaled, tf.int32)
            else:
                free = tf.where(gone, -1.0, keys)
                chosen = tf.math.top_k(free, sample).indices
            found = tf.gather(ranks, chosen, batch_dims=1)
            parents.append(_pick(chosen, tf.argmax(found, axis=1)))
            if removal == "worst":
                leaves.append(_pick(chosen, tf.argmin(found, axis=1)))
            else:
                ages = tf.where(gone, tf.int32.max, self.numbers)
                leaves.append(tf.argmin(ages, axis=1, output_type=tf.int32))
            gone |= tf.equal(leaves[-1][:, None], tf.range(self.size))
        return Drawn(tf.stack(parents, axis=1), tf.stack(leaves, axis=1))

    def places_of(self, numbers: tf.Tensor) -> tf.Tensor:
        """Where individuals are, int32 `[R, n]`; 0 for who is not there."""
        same = tf.equal(self.numbers[:, None], numbers[..., None])
        found = tf.cast(same, tf.int32)
        return tf.argmax(found, axis=2, output_type=tf.int32)

    def join(
        self,
        rows: tf.Tensor,
        scores: tf.Tensor,
        rewards: tf.Tensor,
        numbers: tf.Tensor,
        leave: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        """Takes in one after the other.

        Args:
          rows: int32 `[R, n, length]`.
          scores: float32 `[R, n]`.
          rewards: likewise.
          numbers: int32 `[R, n]`.
          leave: likewise, numbers of who leaves for them; `NOBODY` where
            there is room.

        Returns:
          Mean, deviation, best and worst score of the living after each,
          float32 `[R, n]`.
        """
        found = []
        for place in range(leave.shape[1]):
            same = tf.equal(self.numbers, leave[:, place, None])
            first = tf.argmax(
                tf.cast(same, tf.int32), axis=1, output_type=tf.int32
            )
            here = same & tf.equal(first[:, None], tf.range(self.size))
            for variable, value in (
                (self.scores, scores),
                (self.rewards, rewards),
                (self.numbers, numbers),
            ):
                new = value[:, place, None]
                variable.assign(tf.where(here, new, variable))
            row = rows[:, place, None]
            self.rows.assign(tf.where(here[..., None], row, self.rows))
            found.append(self._describe())
        return tuple(
            tf.stack(each, axis=1) for each in zip(*found, strict=True)
        )

    def _describe(self) -> tuple[tf.Tensor, ...]:
        scores = self.scores.read_value()
        lives = self.numbers >= 0
        weights = tf.cast(lives, tf.float32)
        count = tf.reduce_sum(weights, axis=1)
        mean = tf.reduce_sum(weights * scores, axis=1) / count
        squares = weights * tf.square(scores - mean[:, None])
        deviation = tf.sqrt(tf.reduce_sum(squares, axis=1) / count)
        best = tf.reduce_max(tf.where(lives, scores, -float("inf")), axis=1)
        worst = tf.reduce_min(tf.where(lives, scores, float("inf")), axis=1)
        return mean, deviation, best, worst

    def best(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Rows and scores of the first search, best first.

        Of equals the younger comes first.
        """
        order = tf.argsort(
            tf.where(self.numbers[0] >= 0, self.ranks()[0], NOBODY),
            direction="DESCENDING",
        )[: self.living()]
        return tf.gather(self.rows[0], order), tf.gather(self.scores[0], order)


def _pick(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    return tf.gather(values, places, batch_dims=1)


def distinct(rows: tf.Tensor) -> Sequence[int]:
    """Places of rows that stand nowhere before, in their order."""
    seen: dict[bytes, int] = {}
    for place, row in enumerate(rows.numpy()):
        seen.setdefault(row.tobytes(), place)
    return list(seen.values())
