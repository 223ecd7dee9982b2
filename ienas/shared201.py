"""The reward of I-ENAS over the shared weights of NAS-Bench-201's cells."""

from enas import shared201
from enas.shared201 import estimate, load, summarize
from ienas.config import Shared201IenasConfig
from ienas.reward import RelativeReward
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: Shared201IenasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search whose reward is relative; see `enas.shared201`."""
    reward = RelativeReward(ScoreReward(), config.reward)
    return shared201.make_search(
        config, run, data, checkpoint_minutes, reward, "shared201_ienas"
    )
