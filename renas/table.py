"""RENAS over a table, put together; see `nascore.baselines.table`."""

import dataclasses
from collections.abc import Sequence

from nascore.baselines import table
from nascore.baselines.table import BenchmarkData, load, summarize
from nascore.process.memory import Need
from nascore.protocols import Reward
from nascore.runs.folder import RunFolder
from nascore.search.many import Parts
from nascore.search.search import Search
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.rewards import ScoreReward, TangentReward
from renas.config import MutationConfig, RenasTableConfig
from renas.strategy import Mutations, needs

__all__ = ["estimate", "load", "make_parts", "make_search", "summarize"]


def estimate(config: RenasTableConfig, data: BenchmarkData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = table.estimate(config, data, base)
    parts = needs(config.strategy, Bench201Space())
    return dataclasses.replace(
        need,
        host={**need.host, **parts},
        turn_down=("--lstm_units", "--embedding_units"),
    )


def make_reward(config: MutationConfig) -> Reward:
    """The reward that settings name."""
    if config.reward_shape == "tangent":
        return TangentReward()
    return ScoreReward()


def make_parts(config: RenasTableConfig, seeds: Sequence[int]) -> Parts:
    """Strategy and reward for the searches of these seeds."""
    settings = config.strategy
    strategy = Mutations(Bench201Space(), settings, seeds)
    return Parts(strategy, make_reward(settings), settings.num_aggregate)


def make_search(
    config: RenasTableConfig,
    run: RunFolder,
    data: BenchmarkData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """See `nascore.baselines.table.make_search`."""
    return table.make_search(config, run, data, checkpoint_minutes, make_parts)
