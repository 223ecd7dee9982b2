"""The reward of I-ENAS over the table of NAS-Bench-201.

The accuracies are looked up, each of a whole set: what the mean of the last
ones takes away here is no noise of a batch.
"""

from collections.abc import Sequence

import enas.table
from enas.config import OperationControllerConfig
from ienas.config import TableIenasConfig
from ienas.reward import RelativeReward
from nascore.baselines import table
from nascore.baselines.table import (
    BenchmarkData,
    estimate,
    load,
    summarize,
)
from nascore.runs.folder import RunFolder
from nascore.search.many import Parts
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_parts", "make_search", "summarize"]


def make_parts(config: TableIenasConfig, seeds: Sequence[int]) -> Parts:
    """A strategy by its settings, told relative rewards.

    Args:
      config: its strategy is that of ENAS, or one of
        `nascore.strategies.config`.
      seeds: of the searches.
    """
    is_enas = isinstance(config.strategy, OperationControllerConfig)
    make = enas.table.make_parts if is_enas else table.make_parts
    parts = make(config, seeds)
    runs = len(seeds) if len(seeds) > 1 else None
    return parts._replace(
        reward=RelativeReward(parts.reward, config.reward, runs)
    )


def make_search(
    config: TableIenasConfig,
    run: RunFolder,
    data: BenchmarkData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search in a run folder; see `nascore.baselines.table`."""
    kind = config.strategy.kind
    method = "ienas" if kind == "enas" else f"{kind}_relative"
    return table.make_search(
        config, run, data, checkpoint_minutes, make_parts, f"bench201_{method}"
    )
