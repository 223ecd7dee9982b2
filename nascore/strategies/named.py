"""The strategies of this room by their settings."""

from collections.abc import Sequence
from typing import Any

from nascore.protocols import Strategy
from nascore.spaces.space import Space


def make(config: Any, space: Space, seeds: Sequence[int]) -> Strategy:
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
