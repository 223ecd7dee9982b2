"""Alphas of NAS-Bench-201's cell; NumPy only.

All six edges are kept, each with its strongest operation, `none` among them
(Dong and Yang, 2020, and its code). Node 0 is the input.
"""

import dataclasses
import functools
from typing import Any

from darts.layout import AlphaLayout
from nascore.networks.layouts import Wiring
from nascore.spaces.bench201 import (
    EDGES,
    NODES,
    OPERATIONS,
    Bench201Cell,
    Bench201Space,
)


@dataclasses.dataclass(frozen=True)
class Bench201Layout(AlphaLayout):
    """Which alpha belongs to which edge and operation; of one cell type."""

    operations: tuple[str, ...] = OPERATIONS
    num_nodes: int = NODES - 1
    cell_types: tuple[str, ...] = ("cell",)

    def __post_init__(self) -> None:
        pass

    @functools.cached_property
    def derived(self) -> Any:
        """See `AlphaLayout.derived`."""
        return Bench201Space()

    @property
    def derivable(self) -> list[bool]:
        """See `AlphaLayout.derivable`."""
        return [True] * len(self.operations)

    @property
    def derived_edges(self) -> int:
        """See `AlphaLayout.derived_edges`."""
        return len(EDGES)

    @property
    def titles(self) -> tuple[str, ...]:
        """See `AlphaLayout.titles`."""
        return ("cell",)

    def tensor_name(self, tensor: int) -> str:
        """See `AlphaLayout.tensor_name`."""
        return {0: "input", NODES - 1: "output"}.get(tensor, f"node {tensor}")

    def chosen(
        self, architecture: Bench201Cell
    ) -> list[dict[tuple[int, int], str]]:
        """See `AlphaLayout.chosen`."""
        return [dict(zip(EDGES, architecture.names, strict=True))]

    @functools.cached_property
    def incoming(self) -> tuple[int, ...]:
        """See `AlphaLayout.incoming`."""
        return tuple(range(1, NODES))

    @property
    def wiring(self) -> Wiring:
        """See `AlphaLayout.wiring`."""
        return Wiring(1, self.edges)
