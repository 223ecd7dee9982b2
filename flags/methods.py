"""Every method by name: the one list of them.

A method is a configuration, the settings that make it, and a module that
puts its parts together. A package outside of this project adds one by an
entry point of the group `ienas.methods`, whose name is the method's and whose
value a `Method`; it is then known to all scripts.
"""

import difflib
import functools
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from darts.config import DartsConfig, Shared201DartsConfig
from enas.config import EnasConfig, Shared201EnasConfig, TableEnasConfig
from flags.macro_methods import MACRO
from flags.method import Method
from flags.recurrent_methods import RECURRENT
from flags.strategies import with_each
from ienas.config import (
    IenasConfig,
    Shared201IenasConfig,
    TableIenasConfig,
)
from l2nas.config import (
    L2nasCellsConfig,
    L2nasStepsConfig,
    L2nasTableConfig,
    Shared201L2nasConfig,
    StateConfig,
)
from mlpnas.config import FINAL_FILE, MlpnasConfig, WorkConfig
from nascore.baselines.config import (
    AskingConfig,
    ChainSearchConfig,
    OneShotConfig,
    Shared201Config,
    TableMethodConfig,
)
from nascore.errors import InputError
from nascore.evaluators.config import ChildWorkConfig, InheritanceConfig
from nascore.strategies.config import (
    ReinforceConfig,
)
from nases.chain.config import NasesChainConfig
from nases.config import POINTS, NasesConfig, NasesTableConfig
from renas.config import (
    BLIND,
    EACH_NODE,
    IN_ALL,
    RenasConfig,
    RenasTableConfig,
)

GROUP = "ienas.methods"

# In a comparison all ask for as many architectures at once as ENAS does.
_AS_ENAS = AskingConfig(num_aggregate=3)
_CELLS = Method(
    "ENAS",
    EnasConfig(),
    "enas.search",
    compared=IenasConfig(),
    alone={"then_train": 0},
    preset="digits",
    published="cifar10",
)
_IENAS = _CELLS._replace(
    title="I-ENAS",
    config=IenasConfig(),
    module="ienas.search",
    rival="random",
    published="fashion_mnist",
)
_ONE_SHOT = _CELLS._replace(
    config=OneShotConfig(),
    module="nascore.baselines.one_shot",
    compared=OneShotConfig(asking=_AS_ENAS),
    rival="random",
)
_OWN = _CELLS._replace(
    compared=None, measures="fitness", published="", work=ChildWorkConfig()
)
_DARTS = _CELLS._replace(
    title="DARTS",
    config=DartsConfig(),
    module="darts.search",
    compared=None,
    rival="random",
    preset="darts_small",
    published="darts_cifar10",
)
_MLPNAS = Method(
    "MLPNAS",
    MlpnasConfig(),
    "mlpnas.search",
    {"controller": "lstm"},
    measures="score",
    rival="mlpnas_random",
    work=WorkConfig(),
    script="experiments.mlpnas_run",
    end=FINAL_FILE,
    alone={"compare": "none"},
)
_TABLE = Method(
    "random",
    TableMethodConfig(),
    "nascore.baselines.table",
    rival="bench201_random",
)
_RENAS_TABLE = _TABLE._replace(
    title="RENAS", config=RenasTableConfig(), module="renas.table"
)
_RENAS_SHARED = RenasConfig(inheritance=InheritanceConfig(inherit="shared"))
_NASES_TABLE = _TABLE._replace(
    title="NASES", config=NasesTableConfig(), module="nases.table"
)
# What RENAS is without its controller, or without what that sees.
_MUTATORS = {
    "blind": ("RENAS, blind", BLIND),
    "node": ("evolution, a change in each node", EACH_NODE),
    "one": ("evolution, one change", IN_ALL),
}

# In a comparison all ask for as many at once as I-ENAS, and so in an epoch.
_SHARED201 = Method(
    "random",
    Shared201Config(),
    "nascore.baselines.shared201",
    compared=Shared201Config(asking=_AS_ENAS),
    rival="shared201_random",
    preset="shared201_small",
    published="shared201_cifar10",
)


