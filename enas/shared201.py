"""ENAS over the shared weights of NAS-Bench-201's cells.

The shared weights learn the policy's samples, as in ENAS (Pham et al., 2018,
section 2.2); the table's accuracies are noted of each, and never told.
"""

from enas.config import Shared201EnasConfig
from enas.operation_controller import OperationController
from enas.search import estimate, load, parts_of, summarize
from nascore.data.images import ImageData
from nascore.protocols import Reward
from nascore.runs.folder import RunFolder
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: Shared201EnasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    reward: Reward | None = None,
    method: str = "shared201_enas",
) -> Search:
    """Makes a search in a run folder; see `enas.search`."""
    policy = config.strategy

    def make() -> CellParts:
        strategy = OperationController(
            config.child.space, policy, [config.search.seed]
        )
        return parts_of(strategy, policy, reward)

    return assemble.search_cells(
        config, run, data, checkpoint_minutes, make, method
    )
