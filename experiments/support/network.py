"""The network that an architecture needs: as its space says, or the user."""

from collections.abc import Mapping
from typing import Any

from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.networks.chain.config import ChainConfig
from nascore.networks.config import (
    BENCH201,
    CHAIN,
    DARTS,
    MACRO,
    NetworkConfig,
)
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import NODE_INPUTS, CellSpace, nodes_in
from nascore.spaces.chain import ChainSpace, is_chain
from nascore.spaces.darts_cells import DARTS_OPERATIONS, DartsSpace
from nascore.spaces.genotypes import is_genotype, read_genotype
from nascore.spaces.macro import MACRO_OPERATIONS, MacroSpace, macro_layers
from nascore.spaces.published import PublishedCell
from nascore.spaces.space import Space

# What networks without cells of two inputs do not have.
_OFF = {"drop_path_keep_prob": 1.0, "aux_weight": 0.0}
_BENCH201 = {"layout": BENCH201, **_OFF}
_MACRO = {"layout": MACRO, **_OFF}
# Settings that make the space of cells.
SPACE = ("operations", "num_nodes")


def read_cells(
    text: str, network: NetworkConfig, given: Mapping[str, Any]
) -> tuple[NetworkConfig, tuple[str, ...]]:
    """Takes the space from a text of cells, as far as it is not given.

    A text of integers says how many nodes there are; a genotype also that
    they are DARTS's.

    Args:
      text: the architecture.
      network: its settings.
      given: those that the user gave.

    Returns:
      The settings, and lines on what was taken for granted.

    Raises:
      InputError: a genotype in another layout.
    """
    if "~" in text:
        return _read_bench201(network, given)
    if is_chain(text):
        return _read_chain(text.count("|") + 1, network, given)
    if given.get("layout", MACRO) == MACRO and (
        macro_layers(text) or "layout" in given
    ):
        return _read_macro(text, network, given)
    values: dict[str, Any] = {}
    nodes = nodes_in(text)
    if is_genotype(text):
        if not given.get("layout", DARTS) == DARTS:
            raise InputError(
                f"a genotype needs --layout={DARTS}, which joins all nodes of "
                f"a cell. Received: --layout={given['layout']}"
            )
        values["layout"] = DARTS
        nodes = len(read_genotype(text).normal) // NODE_INPUTS
    if nodes is None or all(name in given for name in SPACE):
        return (with_values(network, values) if values else network), ()
    values["num_nodes"] = nodes
    if DARTS in (values.get("layout"), given.get("layout")):
        values["operations"] = ",".join(DARTS_OPERATIONS)
    own = {name: x for name, x in values.items() if name not in given}
    network = with_values(network, own) if own else network
    cells = " and ".join(network.space.cell_types)
    operations = ", ".join(
        f"{place} {name}" for place, name in enumerate(network.space.operations)
    )
    plural = "s" * (network.num_nodes > 1)
    also = f"; --layout={DARTS}" * ("layout" in own)
    note = (
        f"taken as a {cells} cell of {network.num_nodes} node{plural} each "
        f"(--num_nodes) of the operations {operations} (--operations){also}"
    )
    return network, (note,)


def _read_bench201(
    network: NetworkConfig, given: Mapping[str, Any]
) -> tuple[NetworkConfig, tuple[str, ...]]:
    """`read_cells` of a cell of NAS-Bench-201."""
    odd = [name for name in SPACE if name in given]
    if given.get("layout", BENCH201) != BENCH201:
        odd.append("layout")
    if odd:
        raise InputError(
            f"--{odd[0]}={given[odd[0]]} is not for a cell of NAS-Bench-201; "
            "leave it out"
        )
    own = {k: v for k, v in _BENCH201.items() if k not in given}
    note = "taken as a cell of NAS-Bench-201; " + ", ".join(
        f"--{name}={value}" for name, value in own.items()
    )
    return with_values(network, own), (note,) if own else ()


