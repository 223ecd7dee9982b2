"""Shared weights on ENAS's macro space with any strategy; see `one_shot`."""

from nascore.baselines import one_shot
from nascore.baselines.config import MacroStrategyConfig
from nascore.baselines.one_shot import estimate, load, summarize
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: MacroStrategyConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts shared weights and strategy together; see `Assembly`."""
    method = f"macro_{config.strategy.kind}"
    return one_shot.make_search(config, run, data, checkpoint_minutes, method)
