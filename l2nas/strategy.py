"""The strategies of L2NAS (Mills et al., 2021): with networks and without."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow.experimental.numpy as tnp

from l2nas.actor_critic import DEVICE, ActorCritic
from l2nas.config import L2nasConfig, StateConfig
from l2nas.history import BestList, Replay
from nascore import draws
from nascore.process.memory import FLOAT
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.spaces.relaxation import relax
from nascore.spaces.space import Space

# Bytes that compiling takes; measured.
_COMPILER = 450 * 2**20
# Copies of weights and of both their means while they are updated.
_COPIES = 4


def needs(config: L2nasConfig, space: Space[Any]) -> dict[str, int]:
    """Bytes that the strategy of one run takes, by what they are for."""
    size = relax(space).size
    units, layers = config.hidden_units, config.hidden_layers
    inside = (layers - 1) * (units + 1) * units
    # Of the actor, and of the critic, whose output is one number.
    weights = sum(
        (size + 1) * units + inside + (units + 1) * outputs
        for outputs in (size, 1)
    )
    # Weights, mean gradients and mean squares.
    networks = 3 * FLOAT * weights * _COPIES
    replay = FLOAT * config.replay_size * (2 * size + 1)
    best = FLOAT * config.top_k * space.length
    return {
        "actor and critic": _COMPILER + networks,
        "what they learn from": replay + best,
    }


class Asked(NamedTuple):
    """What is handed from `ask` to `tell`.

    Attributes:
      states: at the time, `[runs, size]`.
      actions: `[runs, size]`.
      places: random, from 0 to 1, `[runs, ...]`; of what is learned from.
    """

    states: tf.Tensor
    actions: tf.Tensor
    places: tf.Tensor


def epsilon(config: StateConfig, step: tf.Tensor) -> tf.Tensor:
    """The share of random architectures, a float32 scalar.

    Args:
      config: the schedule.
      step: int32 scalar, architectures before.
    """
    after = tf.cast(step - config.random_steps, tf.float32)
    way = tf.clip_by_value(after / max(config.epsilon_steps, 1), 0.0, 1.0)
    if not config.epsilon_steps:
        way = tf.ones([])
    reach = config.epsilon_start - config.epsilon_end
    share = config.epsilon_end + reach * (1 + tf.cos(math.pi * way)) / 2
    return tf.where(after < 0, 1.0, share)


class StateStrategy(tf.Module):
    """Draws from the state of L2NAS, without its networks.

    Each choice is drawn from its frequencies among the best architectures;
    the share of random ones is that of L2NAS. Ours: what of L2NAS is due to
    its networks shows in the difference.

    See `nascore.protocols.Strategy`; each `ask` is for one row of each run.

    Args:
      space: the architectures to choose from.
      config: constants.
      seeds: of the runs.

    Raises:
      InputError: a space without a relaxation to numbers.
    """

    in_graph = True
    columns: tuple[str, ...] = ("epsilon", "explored")
    lasting: tuple[str, ...] = ("epsilon",)
    # Random numbers that `tell` needs in each run.
    _told_draws = 0

    def __init__(
        self, space: Space[Any], config: StateConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(name=config.kind)
        self.space = space
        self.config = config
        self.runs = len(seeds)
        self._relaxation = relax(space)
        self.size = self._relaxation.size
        self.best = BestList(
            self._relaxation, self.runs, config.top_k, space.length
        )
        with tf.device(DEVICE):
            self._step = tf.Variable(0, trainable=False, name="step")

    @property
    def state(self) -> State:
        """The best architectures, and how many there were."""
        return {**self.best.state, "step": self._step}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        self.best.restart()
        self._step.assign(0)

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Proposes one row of each run; of seeds `[runs, 2]` with its own."""
        size = self.size
        parts = [1, size, self._told_draws]
        drawn = draws.of_each(
            lambda one: draws.uniform([1, sum(parts)], one), seed
        )
        drawn = tf.reshape(drawn, [self.runs, sum(parts)])
        coin, noise, places = tf.split(drawn, parts, axis=1)
        states = self.best.frequencies()
        share = epsilon(self.config, self._step)
        explores = self._explores(coin < share, states)
        actions = tf.where(explores, noise, self._act(states, noise))
        rows = tf.cast(self._relaxation.rows(actions, tnp), tf.int32)
        notes = {
            "epsilon": tf.fill([self.runs], share),
            "explored": tf.cast(explores[:, 0], tf.float32),
            **self._note(actions),
        }
        return Proposals(rows, notes, memo=Asked(states, actions, places))

    def _explores(self, drawn: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
        """Whether an architecture is random, bool `[runs, 1]`."""
        # Of no architecture there are no frequencies.
        return drawn | (tf.reduce_sum(states, axis=1, keepdims=True) <= 0)

    def _act(self, states: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        """Actions that follow from states.

        Args:
          states: `[runs, size]`.
          noise: from 0 to 1, likewise.
        """
        # The Gumbel-max trick; what nobody chose is out of reach.
        inside = tf.clip_by_value(noise, 2.0**-25, 1 - 2.0**-24)
        gumbel = -tf.math.log(-tf.math.log(inside))
        return tf.math.log(tf.maximum(states, 1e-30)) + gumbel

    def _note(self, actions: tf.Tensor) -> dict[str, tf.Tensor]:
        """More columns of what is proposed, `[runs]` each."""
        return {}

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, Any]:
        """Learns of one row of each run."""
        scores = tf.cast(measured.score, tf.float32)
        self.best.add(proposals.rows, scores)
        told = self._learn(proposals.memo, rewards)
        self._step.assign_add(1)
        return told

    def _learn(self, asked: Asked, rewards: tf.Tensor) -> dict[str, Any]:
        """See `Strategy.tell`."""
        return {"healthy": tf.constant(True)}

    def finalists(self, count: int, seed: tf.Tensor) -> tf.Tensor:
        """The best of the first run, best first."""
        held = self.best.scores[0] > -float("inf")
        return tf.boolean_mask(self.best.rows[0], held)[: int(count)]

    @tf.function(autograph=False)
    def sample(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws from the best of the first run, int32 `[count, length]`."""
        held = tf.math.count_nonzero(
            self.best.scores[0] > -float("inf"), dtype=tf.int32
        )
        places = draws.below(tf.maximum(held, 1), [count], seed)
        return tf.gather(self.best.rows[0], places)

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`; there is no update that could fail."""
        raise AssertionError(row)


class L2nasStrategy(StateStrategy):
    """The actor proposes, the critic values.

    Args:
      space: the architectures to choose from.
      config: constants.
      seeds: of the runs.

    Raises:
      InputError: a space without a relaxation to numbers.
    """

    columns = ("epsilon", "explored", "value", "critic_loss")
    lasting = ("epsilon", "critic_loss")
    config: L2nasConfig

    def __init__(
        self, space: Space[Any], config: L2nasConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(space, config, seeds)
        self._told_draws = config.max_updates * config.replay_batch
        self.networks = ActorCritic(config, self.size, seeds)
        self.replay = Replay(self.runs, config.replay_size, self.size)

    @property
    def state(self) -> State:
        """All that is learned and remembered."""
        networks, replay = self.networks.state, self.replay.state
        return {**super().state, **networks, **replay}

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        super().restart(seeds)
        self.networks.restart(seeds)
        self.replay.restart()

    def _explores(self, drawn: tf.Tensor, states: tf.Tensor) -> tf.Tensor:
        return drawn

    def _act(self, states: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        reach = self.config.action_noise
        return self.networks.propose(states) + reach * (2 * noise - 1)

    def _note(self, actions: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"value": self.networks.values(actions)}

    def _learn(self, asked: Asked, rewards: tf.Tensor) -> dict[str, Any]:
        config = self.config
        self.replay.add(self._step, asked.states, asked.actions, rewards)
        held = self.replay.held(self._step + 1)
        count = tf.minimum(held // config.replay_batch, config.max_updates)
        shape = [self.runs, config.max_updates, config.replay_batch]
        places = tf.reshape(asked.places, shape) * tf.cast(held, tf.float32)
        slots = tf.minimum(tf.cast(places, tf.int32), held - 1)
        batches = self.replay.batches(tf.transpose(slots, [1, 0, 2]))
        loss, finite = self.networks.learn(batches, count)
        return {"critic_loss": loss, "healthy": finite}

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        return (
            "the critic's loss or a weight of its networks is not finite",
            "Lower --critic_lr or --actor_lr in a new run",
        )
