"""L2NAS over shared weights, put together; see `nascore.search.assemble`."""

import dataclasses
from pathlib import Path
from typing import Any

from l2nas.config import (
    L2nasCellsConfig,
    MacroL2nasConfig,
    Shared201L2nasConfig,
)
from l2nas.rewards import make_reward
from l2nas.strategy import L2nasStrategy, needs
from nascore.data.describe import summarize
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.evaluators import memory
from nascore.process.memory import Need
from nascore.runs.checkpoint_files import is_saved
from nascore.runs.checkpoints import Checkpoints
from nascore.runs.folder import RunFolder
from nascore.runs.reader import read_run
from nascore.search import assemble
from nascore.search.assemble import CellParts
from nascore.search.assemble import load_images as load
from nascore.search.search import Search
from nascore.strategies.random import random_rows

SharedL2nasConfig = L2nasCellsConfig | Shared201L2nasConfig | MacroL2nasConfig

__all__ = ["estimate", "load", "make_search", "summarize"]


def estimate(
    config: SharedL2nasConfig,
    data: ImageData,
    base: int,
) -> Need:
    """See `nascore.search.assemble.Assembly`."""
    need = memory.estimate(config, data, base)
    parts = needs(config.strategy, config.child.space)
    flags = (*need.turn_down, "--hidden_units", "--replay_size")
    return dataclasses.replace(
        need, host={**need.host, **parts}, turn_down=flags
    )


def make_search(
    config: SharedL2nasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    method: str = "l2nas",
) -> Search:
    """Puts shared weights and networks together; see `Assembly`.

    The shared weights learn random architectures, as in the paper; there they
    do before the search, here in turns with it.

    Args:
      config: the settings.
      run: where everything is written.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the data or the run folder, or a
        run to start from whose networks are others.
    """
    space: Any = config.child.space
    source = Path(config.asking.init_strategy_from)
    # A run that goes on has its networks in its own checkpoint.
    starts = not is_saved(run.path / "checkpoints")
    takes_over = bool(config.asking.init_strategy_from) and starts
    if takes_over:
        _check_source(config, source)
    learned = random_rows(space)

    def make() -> CellParts:
        strategy = L2nasStrategy(space, config.strategy, [config.search.seed])
        if takes_over:
            _take_over(strategy, source)
        return CellParts(
            strategy,
            make_reward(config.strategy),
            config.asking.num_aggregate * config.asking.train_steps,
            1,
            learned,
        )

    return assemble.search_cells(
        config, run, data, checkpoint_minutes, make, method
    )


def _check_source(config: SharedL2nasConfig, path: Path) -> None:
    """Checks that the networks of another run are of the same sizes.

    Raises:
      InputError: they are not, or it is no run of L2NAS.
    """
    found = read_run(path)
    own = {
        "hidden_layers": config.strategy.hidden_layers,
        "hidden_units": config.strategy.hidden_units,
    }
    settings = found.settings["config"]
    if not own.keys() <= settings.keys() or not is_saved(path / "checkpoints"):
        raise InputError(
            f"--init_strategy_from={path} is no run of l2nas with a checkpoint"
        )
    for name, value in own.items():
        if settings[name] != value:
            raise InputError(
                f"--init_strategy_from={path} has --{name}={settings[name]}, "
                f"not {value}; give the same"
            )
    if found.space != config.child.space:
        raise InputError(
            f"--init_strategy_from={path} searched another space; give its "
            "--num_nodes and --operations"
        )


def _take_over(strategy: L2nasStrategy, path: Path) -> None:
    """Takes actor and critic of another run.

    Raises:
      InputError: its checkpoint cannot be read.
    """
    networks = {
        f"strategy_{name}": variable
        for name, variable in strategy.networks.state.items()
    }
    Checkpoints(path / "checkpoints", networks).restore(whole=False)
