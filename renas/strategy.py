"""The strategy of RENAS: tournaments, a mutator, and what it learns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.process.memory import FLOAT
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import fold_in
from nascore.spaces.space import Space
from nascore.strategies.population import Population, distinct
from renas.config import MutationConfig
from renas.controller import MutationController
from renas.mutators import Actions, RandomMutator
from renas.offspring import Offspring
from renas.plan import MutationPlan

# Networks this small would only wait for a GPU.
_DEVICE = "CPU:0"
# Bytes that compiling takes; and copies of what is computed beside weights,
# moments and gradients.
_COMPILER = 200 * 2**20
_COPIES = 5


def needs(config: MutationConfig, space: Space[Any]) -> dict[str, int]:
    """Bytes that the strategy of one search takes, by what they are for."""
    plan = MutationPlan(space, config.mutator)
    units = config.lstm_units
    gates = (config.embedding_units + units + 1) * 8 * units
    weights = gates + plan.vocabulary * config.embedding_units
    states = plan.tokens * units * 24 * config.num_aggregate
    learned = FLOAT * (_COPIES * weights + states) * config.learns
    return {"the mutation controller": _COMPILER + learned}


class Mutations(tf.Module):
    """See `nascore.protocols.Strategy`; of many searches at once.

    Random rows fill the population. Then each child has the best of a
    tournament for a parent, and joins for the worst of it, whatever it is
    worth itself (Chen et al., 2019, algorithm 1). Columns of what asks and
    tells: `parent` and `removed`, numbers of evaluations or -1; `same`,
    whether the child is its parent again; `changed_k`, the place of a row
    that changed in block k, or -1; `log_prob` and `entropy` in nats.

    Args:
      space: to search.
      config: constants.
      seeds: of the searches.

    Raises:
      InputError: a space whose choices depend on each other.
    """

    in_graph = True
    lasting = (
        "baseline",
        "population_mean",
        "population_std",
        "population_best",
        "population_worst",
    )

    def __init__(
        self, space: Space[Any], config: MutationConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(name="renas")
        self.space = space
        self.config = config
        self.runs = len(seeds)
        self.plan = MutationPlan(space, config.mutator)
        with tf.device(_DEVICE):
            self.population = Population(
                self.runs, config.population, space.length
            )
            self.mutator = (
                MutationController(self.plan, config, seeds)
                if config.learns
                else RandomMutator(self.plan, config.mask_same)
            )
            self._offspring = Offspring(
                config, self.population, self.mutator, self.runs
            )
            self._baseline = tf.Variable(
                tf.zeros([self.runs]), trainable=False, name="baseline"
            )
        # For whoever asks outside of a graph.
        self._compiled_ask = tf.function(self._ask, autograph=False)
        self._compiled_tell = tf.function(self._tell, autograph=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Strategy.columns`."""
        return (
            "parent",
            "removed",
            "same",
            *self._offspring.changed,
            "log_prob",
            "entropy",
            *self.lasting,
        )

    @property
    def state(self) -> State:
        """Who lives, and what is learned."""
        return {
            **self.population.state,
            **self.mutator.state,
            "baseline": self._baseline,
        }

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        self.population.restart()
        self.mutator.restart(seeds)
        self._baseline.assign(tf.zeros_like(self._baseline))

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Asks for rows of each search; of seeds `[runs, 2]` by its own."""
        seed = tf.convert_to_tensor(seed, tf.int32)
        if tf.inside_function():
            return self._ask(count, seed)
        # Some may have been lost: no more are random than there is room for.
        room = self.config.population - int(self.population.living())
        return self._compiled_ask(min(int(count), room or int(count)), seed)

    def _ask(self, count: int, seed: tf.Tensor) -> Proposals:
        with tf.device(_DEVICE):
            rows, found = tf.cond(
                self.population.living() < self.config.population,
                lambda: self._offspring.begin(count, seed),
                lambda: self._offspring.breed(count, fold_in(seed, 1)),
            )
        rows = tf.ensure_shape(rows, [self.runs * count, self.space.length])
        parents = found["parent"]
        notes = {name: tf.cast(v, tf.float32) for name, v in found.items()}
        keep = self.population.numbers[0]
        return Proposals(rows, notes, parents=parents, keep=keep)

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, Any]:
        """Learns of the children, and lets them live."""
        count = proposals.rows.shape[0] // self.runs
        places = proposals.places
        places = tf.range(count) if places is None else tf.constant(places)
        first = proposals.first // self.runs
        notes = {
            name: tf.cast(proposals.notes[name], tf.int32)
            for name in ("parent", "removed", *self._offspring.changed)
        }
        arguments = (
            tf.convert_to_tensor(proposals.rows),
            tf.cast(measured.score, tf.float32),
            tf.cast(rewards, tf.float32),
            tf.cast(first, tf.int32) + tf.cast(places, tf.int32),
            notes,
            tf.cast(proposals.notes["entropy"], tf.float32),
        )
        if tf.inside_function():
            return self._tell(*arguments)
        return self._compiled_tell(*arguments)

    def _tell(
        self,
        rows: tf.Tensor,
        scores: tf.Tensor,
        rewards: tf.Tensor,
        numbers: tf.Tensor,
        notes: Mapping[str, tf.Tensor],
        entropy: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """See `tell`; numbers are those within a search, `[count]`."""
        count = rows.shape[0] // self.runs

        def of_each(values: tf.Tensor) -> tf.Tensor:
            return tf.reshape(values, [self.runs, count, *values.shape[1:]])

        rows, scores, rewards, entropy = map(
            of_each, (rows, scores, rewards, entropy)
        )
        notes = {name: of_each(value) for name, value in notes.items()}
        if self.config.learns and self.config.entropy_in == "reward":
            bred = tf.cast(notes["parent"] >= 0, tf.float32)
            rewards += self.config.entropy_weight * entropy * bred
        with tf.device(_DEVICE):
            living = self.population.living()
            finite, baseline = tf.cond(
                living < self.config.population,
                lambda: self._await(rewards, living),
                lambda: self._learn(rows, rewards, notes),
            )
            # Before the update, and after it, are one order for all.
            with tf.control_dependencies([baseline, finite]):
                told = self.population.join(
                    rows,
                    scores,
                    rewards,
                    tf.repeat(numbers[None], self.runs, axis=0),
                    notes["removed"],
                )
        columns = dict(zip(self.lasting, (baseline, *told), strict=True))
        flat = {name: tf.reshape(v, [-1]) for name, v in columns.items()}
        healthy = tf.repeat(finite, count) if self.runs > 1 else finite[0]
        return {**flat, "healthy": healthy}

    def _await(
        self, rewards: tf.Tensor, living: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """While the population fills: the baseline is the rewards' mean."""
        counts = tf.cast(living + 1 + tf.range(rewards.shape[1]), tf.float32)
        before = self._baseline * tf.cast(living, tf.float32)
        means = (before[:, None] + tf.cumsum(rewards, axis=1)) / counts
        self._baseline.assign(means[:, -1])
        return tf.ones([self.runs], tf.bool), means

    def _learn(
        self,
        rows: tf.Tensor,
        rewards: tf.Tensor,
        notes: Mapping[str, tf.Tensor],
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """An update of the controller; whether it was finite, the baseline."""
        config, population = self.config, self.population
        places = population.places_of(notes["parent"])
        baseline = tf.zeros_like(rewards)
        if config.baseline == "parent":
            baseline = tf.gather(population.rewards, places, batch_dims=1)
        elif config.baseline == "moving":
            values = []
            value = self._baseline.read_value()
            for reward in tf.unstack(rewards, axis=1):
                value += (1 - config.baseline_decay) * (reward - value)
                values.append(value)
            self._baseline.assign(value)
            baseline = tf.stack(values, axis=1)
        if not isinstance(self.mutator, MutationController):
            return tf.ones([self.runs], tf.bool), baseline
        parents = tf.gather(population.rows, places, batch_dims=1)
        changed = tf.stack(
            [notes[name] for name in self._offspring.changed], axis=2
        )
        # Places of a block are all different.
        same = tf.equal(changed[..., None], self.plan.members)
        same &= self.plan.is_member
        routes = tf.argmax(
            tf.cast(same, tf.int32), axis=3, output_type=tf.int32
        )
        actions = Actions(routes, tf.gather(rows, changed, batch_dims=2))
        finite = self.mutator.learn(parents, actions, rewards - baseline)
        return finite, baseline

    def finalists(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The best of the last population of the first search, each once."""
        rows, _ = self.population.best()
        return tf.gather(rows, distinct(rows)[: int(count)])

    def sample(self, count: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """As many of them, again from the first if they are few."""
        best = self.finalists(count, seed)
        numbers = np.arange(int(count)) % len(best)
        return tf.gather(best, numbers)

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        return (
            "the mutation controller's loss or its gradient is not finite",
            "Lower --controller_lr in a new run",
        )
