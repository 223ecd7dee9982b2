"""ENAS over recurrent cells, on a text (Pham et al., 2018, section 3.1).

The shared weights learn the policy's samples; the reward is 80 / perplexity
of one window of the validation text.
"""

from enas.config import RecurrentEnasConfig
from enas.recurrent_controller import RecurrentController
from enas.search import parts_of
from nascore.baselines import recurrent
from nascore.baselines.recurrent import estimate, load, summarize
from nascore.data.text import TextData
from nascore.protocols import Reward
from nascore.runs.folder import RunFolder
from nascore.search.assemble import CellParts
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: RecurrentEnasConfig,
    run: RunFolder,
    data: TextData | None = None,
    checkpoint_minutes: float = 10.0,
    reward: Reward | None = None,
    method: str = "recurrent_enas",
) -> Search:
    """Makes a search in a run folder.

    Args:
      config: the settings.
      run: see `Assembly.make_search`; likewise below.
      data: likewise.
      checkpoint_minutes: likewise.
      reward: what is made of a score; the score itself if None.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the text or the run folder.
    """
    policy = config.strategy

    def make() -> CellParts:
        strategy = RecurrentController(
            config.child.space, policy, config.search.seed
        )
        return parts_of(strategy, policy, reward)

    return recurrent.search_cells(
        config, run, data, checkpoint_minutes, make, method
    )
