"""The reward of I-ENAS over whole networks."""

from enas.macro import search
from enas.macro.search import estimate, load, summarize
from ienas.config import MacroIenasConfig
from ienas.reward import RelativeReward
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: MacroIenasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search whose reward is relative; see `enas.macro.search`."""
    reward = RelativeReward(ScoreReward(), config.reward)
    return search.make_search(
        config, run, data, checkpoint_minutes, reward, "macro_ienas"
    )
