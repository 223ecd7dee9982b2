"""L2NAS over shared weights of whole networks; see `l2nas.search`."""

from l2nas import search
from l2nas.config import MacroL2nasConfig
from l2nas.search import estimate, load, summarize
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: MacroL2nasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts shared weights and networks together; see `Assembly`."""
    return search.make_search(
        config, run, data, checkpoint_minutes, "macro_l2nas"
    )
