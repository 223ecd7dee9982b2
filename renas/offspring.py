"""Who is asked for: random rows, then children of the best of tournaments."""

import tensorflow as tf

from nascore import draws
from nascore.seeds import fold
from nascore.strategies.population import NOBODY, Population
from renas.config import MutationConfig
from renas.mutators import Actions, RandomMutator

# Stream of a first population that many searches share.
_FIRST = 152


class Offspring:
    """Makes rows of many searches, and what is noted of each.

    Args:
      config: constants.
      population: parents.
      mutator: changes them.
      runs: searches.

    Attributes:
      changed: columns of what changed, one for each block.
    """

    def __init__(
        self,
        config: MutationConfig,
        population: Population,
        mutator: RandomMutator,
        runs: int,
    ) -> None:
        self.config = config
        self.population = population
        self.mutator = mutator
        self.runs = runs
        self.plan = mutator.plan
        self.changed = tuple(f"changed_{n}" for n in range(self.plan.blocks))

    def begin(
        self, count: int, seed: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Random rows, those of random search with the same seed."""
        if self.config.initial_seed:
            # The same for all: the seed of a step has its number last.
            shared = fold(self.config.initial_seed, _FIRST)
            step = tf.reshape(seed, [-1, 2])[:, 1]
            seed = tf.stack([tf.fill(tf.shape(step), shared[0]), step], 1)
            seed = tf.reshape(seed, [-1, 2] if self.runs > 1 else [2])
        choices = tf.constant(self.plan.choices, tf.int32)
        rows = draws.of_each(
            lambda one: draws.below(
                choices, [count, self.plan.space.length], one
            ),
            seed,
            tf.int32,
        )
        entropy = tf.reduce_sum(tf.math.log(tf.cast(choices, tf.float32)))
        total = self.runs * count
        nobody = tf.fill([total], NOBODY)
        return rows, {
            "parent": nobody,
            "removed": nobody,
            "same": tf.zeros([total]),
            **dict.fromkeys(self.changed, nobody),
            "log_prob": tf.fill([total], -entropy),
            "entropy": tf.fill([total], entropy),
        }

    def breed(
        self, count: int, seed: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Children of the best of tournaments."""
        blocks, most = self.plan.members.shape
        values = self.plan.legal.shape[1]
        parts = [self.config.population, blocks * most, blocks * values]
        drawn = draws.of_each(
            lambda one: draws.uniform([count, sum(parts)], one), seed
        )
        drawn = tf.reshape(drawn, [self.runs, count, sum(parts)])
        places, routes, news = tf.split(drawn, parts, axis=2)
        population, config = self.population, self.config
        chosen = population.draw(
            places, config.sample, config.with_replacement, config.removal
        )
        parents = tf.gather(population.rows, chosen.parents, batch_dims=1)
        chances = self.mutator.chances(parents)
        routes = _choose(chances.routers, routes)
        open_values = self.mutator.values_of(chances, routes)
        actions = Actions(routes, _choose(open_values, news))
        rows = self.mutator.apply(parents, actions)
        log_prob, entropy = self.mutator.score(chances, actions)
        changed = self.mutator.changed(routes)
        numbers = population.numbers
        found = {
            "parent": tf.gather(numbers, chosen.parents, batch_dims=1),
            "removed": tf.gather(numbers, chosen.leaves, batch_dims=1),
            "same": tf.cast(
                tf.reduce_all(tf.equal(rows, parents), axis=2), tf.float32
            ),
            **{
                name: changed[:, :, number]
                for number, name in enumerate(self.changed)
            },
            "log_prob": log_prob,
            "entropy": entropy,
        }
        flat = {name: tf.reshape(v, [-1]) for name, v in found.items()}
        return tf.reshape(rows, [-1, self.plan.space.length]), flat


def _choose(log_probs: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """One of the last axis, by the Gumbel-max trick.

    Args:
      log_probs: `[R, n, B, k]`.
      places: of `draws.uniform`, `[R, n, B * k]`.

    Returns:
      int32 `[R, n, B]`.
    """
    k = log_probs.shape[3]
    flat = tf.reshape(log_probs, [-1, k])
    chosen = draws.choose(flat, tf.reshape(places, [-1, k]))
    return tf.reshape(chosen, tf.shape(log_probs)[:3])