_CHAIN = _OWN._replace(
    title="random chains",
    config=ChainSearchConfig(),
    module="nascore.baselines.chain",
    preset="chain_random_small",
)
METHODS = {
    "enas": _CELLS._replace(settings={"controller": "lstm"}, rival="random"),
    "ienas": _IENAS,
    "ienas_paper": _IENAS._replace(settings={"reward_rule": "paper"}),
    "ienas_code": _IENAS._replace(
        title="I-ENAS (code rule)", settings={"reward_rule": "code"}
    ),
    "random": _CELLS._replace(
        title="random", settings={"controller": "random"}
    ),
    "darts": _DARTS,
    "darts_second": _DARTS._replace(
        title="DARTS, second order", settings={"order": "second"}
    ),
    "pc_darts": _DARTS._replace(title="PC-DARTS", settings={"variant": "pc"}),
    "darts_minus": _DARTS._replace(
        title="DARTS-", settings={"variant": "minus"}
    ),
    "mlpnas": _MLPNAS,
    "mlpnas_random": _MLPNAS._replace(
        title="random", settings={"controller": "random"}, rival=""
    ),
    "bench201_random": _TABLE._replace(rival=""),
    **with_each(_TABLE, "bench201_"),
    **with_each(_ONE_SHOT, ""),
    "bench201_enas": _TABLE._replace(
        title="ENAS",
        config=TableEnasConfig(),
        module="enas.table",
        compared=TableIenasConfig(),
    ),
    "bench201_ienas": _TABLE._replace(
        title="I-ENAS", config=TableIenasConfig(), module="ienas.table"
    ),
    "bench201_reinforce_relative": _TABLE._replace(
        title="REINFORCE, I-ENAS's reward",
        config=TableIenasConfig(strategy=ReinforceConfig()),
        module="ienas.table",
    ),
    "bench201_l2nas": _TABLE._replace(
        title="L2NAS", config=L2nasTableConfig(), module="l2nas.table"
    ),
    "l2nas": _CELLS._replace(
        title="L2NAS",
        config=L2nasCellsConfig(),
        module="l2nas.search",
        compared=L2nasCellsConfig(asking=L2nasStepsConfig(num_aggregate=3)),
        rival="random",
    ),
    "shared201_enas": _SHARED201._replace(
        title="ENAS",
        config=Shared201EnasConfig(),
        module="enas.shared201",
        compared=Shared201IenasConfig(),
    ),
    "shared201_ienas": _SHARED201._replace(
        title="I-ENAS",
        config=Shared201IenasConfig(),
        module="ienas.shared201",
        compared=None,
    ),
    "shared201_random": _SHARED201._replace(rival=""),
    **with_each(_SHARED201, "shared201_"),
    "shared201_l2nas": _SHARED201._replace(
        title="L2NAS",
        config=Shared201L2nasConfig(),
        module="l2nas.shared201",
        compared=Shared201L2nasConfig(asking=L2nasStepsConfig(num_aggregate=3)),
    ),
    "shared201_darts": _SHARED201._replace(
        title="DARTS",
        config=Shared201DartsConfig(),
        module="darts.shared201",
        compared=None,
        preset="shared201_darts_small",
        published="shared201_darts_cifar10",
    ),
    **MACRO,
    **RECURRENT,
    "bench201_state": _TABLE.with_strategy(
        "L2NAS's state", StateConfig()
    )._replace(module="l2nas.table"),
    "renas": _OWN._replace(
        title="RENAS",
        config=RenasConfig(),
        module="renas.search",
        preset="renas_small",
        published="renas_cifar10",
    ),
    "renas_shared": _CELLS._replace(
        title="RENAS, shared weights",
        config=_RENAS_SHARED,
        module="renas.search",
        settings={"inherit": "shared"},
        compared=None,
        rival="random",
        published="",
        preset="",
    ),
    "bench201_renas": _RENAS_TABLE,
    **{
        f"bench201_renas_{name}": _RENAS_TABLE._replace(
            title=title, settings={"mutator": mutator}
        )
        for name, (title, mutator) in _MUTATORS.items()
    },
    "nases": _CELLS._replace(
        title="NASES",
        config=NasesConfig(),
        module="nases.search",
        compared=NasesConfig(asking=_AS_ENAS),
        rival="random",
        preset="nases_small",
    ),
    "nases_chain": _CHAIN._replace(
        title="NASES, chains",
        config=NasesChainConfig(),
        module="nases.chain.search",
        rival="chain_random",
        preset="nases_chain_small",
    ),
    "chain_random": _CHAIN,
    "bench201_nases": _NASES_TABLE,
    "bench201_nases_points": _NASES_TABLE._replace(
        title="random points of NASES's embedding",
        settings={"policy": POINTS},
    ),
}


def names() -> list[str]:
    """Names of all methods, those of other packages last."""
    return [*METHODS, *sorted(_others())]


def find(name: str) -> Method:
    """Returns the method of a name.

    Raises:
      InputError: there is none.
    """
    if name in METHODS:
        return METHODS[name]
    if name in _others():
        return _others()[name].load()
    close = difflib.get_close_matches(name, names(), 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise InputError(
        f"the method {name!r} is not known; there are: "
        f"{', '.join(names())}{hint}"
    )


@functools.cache
def _others() -> dict[str, metadata.EntryPoint]:
    """Methods of other packages, not imported yet."""
    return {entry.name: entry for entry in metadata.entry_points(group=GROUP)}


def name_of(settings: Mapping[str, Any]) -> str:
    """The name of a run's method.

    Args:
      settings: content of its `config.json`.
    """
    name = str(settings.get("method"))
    # Earlier versions did not tell the two random searches apart.
    if name == "random" and "units" in (settings.get("space") or {}):
        return "mlpnas_random"
    return name
