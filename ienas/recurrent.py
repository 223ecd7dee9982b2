"""The reward of I-ENAS over recurrent cells.

It is relative to the last scores, 80 / perplexity each, as to accuracies.
"""

from enas import recurrent
from enas.recurrent import estimate, load, summarize
from ienas.config import RecurrentIenasConfig
from ienas.reward import RelativeReward
from nascore.data.text import TextData
from nascore.runs.folder import RunFolder
from nascore.search.search import Search
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: RecurrentIenasConfig,
    run: RunFolder,
    data: TextData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search whose reward is relative; see `enas.recurrent`."""
    reward = RelativeReward(ScoreReward(), config.reward)
    return recurrent.make_search(
        config, run, data, checkpoint_minutes, reward, "recurrent_ienas"
    )
