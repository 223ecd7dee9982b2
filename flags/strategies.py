"""Strategies of the shared room, which search any space."""

from typing import Any

from flags.method import Method
from nascore.strategies.config import (
    BohbConfig,
    EvolutionConfig,
    LocalSearchConfig,
    OptunaConfig,
    ReinforceConfig,
)

# But for random draws, by their titles.
STRATEGIES: dict[str, Any] = {
    "regularised evolution": EvolutionConfig(),
    "local search": LocalSearchConfig(),
    "REINFORCE": ReinforceConfig(),
    "Optuna": OptunaConfig(),
    "BOHB": BohbConfig(),
}


def with_each(method: Method, prefix: str) -> dict[str, Method]:
    """A method with each of these strategies, by names that begin alike."""
    return {
        f"{prefix}{strategy.kind}": method.with_strategy(title, strategy)
        for title, strategy in STRATEGIES.items()
    }
