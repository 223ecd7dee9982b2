"""NASES over chains of layers, put together; see `nascore.search.assemble`."""

import dataclasses

from nascore.baselines import chain
from nascore.baselines.chain import load, summarize
from nascore.baselines.own_weights import OwnParts
from nascore.data.images import ImageData
from nascore.process.memory import Need
from nascore.runs.folder import RunFolder
from nascore.search.search import Search
from nases.chain.config import NasesChainConfig
from nases.pretraining import Pretrain
from nases.rewards import make_reward
from nases.strategy import EmbeddingSearch, Ending, needs

__all__ = ["estimate", "load", "make_search", "summarize"]


def estimate(config: NasesChainConfig, data: ImageData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = chain.estimate(config, data, base)
    parts = needs(config.strategy, config.child.space)
    flags = (*need.turn_down, "--hidden_units")
    return dataclasses.replace(
        need, host={**need.host, **parts}, turn_down=flags
    )


def make_search(
    config: NasesChainConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts autoencoder, policy, networks and reward together.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    ending = Ending.BEST if config.own.derive_epochs else Ending.MEASURED

    def make() -> OwnParts:
        strategy = EmbeddingSearch(
            config.child.space, config.strategy, [config.search.seed], ending
        )
        return OwnParts(
            strategy,
            make_reward(config.strategy.reward_form),
            config.asking.train_steps,
            config.asking.num_aggregate,
            [Pretrain(strategy)],
        )

    return chain.make_search(
        config, run, data, checkpoint_minutes, make, "nases_chain"
    )
