"""Alphas of a recurrent cell; NumPy only.

Each node reads all earlier ones, and keeps its strongest input with its
strongest function; `none` is never taken (Liu et al., 2019, section 3.1.2, and
its code). Node 0 is the first one.
"""

import dataclasses
import functools
from typing import Any

from darts.layout import AlphaLayout
from nascore.networks.config import NONE
from nascore.spaces.recurrent import FUNCTIONS, RecurrentCell, RecurrentSpace


@dataclasses.dataclass(frozen=True)
class RecurrentLayout(AlphaLayout):
    """Which alpha belongs to which edge and function; of one cell type."""

    operations: tuple[str, ...] = (NONE, *FUNCTIONS)
    num_nodes: int = 8
    cell_types: tuple[str, ...] = ("cell",)

    def __post_init__(self) -> None:
        pass

    @functools.cached_property
    def derived(self) -> Any:
        """See `AlphaLayout.derived`."""
        names = tuple(name for name in self.operations if name != NONE)
        return RecurrentSpace(names, self.num_nodes)

    @property
    def derived_edges(self) -> int:
        """See `AlphaLayout.derived_edges`."""
        return self.num_nodes

    @property
    def titles(self) -> tuple[str, ...]:
        """See `AlphaLayout.titles`."""
        return ("cell",)

    def tensor_name(self, tensor: int) -> str:
        """See `AlphaLayout.tensor_name`."""
        return f"node {tensor}"

    def chosen(
        self, architecture: RecurrentCell
    ) -> list[dict[tuple[int, int], str]]:
        """See `AlphaLayout.chosen`."""
        names = self.derived.functions
        return [
            {
                (source, node): names[function]
                for node, (source, function) in enumerate(architecture.nodes, 1)
            }
        ]

    @functools.cached_property
    def incoming(self) -> tuple[int, ...]:
        """See `AlphaLayout.incoming`."""
        return tuple(range(1, self.num_nodes + 1))
