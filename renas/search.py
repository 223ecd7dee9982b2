"""RENAS with images, put together; see `nascore.search.assemble`."""

import dataclasses

from nascore.baselines.own_weights import OwnParts, search_own_weights
from nascore.data.describe import summarize
from nascore.data.images import ImageData
from nascore.evaluators import memory
from nascore.networks import costs
from nascore.networks.stack import plan
from nascore.process.memory import FLOAT, Need
from nascore.runs.folder import RunFolder
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.assemble import load_images as load
from nascore.search.search import Search
from nascore.strategies.random import random_rows
from renas.config import RenasConfig
from renas.strategy import Mutations, needs
from renas.table import make_reward

__all__ = ["estimate", "load", "make_search", "summarize"]


def estimate(config: RenasConfig, data: ImageData, base: int) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = memory.estimate(config, data, base)
    parts = needs(config.strategy, config.child.space)
    if config.inheritance.inherit != "shared":
        stack = plan(config.child, data.image_shape, data.classes)
        weights = costs.total(costs.count(stack)).parameters
        # Of a node's operations and inputs one each is in use.
        choices = len(stack.space.operations) * stack.space.num_tensors // 2
        lives = config.strategy.population + config.strategy.num_aggregate
        # They are packed when they are saved.
        size = 2 * FLOAT * weights * lives // max(choices, 1)
        parts["weights of the living"] = size
    flags = (*need.turn_down, "--population", "--lstm_units")
    return dataclasses.replace(
        need, host={**need.host, **parts}, turn_down=flags
    )


def make_search(
    config: RenasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts strategy, weights and reward together; see `Assembly`.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    if config.inheritance.inherit == "shared":
        return _search_shared(config, run, data, checkpoint_minutes)
    data = load(config) if data is None else data
    strategy = config.strategy

    def make() -> OwnParts:
        mutations = Mutations(
            config.child.space, strategy, [config.search.seed]
        )
        return OwnParts(
            mutations,
            make_reward(strategy),
            config.models.epoch_models // strategy.num_aggregate,
            strategy.num_aggregate,
        )

    return search_own_weights(
        config,
        run,
        data,
        checkpoint_minutes,
        make,
        "renas",
        config.inheritance,
    )


def _search_shared(
    config: RenasConfig,
    run: RunFolder,
    data: ImageData | None,
    checkpoint_minutes: float,
) -> Search:
    """Over shared weights, which learn random architectures."""
    space, strategy = config.child.space, config.strategy
    learned = random_rows(space)

    def make() -> CellParts:
        mutations = Mutations(space, strategy, [config.search.seed])
        return CellParts(
            mutations,
            make_reward(strategy),
            config.models.epoch_models // strategy.num_aggregate,
            strategy.num_aggregate,
            learned,
        )

    return assemble.search_cells(
        config, run, data, checkpoint_minutes, make, "renas_shared"
    )
