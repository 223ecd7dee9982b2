"""ENAS over the table of NAS-Bench-201: its policy, without shared weights.

The published constants are made for searches of 45,000 evaluations. In 1,000
queries the policy hardly moves: it is ahead of uniform draws because its
biases prefer convolutions (`--controller_lr=0` is as far ahead), and their
logits, at the end of the tanh, learn next to nothing.
"""

from collections.abc import Sequence

from enas.config import TableEnasConfig
from enas.operation_controller import OperationController
from nascore.baselines import table
from nascore.baselines.config import TableMethodConfig
from nascore.baselines.table import (
    BenchmarkData,
    estimate,
    load,
    summarize,
)
from nascore.runs.folder import RunFolder
from nascore.search.many import Parts
from nascore.search.search import Search
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_parts", "make_search", "summarize"]


def make_parts(config: TableMethodConfig, seeds: Sequence[int]) -> Parts:
    """Policy and reward of the searches of these seeds.

    Args:
      config: its strategy is an `OperationControllerConfig`.
      seeds: of the searches.
    """
    policy = config.strategy
    strategy = OperationController(Bench201Space(), policy, seeds)
    return Parts(strategy, ScoreReward(), policy.num_aggregate)


def make_search(
    config: TableEnasConfig,
    run: RunFolder,
    data: BenchmarkData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search in a run folder; see `nascore.baselines.table`."""
    return table.make_search(
        config, run, data, checkpoint_minutes, make_parts, "bench201_enas"
    )
