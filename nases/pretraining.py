"""The training of simulator and decoder before a search (section 4.1)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.errors import RunStopped
from nascore.protocols import Columns
from nascore.runs.checkpoints import State
from nascore.runs.tables import Row
from nascore.spaces.space import Space
from nases.autoencoder import REACH_POINTS, ROUND, Autoencoder
from nases.config import AutoencoderConfig, EmbeddingConfig
from nases.strategy import EmbeddingSearch

NAME = "pretraining"
# Points that say whether a decoder reaches more than one architecture.
_FEW_POINTS = 1000
_NOT_FINITE = (
    "the autoencoder's loss or its gradient is not finite",
    "Lower --pretrain_lr in a new run",
)
_ONE_ARCHITECTURE = (
    "the decoder reaches one architecture only, whatever point of the "
    "embedding it gets, so there is nothing to search",
    "Raise --pretrain_steps, --hidden_units or --embedding in a new run",
)
# Weights of networks that are trained, by all that they depend on; some
# megabytes for a stack of a hundred.
_TRAINED: dict[tuple[Any, ...], dict[str, np.ndarray]] = {}
_MOST_TRAINED = 16


def rounds(config: AutoencoderConfig) -> list[int]:
    """Training steps of each round."""
    whole, rest = divmod(config.pretrain_steps, ROUND)
    return [ROUND] * whole + [rest] * bool(rest)


class Pretrain(tf.Module):
    """A phase before the first epoch; see `nascore.protocols.Phase`.

    Its first step measures the untrained networks, each other one trains
    them for a round. Its rows: `trained`, training steps so far;
    `train_loss`, the mean over the round, NaN for the first;
    `held_out_loss`, both mean squared errors; `reach`, distinct
    architectures of 10,000 uniform points of the embedding.

    Args:
      strategy: whose networks are trained; of one search.
    """

    name = NAME
    stretch = 1
    weight = 1
    timed = True

    def __init__(self, strategy: EmbeddingSearch) -> None:
        super().__init__(name=NAME)
        self._strategy = strategy
        self._autoencoder: Autoencoder = strategy.autoencoder
        self._rounds = rounds(strategy.config)
        self._said = ""

    @property
    def state(self) -> State:
        """The networks are a part of the strategy's."""
        return {}

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return 0 if epoch else 1 + len(self._rounds)

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`; one step."""
        loss = math.nan
        if start:
            steps = self._rounds[start - 1]
            trained = self._autoencoder.train(
                tf.constant(start), tf.constant(steps)
            )
            loss = float(trained[0])
        (reach,) = self._autoencoder.reach()
        held_out = float(self._autoencoder.held_out_loss()[0])
        is_last = stop == 1 + len(self._rounds)
        finite = math.isfinite(held_out) and (not start or math.isfinite(loss))
        if is_last and finite:
            self._strategy.begin()
        healthy = finite and (reach > 1 or not is_last)
        values = {
            "trained": sum(self._rounds[:start]),
            "train_loss": loss,
            "held_out_loss": held_out,
            "reach": reach,
            "healthy": healthy,
        }
        return {name: np.array([value]) for name, value in values.items()}

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`; its own table has all of it."""
        last = rows[-1]
        self._said = (
            f"decoder reaches {int(last['reach']):,} architectures of "
            f"{REACH_POINTS:,} points"
        )
        return {}

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        return self._said

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        return ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        if int(row["reach"]) == 1 and math.isfinite(row["held_out_loss"]):
            return _ONE_ARCHITECTURE
        return _NOT_FINITE


class Pretrained(EmbeddingSearch):
    """Searches whose networks are trained when they begin, without a table.

    Raises:
      RunStopped: a number is not finite, or a decoder reaches nothing.
    """

    def __init__(
        self, space: Space[Any], config: EmbeddingConfig, seeds: Sequence[int]
    ) -> None:
        super().__init__(space, config, seeds)
        self._train(seeds)

    def restart(self, seeds: Sequence[int]) -> None:
        """See `nascore.search.many.Restarts`."""
        super().restart(seeds)
        self._train(seeds)

    def _train(self, seeds: Sequence[int]) -> None:
        """Trains, or takes what was trained from the same seeds before.

        Other columns of a table, and other policies, begin with it, too.
        """
        key = (self.space, self.config.alone, *seeds)
        if key not in _TRAINED:
            self._train_anew(seeds)
            while len(_TRAINED) >= _MOST_TRAINED:
                del _TRAINED[next(iter(_TRAINED))]
            _TRAINED[key] = self.autoencoder.snapshot()
        self.autoencoder.take(_TRAINED[key])
        self.begin()

    def _train_anew(self, seeds: Sequence[int]) -> None:
        for number, steps in enumerate(rounds(self.config), 1):
            places = tf.constant(number), tf.constant(steps)
            loss = self.autoencoder.train(*places).numpy()
            _check(np.isfinite(loss), seeds, _NOT_FINITE)
        reach = np.array(self.autoencoder.reach(_FEW_POINTS))
        _check(reach > 1, seeds, _ONE_ARCHITECTURE)


def _check(
    fine: np.ndarray, seeds: Sequence[int], fault: tuple[str, str]
) -> None:
    if not fine.all():
        what, mend = fault
        seed = seeds[int(np.argmin(fine))]
        raise RunStopped(f"seed {seed}: {what}. {mend}")
