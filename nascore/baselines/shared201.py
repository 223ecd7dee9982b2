"""Shared weights on NAS-Bench-201's cells with any strategy; see `one_shot`."""

from nascore.baselines import one_shot
from nascore.baselines.config import Shared201Config
from nascore.baselines.one_shot import estimate, load, summarize
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: Shared201Config,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts shared weights and strategy together; see `Assembly`."""
    method = f"shared201_{config.strategy.kind}"
    return one_shot.make_search(config, run, data, checkpoint_minutes, method)
