"""The search of ENAS over whole networks (its section 2.3), put together."""

from enas.macro.config import MacroEnasConfig
from enas.macro.controller import MacroController
from enas.search import estimate, load, parts_of, summarize
from nascore.data.images import ImageData
from nascore.protocols import Reward
from nascore.runs.folder import RunFolder
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: MacroEnasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    reward: Reward | None = None,
    method: str = "macro_enas",
) -> Search:
    """Makes a search in a run folder; see `enas.search`."""
    policy = config.strategy

    def make() -> CellParts:
        strategy = MacroController(config.child.space, policy)
        return parts_of(strategy, policy, reward)

    return assemble.search_cells(
        config, run, data, checkpoint_minutes, make, method
    )
