"""The strategy of MLPNAS: an LSTM policy that never proposes twice.

Overview paper, sections 4.1 and 4.2: REINFORCE on the architectures of each
epoch, and an accuracy predictor that learns in turn with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import stats

from mlpnas.config import PolicyConfig
from mlpnas.controller import LayerPolicy, Scored, make_policy
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import State, pack, unpack
from nascore.runs.tables import Row
from nascore.seeds import fold_in
from nascore.spaces.perceptrons import PADDING, MlpSpace
from nascore.strategies.policy_gradient import (
    descend_if_finite,
    discounted_returns,
    policy_gradient_loss,
)


class Known(tf.train.experimental.PythonState):
    """What was measured so far, as a part of a checkpoint.

    Args:
      length: integers of a row.

    Attributes:
      rows: int32 `[m, length]`.
      scores: float64 `[m]`.
    """

    def __init__(self, length: int) -> None:
        self.rows = np.zeros([0, length], np.int32)
        self.scores = np.zeros([0])

    def add(self, rows: np.ndarray, scores: np.ndarray) -> None:
        """Joins what was measured."""
        self.rows = np.concatenate([self.rows, rows])
        self.scores = np.concatenate([self.scores, scores])

    def serialize(self) -> bytes:
        """Both arrays as the bytes of an NPZ file."""
        return pack({"rows": self.rows, "scores": self.scores})

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        arrays = unpack(string_value)
        self.rows, self.scores = arrays["rows"], arrays["scores"]


class MlpnasStrategy(tf.Module):
    """See `nascore.protocols.Strategy`.

    Args:
      space: the architectures to choose from.
      config: constants; with a random controller it learns nothing.
    """

    in_graph = False
    columns = ("predicted", "log_prob", "entropy")
    lasting: tuple[str, ...] = ()

    def __init__(self, space: MlpSpace, config: PolicyConfig) -> None:
        super().__init__(name="mlpnas")
        self.space = space
        self.config = config
        self.controller = make_policy(space, config)
        self._uniform = LayerPolicy(space)
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.InverseTimeDecay(
                config.controller_lr, 1, config.controller_decay
            )
        )
        self.optimizer.build(self.controller.variables_to_train)
        self.predictor_optimizer = keras.optimizers.Adam(config.predictor_lr)
        self.predictor_optimizer.build(self.controller.predictor_variables)
        self.known = Known(space.length)
        # Why an update was not made.
        self._fault = ("", "")

    @property
    def state(self) -> State:
        """Weights, moments of the optimizers, and what is known."""
        optimizers = (self.optimizer, self.predictor_optimizer)
        variables = [
            *self.controller.state,
            *(v.value for optimizer in optimizers for v in optimizer.variables),
        ]
        named = {f"weight_{n}": value for n, value in enumerate(variables)}
        return {**named, "known": self.known}

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """Samples architectures that are new, a bounded number of times.

        What is missing then is drawn uniformly; there are fewer only if the
        space has no more.
        """
        rounds = self.config.sampling_rounds
        seen = {tuple(row) for row in self.known.rows.tolist()}
        left = min(int(count), self.space.size() - len(seen))
        new: dict[tuple[int, ...], None] = {}
        by_policy = 0
        for turn in range(2 * rounds):
            if len(new) == left:
                break
            draw = self._draw if turn < rounds else self._draw_uniformly
            for row in draw(tf.constant(count), fold_in(seed, turn)).numpy():
                key = tuple(row.tolist())
                if key not in seen and len(new) < left:
                    new.setdefault(key)
            if turn < rounds:
                by_policy = len(new)
        rows = np.array(list(new), np.int32).reshape(-1, self.space.length)
        if not len(rows):
            return Proposals(rows)
        scored = self._score(tf.constant(rows))
        return Proposals(
            rows,
            {
                "predicted": scored.predicted.numpy(),
                "log_prob": scored.log_probs.numpy().sum(1),
                "entropy": scored.entropy.numpy(),
                "drawn_uniformly": len(new) - by_policy,
            },
        )

    @tf.function(autograph=False)
    def _draw(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return self.controller(count, seed).sequences

    @tf.function(autograph=False)
    def _draw_uniformly(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return self._uniform(count, seed).sequences

    # Epochs can differ in size: one graph for all sizes.
    @tf.function(autograph=False, reduce_retracing=True)
    def _score(self, rows: tf.Tensor) -> Scored:
        return self.controller(sequences=rows)

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, Any]:
        """Trains the policy on these rows, the predictor on all so far.

        The policy's gradient holds for what the policy of today samples.
        """
        rows = np.asarray(proposals.rows)
        scores = np.asarray(measured.score)
        self.known.add(rows, scores)
        losses = {"policy_loss": np.nan, "predictor_error": np.nan}
        healthy = True
        if self.controller.variables_to_train:
            losses["policy_loss"], healthy = self._repeat(
                "policy",
                self.config.controller_steps,
                lambda: self._update_policy(tf.constant(rows), rewards),
            )
        if healthy and self.controller.predictor_variables:
            every = tf.constant(self.known.rows)
            known = tf.constant(self.known.scores, tf.float32)
            losses["predictor_error"], healthy = self._repeat(
                "predictor",
                self.config.predictor_steps,
                lambda: self._update_predictor(every, known),
            )
        predicted = np.asarray(proposals.notes["predicted"])
        correlation = rank_correlation(predicted, scores)
        return {
            "predictor_correlation": correlation,
            **losses,
            "healthy": healthy,
        }

    def _repeat(self, what: str, steps: int, update: Any) -> tuple[float, bool]:
        """The loss before the last update, and whether all were made."""
        loss = np.nan
        for number in range(steps):
            value, made = update()
            loss = float(value)
            if not bool(made):
                self._fault = (
                    f"the {what}'s loss is {loss:g} or its gradient is not "
                    f"finite in update {number + 1}",
                    f"Lower --{_RATES[what]} in a new run",
                )
                return loss, False
        return loss, True

    @tf.function(autograph=False, reduce_retracing=True)
    def _update_policy(
        self, rows: tf.Tensor, rewards: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Loss, and whether the update was made."""
        weights = self.controller.variables_to_train
        lengths = tf.math.count_nonzero(rows != PADDING, axis=1, dtype=tf.int32)
        returns = discounted_returns(
            rewards, lengths, self.space.max_layers, self.config.discount
        )
        with tf.GradientTape() as tape:
            scored = self.controller(sequences=rows)
            loss = policy_gradient_loss(scored.log_probs, returns)
            entropy = tf.reduce_mean(scored.entropy)
            loss -= self.config.entropy_weight * entropy
        gradients = tape.gradient(loss, weights)
        return loss, descend_if_finite(self.optimizer, loss, gradients, weights)

    @tf.function(autograph=False, reduce_retracing=True)
    def _update_predictor(
        self, rows: tf.Tensor, scores: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Error, and whether the update was made."""
        weights = self.controller.predictor_variables
        with tf.GradientTape() as tape:
            predicted = self.controller(sequences=rows).predicted
            error = tf.reduce_mean((predicted - scores) ** 2)
        gradients = tape.gradient(error, weights)
        return error, descend_if_finite(
            self.predictor_optimizer, error, gradients, weights
        )

    def finalists(self, count: int | tf.Tensor, seed: tf.Tensor) -> None:
        """The best that were measured."""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`."""
        return self._fault


_RATES = {"policy": "controller_lr", "predictor": "predictor_lr"}


def rank_correlation(
    predicted: Sequence[float] | np.ndarray, measured: np.ndarray
) -> float:
    """Spearman's rank correlation; NaN where there is none to compute."""
    if not np.isfinite(predicted).all() or len(measured) < 3:
        return float("nan")
    if np.ptp(predicted) == 0 or np.ptp(measured) == 0:
        return float("nan")
    return float(stats.spearmanr(predicted, measured).statistic)
