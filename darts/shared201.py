"""DARTS on NAS-Bench-201's cells; see `darts.search`.

The derived cell of each epoch is looked up in the table, so that one sees it
get better, and worse again.
"""

from darts import search
from darts.config import Shared201DartsConfig
from darts.search import estimate, load, summarize
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: Shared201DartsConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts mixed cells, alphas and the data together; see `Assembly`."""
    return search.make_search(
        config, run, data, checkpoint_minutes, "shared201_darts"
    )
