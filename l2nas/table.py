"""L2NAS over a table, put together; see `nascore.baselines.table`."""

import dataclasses
from collections.abc import Sequence

from l2nas.config import L2nasConfig, L2nasTableConfig
from l2nas.rewards import make_reward
from l2nas.strategy import L2nasStrategy, StateStrategy, needs
from l2nas.transfer import PretrainedStrategy
from nascore.baselines import table
from nascore.baselines.config import TableMethodConfig
from nascore.baselines.table import BenchmarkData, summarize
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.table import accuracies
from nascore.evaluators.nasbench201.tabular import Tabular
from nascore.process.memory import Need
from nascore.protocols import Reward
from nascore.runs.folder import RunFolder
from nascore.search.many import Parts
from nascore.search.search import Search
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_parts", "make_search", "summarize"]


def load(config: TableMethodConfig) -> BenchmarkData:
    """See `nascore.search.assemble.Assembly`.

    Raises:
      InputError: a table that is damaged.
    """
    data = table.load(config)
    return data._replace(notes=(*data.notes, *_notes(config)))


def _notes(config: TableMethodConfig) -> list[str]:
    """What whoever starts a search is to know."""
    notes: list[str] = []
    if not isinstance(config, L2nasTableConfig):
        return notes
    if config.transfer.pretrain_dataset:
        notes.append(
            f"{config.transfer.pretrain_queries:,} queries on "
            f"{config.transfer.pretrain_dataset} come first, and do not count"
        )
    strategy = config.strategy
    if strategy.reward_form == "relative" and not strategy.reference_accuracy:
        notes.append(
            "rewards are relative to the best accuracy in the table "
            "(--reference_accuracy=0), which a search without one cannot know"
        )
    return notes


def estimate(config: TableMethodConfig, data: BenchmarkData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = table.estimate(config, data, base)
    if not isinstance(config, L2nasTableConfig):
        return need
    parts = needs(config.strategy, Bench201Space())
    return dataclasses.replace(
        need,
        host={**need.host, **parts},
        turn_down=("--hidden_units", "--replay_size"),
    )


def make_parts(config: TableMethodConfig, seeds: Sequence[int]) -> Parts:
    """Makes strategy and reward for the searches of these seeds."""
    space = Bench201Space()
    if not isinstance(config, L2nasTableConfig):
        strategy = StateStrategy(space, config.strategy, seeds)
        return Parts(strategy, ScoreReward())
    settings = config.strategy
    reward = _reward(settings, config.table)
    transfer = config.transfer
    if not transfer.pretrain_dataset:
        return Parts(L2nasStrategy(space, settings, seeds), reward)
    before = dataclasses.replace(
        config.table,
        dataset=transfer.pretrain_dataset,
        search_dataset="same",
    )
    pretrained = PretrainedStrategy(
        space,
        settings,
        seeds,
        Tabular(before),
        _reward(dataclasses.replace(settings, reference_accuracy=0.0), before),
        transfer.pretrain_queries,
    )
    return Parts(pretrained, reward)


def _reward(config: L2nasConfig, looked_up: TableConfig) -> Reward:
    """Where no reference is given it is the best of what is searched."""
    best = float(accuracies(looked_up.searched).max())
    return make_reward(config, best)


def make_search(
    config: TableMethodConfig,
    run: RunFolder,
    data: BenchmarkData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """See `nascore.baselines.table.make_search`."""
    return table.make_search(config, run, data, checkpoint_minutes, make_parts)
