"""Searches of ENAS's cells over shared weights with any strategy.

As ENAS, but for who is asked: the shared weights learn random architectures,
not those of the strategy, so that what they are worth does not depend on it.
"""

from collections.abc import Callable
from typing import Any

from nascore.baselines.config import (
    MacroStrategyConfig,
    OneShotConfig,
    RecurrentConfig,
    Shared201Config,
)
from nascore.data.describe import summarize
from nascore.data.images import ImageData
from nascore.evaluators.memory import estimate
from nascore.runs.folder import RunFolder
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.search import Search
from nascore.strategies import named
from nascore.strategies.random import random_rows
from nascore.strategies.rewards import ScoreReward

AnyOneShot = OneShotConfig | Shared201Config | MacroStrategyConfig

__all__ = ["estimate", "load", "make_search", "summarize"]


def load(config: AnyOneShot) -> ImageData:
    """See `Assembly.load`.

    Raises:
      InputError: no such data, fewer training images than a batch, or a
        strategy that needs what is not installed.
    """
    named.check(config.strategy)
    return assemble.load_images(config)


def make_search(
    config: AnyOneShot,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    method: str = "",
) -> Search:
    """Puts shared weights and strategy together; see `Assembly`.

    Args:
      config: the settings.
      run: where everything is written.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      method: what the run is called in its files; as its strategy if empty.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    return assemble.search_cells(
        config,
        run,
        data,
        checkpoint_minutes,
        parts_of(config),
        method or config.strategy.kind,
    )


def parts_of(
    config: AnyOneShot | RecurrentConfig,
) -> Callable[[], CellParts]:
    """Makes what settings of any strategy add to shared weights."""
    space: Any = config.child.space
    learned = random_rows(space)

    def make() -> CellParts:
        return CellParts(
            named.make(config.strategy, space, [config.search.seed]),
            ScoreReward(),
            config.asking.train_steps,
            config.asking.num_aggregate,
            learned,
        )

    return make
