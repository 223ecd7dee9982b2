"""The I-ENAS search: that of ENAS with another reward."""

from enas import search
from enas.search import estimate, load, summarize
from ienas.config import IenasConfig
from ienas.reward import RelativeReward
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: IenasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search whose reward is relative; see `enas.search`."""
    reward = RelativeReward(ScoreReward(), config.reward)
    return search.make_search(
        config, run, data, checkpoint_minutes, reward, "ienas"
    )
