"""Methods that search whole networks."""

from enas.macro.config import MacroEnasConfig
from flags.method import Method
from flags.strategies import with_each
from ienas.config import MacroIenasConfig
from l2nas.config import MacroL2nasConfig
from nascore.baselines.config import MacroStrategyConfig

_MACRO = Method(
    "random",
    MacroStrategyConfig(),
    "nascore.baselines.macro",
    rival="macro_random",
    alone={"then_train": 0},
    preset="macro_small",
    published="macro_cifar10",
)
MACRO: dict[str, Method] = {
    "macro_enas": _MACRO._replace(
        title="ENAS",
        config=MacroEnasConfig(),
        module="enas.macro.search",
    ),
    "macro_ienas": _MACRO._replace(
        title="I-ENAS", config=MacroIenasConfig(), module="ienas.macro"
    ),
    "macro_l2nas": _MACRO._replace(
        title="L2NAS", config=MacroL2nasConfig(), module="l2nas.macro"
    ),
    "macro_random": _MACRO._replace(rival=""),
    **with_each(_MACRO, "macro_"),
}
