"""The ENAS search (Pham et al., 2018, section 2.2), put together."""

from typing import Any

from enas.config import EnasConfig
from enas.controller import LstmController
from nascore.data.describe import summarize
from nascore.data.images import ImageData
from nascore.evaluators.memory import estimate
from nascore.protocols import Reward
from nascore.runs.folder import RunFolder
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.assemble import load_images as load
from nascore.search.search import Search
from nascore.strategies.named import Sampling
from nascore.strategies.random import RandomStrategy
from nascore.strategies.rewards import ScoreReward

__all__ = ["estimate", "load", "make_search", "summarize"]


def make_search(
    config: EnasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    reward: Reward | None = None,
    method: str = "enas",
) -> Search:
    """Makes a search of ENAS, or of random architectures if so configured.

    Args:
      config: decides the result, together with the reward.
      run: where everything is written; an earlier part of the same search
        in it is continued.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      reward: makes rewards of accuracies; the accuracy itself if None.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    space, controller = config.child.space, config.controller
    is_random = controller.controller == "random"

    def make() -> CellParts:
        if is_random:
            return parts_of(RandomStrategy(space), controller, reward)
        return parts_of(LstmController(space, controller), controller, reward)

    if is_random:
        method = "random"
    return assemble.search_cells(
        config, run, data, checkpoint_minutes, make, method
    )


def parts_of(
    strategy: Sampling, config: Any, reward: Reward | None
) -> CellParts:
    """What ENAS adds to shared weights, which learn the policy's samples.

    Args:
      strategy: the policy.
      config: how often it is asked.
      reward: makes rewards of scores; the score itself if None.
    """
    reward = reward or ScoreReward()
    return CellParts(strategy, reward, config.train_steps, config.num_aggregate)
