"""Every method by name: the one list of them.

A method is a configuration, the settings that make it, and a module that
puts its parts together. A package outside of this project adds one by an
entry point of the group `ienas.methods`, whose name is the method's and whose
value a `Method`; it is then known to all scripts.
"""

import dataclasses
import difflib
import functools
from collections.abc import Mapping
from importlib import metadata
from typing import Any, NamedTuple

from darts.config import DartsConfig
from enas.config import EnasConfig, TableEnasConfig
from ienas.config import IenasConfig, TableIenasConfig
from l2nas.config import L2nasCellsConfig, L2nasTableConfig, StateConfig
from mlpnas.config import FINAL_FILE, MlpnasConfig, WorkConfig
from nascore.baselines.config import OneShotConfig, TableMethodConfig
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.runs.config import SEARCH_END
from nascore.strategies.config import (
    BohbConfig,
    EvolutionConfig,
    LocalSearchConfig,
    OptunaConfig,
    ReinforceConfig,
)
from nases.config import POINTS, NasesConfig, NasesTableConfig
from renas.config import (
    BLIND,
    EACH_NODE,
    IN_ALL,
    RenasConfig,
    RenasTableConfig,
)

GROUP = "ienas.methods"


class Method(NamedTuple):
    """What the scripts need to know of a method.

    Attributes:
      title: for people.
      config: its settings, a dataclass with their defaults.
      module: puts a search together, see `nascore.search.assemble`.
      settings: those that make it this method.
      compared: the settings that a comparison gives it, with their defaults
        there; its own if None.
      measures: what its architectures are ranked by. Only methods that
        agree in it are compared.
      rival: the method that searches at random in the same way; empty for
        that itself.
      work: settings that change no result, such as processes.
      script: the module that runs it from the data to the figures.
      end: the file that a run ends with.
      alone: settings of a run that is one of a comparison.
      preset: the one that runs where no settings are given; empty: defaults.
      published: that of the published protocol.
    """

    title: str
    config: Any
    module: str
    settings: Mapping[str, Any] = {}
    compared: Any = None
    measures: str = "accuracy"
    rival: str = ""
    work: Any = None
    script: str = "experiments.support.search_run"
    end: str = SEARCH_END
    alone: Mapping[str, Any] = {}
    preset: str = ""
    published: str = ""


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
_NASES_TABLE = _TABLE._replace(
    title="NASES", config=NasesTableConfig(), module="nases.table"
)
# What RENAS is without its controller, or without what that sees.
_MUTATORS = {
    "blind": ("RENAS, blind", BLIND),
    "node": ("evolution, a change in each node", EACH_NODE),
    "one": ("evolution, one change", IN_ALL),
}


# Those of the shared room but random draws, by their titles.
_STRATEGIES: dict[str, Any] = {
    "regularised evolution": EvolutionConfig(),
    "local search": LocalSearchConfig(),
    "REINFORCE": ReinforceConfig(),
    "Optuna": OptunaConfig(),
    "BOHB": BohbConfig(),
}


def _on_table(title: str, strategy: Any) -> Method:
    """A search of the table with a strategy of the shared room."""
    config = dataclasses.replace(_TABLE.config, strategy=strategy)
    return _TABLE._replace(title=title, config=config)


def _over_cells(title: str, strategy: Any) -> Method:
    """A search of cells over shared weights with such a strategy."""
    return _CELLS._replace(
        title=title,
        config=OneShotConfig(strategy=strategy),
        module="nascore.baselines.one_shot",
        compared=None,
        rival="random",
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
    "darts": _CELLS._replace(
        title="DARTS",
        config=DartsConfig(),
        module="darts.search",
        compared=None,
        rival="random",
        preset="darts_small",
        published="darts_cifar10",
    ),
    "mlpnas": _MLPNAS,
    "mlpnas_random": _MLPNAS._replace(
        title="random", settings={"controller": "random"}, rival=""
    ),
    "bench201_random": _TABLE._replace(rival=""),
    **{
        f"bench201_{strategy.kind}": _on_table(title, strategy)
        for title, strategy in _STRATEGIES.items()
    },
    **{
        strategy.kind: _over_cells(title, strategy)
        for title, strategy in _STRATEGIES.items()
    },
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
        compared=None,
        rival="random",
    ),
    "bench201_state": _on_table("L2NAS's state", StateConfig())._replace(
        module="l2nas.table"
    ),
    "renas": _CELLS._replace(
        title="RENAS",
        config=RenasConfig(),
        module="renas.search",
        compared=None,
        rival="",
        preset="renas_small",
        published="renas_cifar10",
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
        compared=None,
        rival="random",
        preset="nases_small",
    ),
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


def name_with(name: str, config: Any) -> str:
    """The name of the method that settings make of a method.

    Args:
      name: of the method that was asked for.
      config: its settings: with a random controller it is another method.
    """
    values = flatten(config)
    module = find(name).module
    for other in (name, *METHODS):
        method = find(other)
        if method.module == module and all(
            values.get(key) == value for key, value in method.settings.items()
        ):
            return other
    return name


def with_settings(
    name: str, config: Any, given: Mapping[str, Any] | None = None
) -> Any:
    """Gives a configuration the settings that make a method.

    Args:
      name: of the method.
      config: a dataclass of its settings.
      given: what the user gave.

    Raises:
      InputError: something else was given for one of them.
    """
    own = find(name).settings
    for key, value in own.items():
        if given and given.get(key, value) != value:
            raise InputError(
                f"--{key}={given[key]} contradicts the method {name}, which "
                f"is --{key}={value}; leave it out, or name another method"
            )
    return unflatten(config, {**flatten(config), **own})
