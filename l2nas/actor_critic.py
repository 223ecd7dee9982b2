"""The actor and the critic of L2NAS (Mills et al., 2021)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from l2nas.config import L2nasConfig
from l2nas.networks import Adam, Layers, Weights, gradients, input_gradient
from nascore.runs.checkpoints import State

# Streams of the initial weights, see `nascore.seeds.fold`.
ACTOR, CRITIC = 100, 101
# Networks this small would only wait for a GPU.
DEVICE = "CPU:0"


class Batches(NamedTuple):
    """What some updates learn from.

    Attributes:
      states: float32 `[updates, runs, n, size]`.
      actions: likewise.
      rewards: float32 `[updates, runs, n]`.
    """

    states: tf.Tensor
    actions: tf.Tensor
    rewards: tf.Tensor


def check_loss(
    rewards: tf.Tensor, values: tf.Tensor, tau: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """The check loss of quantile regression, and its gradient.

    Args:
      rewards: `[runs, n]`.
      values: of the critic, `[runs, n]`.
      tau: the quantile.

    Returns:
      Mean loss `[runs]`; its gradient for the values, `[runs, n]`.
    """
    errors = rewards - values
    slopes = tau - tf.cast(errors <= 0, tf.float32)
    count = tf.cast(tf.shape(errors)[1], tf.float32)
    return tf.reduce_mean(errors * slopes, axis=1), -slopes / count


class ActorCritic(tf.Module):
    """Both networks of many runs, and how they learn.

    The critic knows an action, not the state; there is no discount and no
    target network, for it learns the reward of one step. The actor ascends
    the critic's mean value of its own actions.

    Args:
      config: constants.
      size: numbers of a state, and of an action.
      seeds: of the runs.
    """

    def __init__(
        self, config: L2nasConfig, size: int, seeds: Sequence[int]
    ) -> None:
        super().__init__(name="actor_critic")
        self.config = config
        hidden = [config.hidden_units] * config.hidden_layers
        self.actor = Layers([size, *hidden, size])
        self.critic = Layers([size, *hidden, 1])
        betas = config.beta_1, config.beta_2
        self._train_actor = Adam(config.actor_lr, *betas)
        self._train_critic = Adam(config.critic_lr, *betas)
        starts = self._starts(seeds)
        with tf.device(DEVICE):
            # Of each: weights, mean gradients, mean squares.
            self._learned = {
                name: tf.Variable(
                    tf.stack([start, *[tf.zeros_like(start)] * 2]),
                    trainable=False,
                    name=name,
                )
                for name, start in starts.items()
            }
            self._updates = tf.Variable(0, trainable=False, name="updates")
        self._learn = tf.function(
            self._learn_in_turn,
            autograph=False,
            jit_compile=tf.test.is_built_with_xla(),
        )

    def _starts(self, seeds: Sequence[int]) -> dict[str, tf.Tensor]:
        return {
            "actor": self.actor.start(seeds, ACTOR),
            "critic": self.critic.start(seeds, CRITIC),
        }

    @property
    def state(self) -> State:
        """All that is learned."""
        return {**self._learned, "updates": self._updates}

    def restart(self, seeds: Sequence[int]) -> None:
        """Begins as if it were made for these seeds."""
        for name, start in self._starts(seeds).items():
            zeros = tf.zeros_like(start)
            self._learned[name].assign(tf.stack([start, zeros, zeros]))
        self._updates.assign(0)

    def take_over(self, other: "ActorCritic") -> None:
        """Goes on with what another one, of the same sizes, has learned."""
        for name, variable in other.state.items():
            self.state[name].assign(variable)

    def propose(self, states: tf.Tensor) -> tf.Tensor:
        """The actor's actions without noise: `[runs, size]` of as many."""
        weights = self.actor.part(self._learned["actor"][0])
        passed = self.actor(weights, states[:, None])
        return tf.sigmoid(passed.output[:, 0])

    def values(self, actions: tf.Tensor) -> tf.Tensor:
        """The critic's values of actions `[runs, size]`, `[runs]`."""
        weights = self.critic.part(self._learned["critic"][0])
        return self.critic(weights, actions[:, None]).output[:, 0, 0]

    def learn(
        self, batches: Batches, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Updates the critic, then the actor, with each of some batches.

        Nothing changes if what comes out is not finite.

        Args:
          batches: at least so many.
          count: int32 scalar, how many are learned from.

        Returns:
          Mean check loss `[runs]`, NaN if there was no update; bool scalar,
          whether all is finite.
        """
        with tf.device(DEVICE):
            return self._learn(batches, count)

    def _learn_in_turn(
        self, batches: Batches, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        def update(
            place: tf.Tensor,
            total: tf.Tensor,
            actor: list[Weights],
            critic: list[Weights],
        ) -> tuple[tf.Tensor, tf.Tensor, list[Weights], list[Weights]]:
            batch = Batches(*(values[place] for values in batches))
            number = tf.cast(done + place + 1, tf.float32)
            loss, gradient = self.critic_gradients(critic[0], batch)
            critic = self._train_critic(critic, gradient, number)
            gradient = self.actor_gradients(actor[0], critic[0], batch)
            actor = self._train_actor(actor, gradient, number)
            return place + 1, total + loss, actor, critic

        done = self._updates.read_value()
        start = {
            name: value.read_value() for name, value in self._learned.items()
        }
        _, total, *learned = tf.while_loop(
            lambda place, *_: place < count,
            update,
            (
                tf.constant(0),
                tf.zeros_like(batches.rewards[0, :, 0]),
                _parted(self.actor.part, start["actor"]),
                _parted(self.critic.part, start["critic"]),
            ),
            maximum_iterations=batches.rewards.shape[0],
        )
        ends = {
            name: tf.stack([layers.join(part) for part in parts])
            for name, layers, parts in zip(
                ("actor", "critic"),
                (self.actor, self.critic),
                learned,
                strict=True,
            )
        }
        sums = [tf.reduce_sum(end) for end in ends.values()]
        finite = tf.math.is_finite(tf.add_n([*sums, tf.reduce_sum(total)]))
        for name, end in ends.items():
            self._learned[name].assign(tf.where(finite, end, start[name]))
        self._updates.assign(tf.where(finite, done + count, done))
        return total / tf.cast(count, tf.float32), finite

    def critic_gradients(
        self, weights: Weights, batch: Batches
    ) -> tuple[tf.Tensor, Weights]:
        """Check loss `[runs]` of a batch, and its gradients.

        Args:
          weights: of the critic.
          batch: `[runs, n, ...]`.
        """
        passed = self.critic(weights, batch.actions)
        loss, slopes = check_loss(
            batch.rewards, passed.output[:, :, 0], self.config.tau
        )
        return loss, gradients(weights, passed, slopes[:, :, None])

    def actor_gradients(
        self, weights: Weights, critic: Weights, batch: Batches
    ) -> Weights:
        """Gradients of minus the mean value of the actor's own actions.

        Args:
          weights: of the actor.
          critic: weights of the critic.
          batch: `[runs, n, ...]`.
        """
        passed = self.actor(weights, batch.states)
        actions = tf.sigmoid(passed.output)
        valued = self.critic(critic, actions)
        count = tf.cast(tf.shape(actions)[1], tf.float32)
        upstream = -tf.ones_like(valued.output) / count
        upstream = input_gradient(critic, valued, upstream)
        upstream *= actions * (1 - actions)
        return gradients(weights, passed, upstream)


def _parted(
    part: Callable[[tf.Tensor], Weights], learned: tf.Tensor
) -> list[Weights]:
    """Weights and both means `[3, runs, count]`, in layers each."""
    return [part(values) for values in tf.unstack(learned)]