def _read_macro(
    text: str, network: NetworkConfig, given: Mapping[str, Any]
) -> tuple[NetworkConfig, tuple[str, ...]]:
    """`read_cells` of a whole network, whose text says its layers."""
    names = MACRO_OPERATIONS
    if "operations" in given:
        names = tuple(given["operations"].replace(",", " ").split())
    layers = macro_layers(text) or network.num_layers
    values = settings_of(MacroSpace(names, layers), given)
    values |= {k: v for k, v in given.items() if k in _MACRO}
    network = with_values(network, values)
    listed = ", ".join(f"{place} {name}" for place, name in enumerate(names))
    note = (
        f"taken as a whole network of {layers} layers (--layout={MACRO}) of "
        f"the operations {listed} (--operations)"
    )
    return network, () if "layout" in given else (note,)


def _read_chain(
    layers: int, network: NetworkConfig, given: Mapping[str, Any]
) -> tuple[NetworkConfig, tuple[str, ...]]:
    """`read_cells` of a chain of layers of four numbers."""
    needs = {"layout": CHAIN, "num_layers": layers}
    odd = [name for name in SPACE if name in given]
    odd += [name for name, x in needs.items() if given.get(name, x) != x]
    if odd:
        raise InputError(
            f"--{odd[0]}={given[odd[0]]} is not for a chain of {layers} "
            "layers; leave it out"
        )
    usual = {**_OFF, **needs, "filters": ChainConfig().filters}
    own = {k: v for k, v in usual.items() if k not in given}
    note = f"taken as a chain of {layers} layers; " + ", ".join(
        f"--{name}={value:g}"
        for name, value in own.items()
        if name not in needs
    )
    return with_values(network, own), (note,) if len(own) > len(needs) else ()


def read_published(
    cell: PublishedCell, network: NetworkConfig, given: Mapping[str, Any]
) -> NetworkConfig:
    """The settings of a network of a published cell.

    Raises:
      InputError: others were given.
    """
    values = settings_of(cell.space, given)
    for name, value in values.items():
        if given.get(name, value) != value:
            raise InputError(
                f"--{name}={given[name]} contradicts the published cell, "
                f"which has {value}; leave it out"
            )
    return with_values(network, values)


def settings_of(space: Space, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a network for the cells of a run.

    Args:
      space: of the run.
      given: settings that the user gave.

    Raises:
      InputError: a layout that joins other tensors than the run's cells do.
    """
    if isinstance(space, Bench201Space):
        _read_bench201(NetworkConfig(), given)  # Raises.
        return dict(_BENCH201)
    if isinstance(space, MacroSpace):
        return _settings_of_macro(space, given)
    if isinstance(space, ChainSpace):
        network, _ = _read_chain(space.num_layers, NetworkConfig(), given)
        names = ("layout", "num_layers", "filters", *_OFF)
        return {name: getattr(network, name) for name in names}
    if not isinstance(space, CellSpace):
        raise AssertionError(space)
    values = {
        "operations": ",".join(space.operations),
        "num_nodes": space.num_nodes,
    }
    darts = isinstance(space, DartsSpace)
    if "layout" in given and (given["layout"] == DARTS) != darts:
        own, ends = "enas or ienas", "loose ends"
        if darts:
            own, ends = DARTS, "nodes"
        raise InputError(
            f"the cells of the run are made of their {ends}; choose "
            f"--layout={own}. Received: --layout={given['layout']}"
        )
    return {**values, "layout": DARTS} if darts else values


def _settings_of_macro(
    space: MacroSpace, given: Mapping[str, Any]
) -> dict[str, Any]:
    """`settings_of` for whole networks."""
    if given.get("layout", MACRO) != MACRO:
        raise InputError(
            f"a whole network needs --layout={MACRO}. Received: "
            f"--layout={given['layout']}"
        )
    if given.get("num_layers", space.num_layers) != space.num_layers:
        raise InputError(
            f"--num_layers={given['num_layers']} contradicts the "
            f"architecture, which has {space.num_layers} layers; leave it "
            "out, or take a preset for such networks, as "
            "--preset=final/macro_quick"
        )
    return {
        **_MACRO,
        "num_layers": space.num_layers,
        "operations": ",".join(space.operations),
    }


def with_values(network: NetworkConfig, values: Mapping[str, Any]) -> Any:
    """The same settings but for some."""
    return unflatten(network, {**flatten(network), **values})
