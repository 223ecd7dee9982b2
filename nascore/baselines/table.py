"""A search over a table: any strategy, any reward; see `Assembly`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from nascore.baselines.config import TableMethodConfig, TableSearchConfig
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.evaluators.nasbench201.tabular import LEAK, Tabular
from nascore.process import runtime
from nascore.process.memory import Need
from nascore.protocols import Phase
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.search.many import Parts, StreamSeeds
from nascore.search.phases import AskTell
from nascore.search.search import Search
from nascore.spaces.bench201 import Bench201Space
from nascore.strategies import named
from nascore.strategies.rewards import ScoreReward

# Bytes of TensorFlow, the table and a strategy of any size here.
_MEMORY = 600 * 2**20


class BenchmarkData(NamedTuple):
    """What stands for the data of a search over a table.

    Attributes:
      config: what is looked up.
      notes: remarks for whoever starts a search.
    """

    config: TableConfig
    notes: tuple[str, ...] = ()


class Queries(AskTell):
    """What is said of an epoch without training; see `AskTell`."""

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        best = summary[f"best_{self.evaluator.measures}"]
        return (
            f"{super().line(summary)}, best {best:.{self.evaluator.decimals}%}"
        )


def make_parts(config: TableMethodConfig, seeds: Sequence[int]) -> Parts:
    """Those of the strategies that have no package of their own."""
    strategy = named.make(config.strategy, Bench201Space(), seeds)
    return Parts(strategy, ScoreReward(), getattr(strategy, "batch", 1))


def load(config: TableMethodConfig) -> BenchmarkData:
    """See `Assembly.load`.

    Raises:
      InputError: a table that is damaged, or a strategy that needs what is
        not installed.
    """
    named.check(config.strategy)
    table.fingerprint()
    leak = config.table.search_on == "test"
    return BenchmarkData(config.table, (LEAK.removeprefix("note: "),) * leak)


def summarize(data: BenchmarkData) -> str:
    """See `Assembly.summarize`."""
    return (
        f"NAS-Bench-201 (Dong and Yang, 2020): {table.CELLS:,} cells, each "
        "trained by its authors"
    )


def estimate(config: TableMethodConfig, data: BenchmarkData, base: int) -> Need:
    """See `Assembly.estimate`."""
    return Need({"the program and the table": _MEMORY}, {}, (), base)


def make_search(
    config: TableMethodConfig,
    run: RunFolder,
    data: BenchmarkData | None = None,
    checkpoint_minutes: float = 10.0,
    make: Callable[[Any, Sequence[int]], Parts] = make_parts,
    method: str = "",
    before: Callable[[Any], Sequence[Phase]] = lambda strategy: (),
) -> Search:
    """Puts space, table, strategy and reward together.

    Args:
      config: the settings.
      run: where everything is written; an earlier part of the same search
        in it is continued.
      data: what `load` returned; there is nothing more to load.
      checkpoint_minutes: saves at least this often.
      make: makes strategy and reward.
      method: what the run is called in its files.
      before: makes phases before the queries of an epoch, of the strategy.

    Raises:
      InputError: settings that do not fit the run folder.
    """
    length = config.search
    runtime.configure(length.deterministic)
    keras.utils.set_random_seed(length.seed)
    space, evaluator = Bench201Space(), Tabular(config.table)
    strategy, reward, batch = make(config, [length.seed])
    steps = -(-length.epoch_queries // batch)
    phase = Queries(
        space,
        strategy,
        evaluator,
        reward,
        steps,
        batch,
        StreamSeeds([length.seed], steps),
    )
    return Search(
        run,
        space,
        [*before(strategy), phase],
        strategy,
        evaluator,
        _schedule(length),
        config,
        {
            "method": method or f"bench201_{config.strategy.kind}",
            "data": {
                "fingerprint": table.fingerprint(),
                "searched": str(evaluator.searched),
            },
        },
        checkpoint_minutes,
    )


def _schedule(length: TableSearchConfig) -> SearchConfig:
    return SearchConfig(
        seed=length.seed,
        epochs=length.epochs,
        best_count=length.best_count,
        derive_samples=length.derive_samples,
    )
