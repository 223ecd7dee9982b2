"""NASES with images, put together; see `nascore.search.assemble`."""

import dataclasses

from nascore.baselines.own_weights import OwnParts, search_own_weights
from nascore.data.describe import summarize
from nascore.data.images import ImageData
from nascore.evaluators import memory
from nascore.process.memory import Need
from nascore.runs.folder import RunFolder
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.assemble import load_images as load
from nascore.search.search import Search
from nascore.strategies.random import random_rows
from nases.config import SHARED, NasesConfig
from nases.pretraining import Pretrain
from nases.rewards import make_reward
from nases.strategy import EmbeddingSearch, Ending, needs

__all__ = ["estimate", "load", "make_search", "summarize"]


def estimate(config: NasesConfig, data: ImageData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = memory.estimate(config, data, base)
    parts = needs(config.strategy, config.child.space)
    flags = (*need.turn_down, "--hidden_units")
    return dataclasses.replace(
        need, host={**need.host, **parts}, turn_down=flags
    )


def make_search(
    config: NasesConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts autoencoder, policy, weights and reward together; see `Assembly`.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    if config.own.inherit == SHARED:
        return _search_shared(config, run, data, checkpoint_minutes)
    data = load(config) if data is None else data
    ending = Ending.BEST if config.own.derive_epochs else Ending.MEASURED

    def make() -> OwnParts:
        strategy = _make_strategy(config, ending)
        return OwnParts(
            strategy,
            make_reward(config.strategy.reward_form),
            config.asking.train_steps,
            config.asking.num_aggregate,
            [Pretrain(strategy)],
        )

    return search_own_weights(
        config,
        run,
        data,
        checkpoint_minutes,
        make,
        "nases",
        config.own.inheritance,
        restarts=True,
    )


def _make_strategy(config: NasesConfig, ending: Ending) -> EmbeddingSearch:
    seeds = [config.search.seed]
    return EmbeddingSearch(config.child.space, config.strategy, seeds, ending)


def _search_shared(
    config: NasesConfig,
    run: RunFolder,
    data: ImageData | None,
    checkpoint_minutes: float,
) -> Search:
    """Over shared weights, which learn the policy's architectures or any."""
    is_random = config.own.weights_learn == "random"
    learned = random_rows(config.child.space) if is_random else None

    def make() -> CellParts:
        strategy = _make_strategy(config, Ending.POLICY)
        return CellParts(
            strategy,
            make_reward(config.strategy.reward_form),
            config.asking.train_steps,
            config.asking.num_aggregate,
            learned,
            [Pretrain(strategy)],
        )

    return assemble.search_cells(
        config, run, data, checkpoint_minutes, make, "nases"
    )
