"""Strategies of the shared room, which search any space."""

from typing import Any

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
