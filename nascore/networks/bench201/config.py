"""Sizes of networks of NAS-Bench-201's cells; no TensorFlow."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nascore.config import check_fields, option
from nascore.errors import InputError
from nascore.networks.layouts import bench201_layout
from nascore.spaces.bench201 import NODES, OPERATIONS, Bench201Space

LAYOUT = "bench201"
# Of a final training, by its layout.
_PRESETS = {
    "bench201": "--preset=final/bench201",
    "chain": "--preset=final/chain",
    "macro": "--preset=final/macro",
}
# What other layouts have, and the value that says it is not there.
_OFF = {"num_normal_cells": 0, "drop_path_keep_prob": 1, "aux_weight": 0}


@dataclasses.dataclass(frozen=True)
class Bench201SupernetConfig:
    """The network over all cells of NAS-Bench-201; sizes of its authors."""

    filters: int = option(
        16, "Channels of the first stage; each of the others doubles them."
    )
    num_layers: int = option(
        5, "Cells in each of the three stages; the table's networks have 5."
    )
    padding: str = option(
        "torch",
        "Where a stride begins. same: TensorFlow's padding, to the right and "
        "below; torch: PyTorch's, half on each side, as published.",
        ("same", "torch"),
    )
    kernel_init: str = option(
        "torch",
        "First kernels. torch: uniform up to 1 / sqrt(fan-in), as published; "
        "he: He et al., two to three times as large.",
        ("torch", "he"),
    )
    precision: str = option(
        "float32",
        "Of the computations; weights and their update stay float32.",
        ("float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        check_fields(self, filters=(1, 4096), num_layers=(1, 100))

    @property
    def names(self) -> tuple[str, ...]:
        """The operations of an edge, in the order of the space."""
        return OPERATIONS

    @property
    def space(self) -> Bench201Space:
        """The search space of the cells."""
        return Bench201Space()

    @property
    def num_nodes(self) -> int:
        """Nodes of a cell that edges lead into."""
        return NODES - 1

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The kind of each layer, from input to output."""
        return bench201_layout(self.num_layers)

    @property
    def stride_padding(self) -> str:
        """See `nascore.networks.config.CellsConfig`."""
        return self.padding


def check_network(settings: Mapping[str, Any]) -> None:
    """Refuses what a network without cells of two inputs does not have.

    Those are the networks of NAS-Bench-201, of ENAS's macro space and of
    NASES's public code.

    Args:
      settings: of a network, by name.

    Raises:
      InputError: one that it has nothing for.
    """
    for name, off in _OFF.items():
        if settings[name] != off:
            raise InputError(
                f"--layout={settings['layout']} has nothing for "
                f"--{name}={settings[name]:g}; give --{name}={off}, as "
                f"{_PRESETS[settings['layout']]} does"
            )
