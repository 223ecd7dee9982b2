"""The strategies of this room by their settings."""

from collections.abc import Sequence
from typing import Any, Protocol

import tensorflow as tf

from nascore.protocols import Strategy
from nascore.spaces.space import Space


class Sampling(Strategy, Protocol):
    """A strategy that also says what it takes for good by now."""

    def sample(self, count: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Rows, int32 `[count, length]`, to be scored after an epoch."""


def check(config: Any) -> None:
    """Checks settings without making anything.

    Args:
      config: as in `make`; of other kinds nothing is known.

    Raises:
      InputError: it needs what is not installed, or names what is not there.
    """
    if getattr(config, "kind", "") == "optuna":
        from nascore.strategies import optuna_sampler

        optuna_sampler.find_sampler(config.sampler)


def make(config: Any, space: Space, seeds: Sequence[int]) -> Sampling:
    """Makes a strategy.

    Args:
      config: of `nascore.strategies.config`.
      space: to search.
      seeds: of the searches, see `nascore.search.many`; a strategy on the
        host is made for one.

    Raises:
      InputError: it cannot search this space, or needs what is missing.
    """
    # What they import is heavy, and some of it an extra.
    if config.kind == "random":
        from nascore.strategies.random import RandomStrategy

        return RandomStrategy(space)
    if config.kind == "reinforce":
        from nascore.strategies.reinforce import Reinforce

        return Reinforce(space, config, seeds)
    if config.kind == "evolution":
        from nascore.strategies.evolution import Evolution

        return Evolution(space, config)
    if config.kind == "local_search":
        from nascore.strategies.local_search import LocalSearch

        return LocalSearch(space, config)
    if config.kind == "optuna":
        from nascore.strategies.optuna_sampler import OptunaStrategy

        return OptunaStrategy(space, config)
    if config.kind == "bohb":
        from nascore.strategies.bohb import Bohb

        return Bohb(space, config)
    raise AssertionError(config)
