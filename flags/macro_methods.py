"""The methods that search whole networks, for the list in `flags.methods`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from enas.macro.config import MacroEnasConfig
from flags.method import Method
from ienas.config import MacroIenasConfig
from l2nas.config import MacroL2nasConfig
from nascore.baselines.config import MacroStrategyConfig

_RANDOM = Method(
    "random",
    MacroStrategyConfig(),
    "nascore.baselines.macro",
    rival="macro_random",
    alone={"then_train": 0},
    preset="macro_small",
    published="macro_cifar10",
)


def methods(strategies: Mapping[str, Any]) -> dict[str, Method]:
    """All of them by name.

    Args:
      strategies: those of the shared room but random draws, by their titles.
    """
    return {
        "macro_enas": _RANDOM._replace(
            title="ENAS",
            config=MacroEnasConfig(),
            module="enas.macro.search",
        ),
        "macro_ienas": _RANDOM._replace(
            title="I-ENAS", config=MacroIenasConfig(), module="ienas.macro"
        ),
        "macro_l2nas": _RANDOM._replace(
            title="L2NAS", config=MacroL2nasConfig(), module="l2nas.macro"
        ),
        "macro_random": _RANDOM._replace(rival=""),
        **{
            f"macro_{strategy.kind}": _RANDOM._replace(
                title=title,
                config=dataclasses.replace(_RANDOM.config, strategy=strategy),
            )
            for title, strategy in strategies.items()
        },
    }
