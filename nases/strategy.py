"""The strategy of NASES (Liu, 2019, algorithm 1), of many searches at once.

From a state, the numbers of an architecture, the controller makes a point of
the embedding; the decoder, which is frozen, makes numbers of it, and these an
architecture. What was decoded is the state of the next step.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from nascore import draws
from nascore.process.memory import FLOAT
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.seeds import fold, fold_in
from nascore.spaces.space import Space
from nases.autoencoder import REACH_POINTS, Autoencoder
from nases.code_policy import CodePolicy
from nases.config import BEST, CODE, GAUSSIAN, LAST, EmbeddingConfig
from nases.networks import make_networks
from nases.policies import GaussianPolicy, Policy

# Networks this small would only wait for a GPU.
_DEVICE = "CPU:0"
# Bytes that compiling takes; and copies of what is computed beside weights,
# moments and gradients.
_COMPILER = 250 * 2**20
_COPIES = 5
# Stream of the first state, see `nascore.seeds.fold`.
_FIRST = 166
# Of what `tell` draws, folded into the seed of `ask`.
_NOISE, _STATE, _COIN, _UPDATES = 1, 2, 3, 4


def needs(config: EmbeddingConfig, space: Space[Any]) -> dict[str, int]:
    """Bytes that the strategy of one search takes, by what they are for."""
    reals = config.reals(space)
    networks = make_networks(config, reals, config.embedding_of(space))
    weights = sum(
        rows * units
        for network in networks
        for rows, units in network.shapes.values()
    )
    widest = max(reals.size, config.hidden_units)
    values = reals.blocks.shape[1] * space.length
    counted = REACH_POINTS * (2 * widest + 3 * values)
    return {
        "simulator, decoder and controller": _COMPILER
        + FLOAT * (_COPIES * weights + counted)
    }


def make_policy(
    autoencoder: Autoencoder, config: EmbeddingConfig, runs: int
) -> Policy:
    """The policy that settings name."""
    if config.policy == GAUSSIAN:
        return GaussianPolicy(autoencoder, config, runs)
    if config.policy == CODE:
        return CodePolicy(autoencoder, config, runs)
    return Policy(autoencoder, config, runs)


class Ending(enum.Enum):
    """What is ranked in the end.

    POLICY: the best and fresh ones of the policy; BEST: the best alone;
    MEASURED: all that was measured.
    """

    POLICY = enum.auto()
    BEST = enum.auto()
    MEASURED = enum.auto()


class Chosen(NamedTuple):
    """What is handed from `ask` to `tell`.

    Attributes:
      points: `[R, k, embedding]`.
      vectors: that the decoder made of them, `[R, k, size]`.
      seed: int32 `[R, 2]`.
    """

    points: tf.Tensor
    vectors: tf.Tensor
    seed: tf.Tensor


class EmbeddingSearch(tf.Module):
    """See `nascore.protocols.Strategy`; of many searches at once.

    Columns: `log_density` of a point under the policy, in nats, NaN where
    there is none; `path_1` and `path_2`, a point along the two directions in
    which the codes of random vectors differ most; `random_state`, 1 where
    the controller saw one; `baseline`.

    Args:
      space: to search.
      config: constants.
      seeds: of the searches.
      ending: what is ranked in the end.

    Raises:
      InputError: an embedding larger than what it stands for.
    """

    in_graph = True
    columns = ("log_density", "path_1", "path_2", "random_state", "baseline")
    lasting = ("baseline",)

    def __init__(
        self,
        space: Space[Any],
        config: EmbeddingConfig,
        seeds: Sequence[int],
        ending: Ending = Ending.POLICY,
    ) -> None:
        super().__init__(name="nases")
        self._ending = ending
        self.space = space
        self.config = config
        self.runs = len(seeds)
        with tf.device(_DEVICE):
            self.autoencoder = Autoencoder(space, config, seeds)
            self.policy = make_policy(self.autoencoder, config, self.runs)
            starts = {
                "state": self._first(seeds),
                "first_state": self._first(seeds),
                "best_state": self._first(seeds),
                "best_score": tf.fill([self.runs], -float("inf")),
                "best_row": tf.zeros([self.runs, space.length], tf.int32),
                "random_state": tf.ones([self.runs]),
                "axes": tf.zeros([self.runs, self.autoencoder.embedding, 2]),
                "step": tf.constant(0),
            }
            self._own = {
                name: tf.Variable(value, trainable=False, name=name)
                for name, value in starts.items()
            }
        # For whoever asks outside of a graph.
        self._compiled_ask = tf.function(self._ask, autograph=False)
        self._compiled_tell = tf.function(self._tell, autograph=False)

    def _first(self, seeds: Sequence[int]) -> tf.Tensor:
        """The first states: uniform vectors, `[R, 1, size]`."""
        size = self.autoencoder.reals.size
        drawn = [draws.uniform([1, size], fold(s, _FIRST)) for s in seeds]
        return tf.stack(drawn)

    @property
    def state(self) -> State:
        """Networks, and where the searches are."""
        return {**self.autoencoder.state, **self.policy.state, **self._own}

    def begin(self) -> None:
        """Takes over the simulator as the controller, when it is trained."""
        with tf.device(_DEVICE):
            self.policy.begin()
            self._own["axes"].assign(self.autoencoder.axes())

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`; nothing is trained yet."""
        self.autoencoder.restart(seeds)
        for name in ("state", "first_state", "best_state"):
            self._own[name].assign(self._first(seeds))
        self._own["best_score"].assign(tf.fill([self.runs], -float("inf")))
        self._own["best_row"].assign(tf.zeros_like(self._own["best_row"]))
        self._own["random_state"].assign(tf.ones([self.runs]))
        self._own["step"].assign(0)
        self.begin()

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Asks for rows of each search; of seeds `[R, 2]` by its own."""
        if tf.inside_function():
            return self._ask(count, seed)
        return self._compiled_ask(count, tf.convert_to_tensor(seed, tf.int32))

    def _ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        with tf.device(_DEVICE):
            state = self._own["state"].read_value()
            points, density = self.policy.points(
                state, count, fold_in(seed, _NOISE)
            )
            vectors = self.autoencoder.decode(points)
            rows = self.autoencoder.rows(vectors)
            path = points @ self._own["axes"]
        if isinstance(count, int):
            rows = tf.ensure_shape(rows, [self.runs * count, self.space.length])
        random_state = tf.repeat(
            self._own["random_state"][:, None], tf.shape(points)[1], axis=1
        )
        columns = (density, path[..., 0], path[..., 1], random_state)
        notes = {
            name: tf.reshape(values, [-1])
            for name, values in zip(self.columns, columns, strict=False)
        }
        seeds = tf.reshape(seed, [self.runs, 2])
        return Proposals(rows, notes, memo=Chosen(points, vectors, seeds))

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, Any]:
        """Learns, and chooses the state of the next step."""
        chosen = proposals.memo
        if proposals.places is not None:
            # Some were lost, which no stacked search knows.
            found = tf.constant(proposals.places, tf.int32)
            chosen = chosen._replace(
                points=tf.gather(chosen.points, found, axis=1),
                vectors=tf.gather(chosen.vectors, found, axis=1),
            )
        arguments = (
            chosen,
            tf.convert_to_tensor(proposals.rows),
            tf.cast(measured.score, tf.float32),
            tf.cast(rewards, tf.float32),
        )
        if tf.inside_function():
            return self._tell(*arguments)
        return self._compiled_tell(*arguments)

    def _tell(
        self,
        chosen: Chosen,
        rows: tf.Tensor,
        scores: tf.Tensor,
        rewards: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """See `tell`."""
        own = self._own
        scores, rewards = (
            tf.reshape(values, [self.runs, -1]) for values in (scores, rewards)
        )
        with tf.device(_DEVICE):
            before = own["state"].read_value()
            self._remember(chosen.vectors, rows, scores)
            following, is_random = self._following(chosen)
            step = own["step"].read_value()
            finite, baseline = self.policy.learn(
                before,
                chosen.points,
                rewards,
                following,
                step,
                fold_in(chosen.seed, _UPDATES),
            )
            own["state"].assign(following)
            own["random_state"].assign(is_random)
            own["step"].assign_add(1)
        count = tf.shape(rewards)[1]
        healthy = tf.repeat(finite, count) if self.runs > 1 else finite[0]
        return {"baseline": tf.reshape(baseline, [-1]), "healthy": healthy}

    def _remember(
        self, vectors: tf.Tensor, rows: tf.Tensor, scores: tf.Tensor
    ) -> None:
        """Keeps the best of each search; of equals the earlier one."""
        own = self._own
        rows = tf.reshape(rows, [self.runs, -1, self.space.length])
        place = tf.argmax(scores, axis=1)
        best = tf.gather(scores, place, batch_dims=1)
        better = best > own["best_score"]
        found = {
            "best_state": tf.gather(vectors, place, batch_dims=1)[:, None],
            "best_row": tf.gather(rows, place, batch_dims=1),
            "best_score": best,
        }
        for name, values in found.items():
            shape = [-1] + [1] * (values.shape.rank - 1)
            chosen = tf.where(tf.reshape(better, shape), values, own[name])
            own[name].assign(chosen)

    def _following(self, chosen: Chosen) -> tuple[tf.Tensor, tf.Tensor]:
        """The state of the next step, and whether it is random, `[R]`."""
        config, own = self.config, self._own
        state = own["first_state"].read_value()
        if config.state == LAST:
            state = chosen.vectors[:, -1:]
        elif config.state == BEST:
            state = own["best_state"].read_value()
        size = self.autoencoder.reals.size
        seeds = chosen.seed

        def drawn(width: int, number: int) -> tf.Tensor:
            values = draws.of_each(
                lambda one: draws.uniform([1, width], one),
                fold_in(seeds, number),
            )
            return tf.reshape(values, [self.runs, 1, width])

        coin = drawn(1, _COIN)
        is_random = coin < config.random_states
        is_best = coin >= 1 - config.best_states
        is_best &= own["best_score"][:, None, None] > -float("inf")
        if config.cycle:
            after = (own["step"] + 1) % config.cycle
            is_random |= after < config.cycle_random
        state = tf.where(is_best, own["best_state"], state)
        state = tf.where(is_random, drawn(size, _STATE), state)
        return state, tf.cast(is_random[:, 0, 0], tf.float32)

    @tf.function(autograph=False)
    def sample(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Fresh rows of the policy of one search, int32 `[count, length]`.

        The public code's policy has one point in a state: its states are
        random here.
        """
        if not isinstance(self.policy, CodePolicy):
            return self._ask(count, seed).rows
        size = self.autoencoder.reals.size
        states = draws.uniform([count, size], fold_in(seed, _STATE))[None]
        decoded = self.autoencoder.decode(self.policy(states))
        return self.autoencoder.rows(decoded)

    def finalists(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor | None:
        """The best that was measured, and fresh ones; see `Ending`."""
        if self._ending is Ending.MEASURED:
            return None
        known = self._own["best_score"][:1] > -float("inf")
        best = tf.boolean_mask(self._own["best_row"][:1], known)
        if self._ending is Ending.BEST:
            return best
        return tf.concat([best, self.sample(count - 1, seed)], axis=0)

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        return (
            "the controller's loss or its gradient is not finite",
            "Lower --controller_lr, or raise --sigma, in a new run",
        )
