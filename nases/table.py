"""NASES over a table, put together; see `nascore.baselines.table`."""

import dataclasses
from collections.abc import Sequence

from nascore.baselines import table
from nascore.baselines.table import BenchmarkData, load, summarize
from nascore.process.memory import Need
from nascore.runs.folder import RunFolder
from nascore.search.many import Parts
from nascore.search.search import Search
from nascore.spaces.bench201 import Bench201Space
from nases.config import NasesTableConfig
from nases.pretraining import Pretrain, Pretrained
from nases.rewards import make_reward
from nases.strategy import EmbeddingSearch, needs

__all__ = ["estimate", "load", "make_parts", "make_search", "summarize"]


def estimate(config: NasesTableConfig, data: BenchmarkData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = table.estimate(config, data, base)
    parts = needs(config.strategy, Bench201Space())
    return dataclasses.replace(
        need, host={**need.host, **parts}, turn_down=("--hidden_units",)
    )


def make_parts(config: NasesTableConfig, seeds: Sequence[int]) -> Parts:
    """Strategy and reward for the searches of these seeds, pre-trained."""
    settings = config.strategy
    strategy = Pretrained(Bench201Space(), settings, seeds)
    return Parts(strategy, make_reward(settings.reward_form))


def make_search(
    config: NasesTableConfig,
    run: RunFolder,
    data: BenchmarkData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """See `nascore.baselines.table.make_search`; the first phase trains.

    Raises:
      InputError: settings that do not fit the run folder.
    """
    settings = config.strategy

    def make(_: NasesTableConfig, seeds: Sequence[int]) -> Parts:
        strategy = EmbeddingSearch(Bench201Space(), settings, seeds)
        return Parts(strategy, make_reward(settings.reward_form))

    return table.make_search(
        config,
        run,
        data,
        checkpoint_minutes,
        make,
        before=lambda strategy: [Pretrain(strategy)],
    )
