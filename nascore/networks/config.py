"""Sizes and layouts of networks, in a search and after it; no TensorFlow."""

import dataclasses
from typing import Any, ClassVar

from nascore.config import check_fields, option
from nascore.networks.bench201.config import LAYOUT as BENCH201
from nascore.networks.bench201.config import check_network
from nascore.networks.chain.config import LAYOUT as CHAIN
from nascore.networks.chain.config import MORE_CHANNELS, more_channels_option
from nascore.networks.layouts import (
    CELLS,
    IMAGENET,
    LAYOUTS,
    REDUCTION,
    block_layout,
    check_stem,
    darts_layout,
    ienas_layout,
    stem_cells,
)
from nascore.networks.macro.config import LAYOUT as MACRO
from nascore.networks.macro.config import check_even, network_space
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import ENAS_OPERATIONS, CellSpace
from nascore.spaces.chain import ChainSpace
from nascore.spaces.darts_cells import DARTS_OPERATIONS, DartsSpace

DARTS = "darts"

_FILTERS = "Channels before the first reduction; each reduction doubles them."
_REDUCTION_CELLS = (
    "Reduction cells of the layout that --num_normal_cells chooses."
)
_KEEP_PROB = "Part of the last features that dropout keeps in training."
_PADDING = (
    "Where a stride begins. same: TensorFlow's padding, to the right and "
    "below; torch: PyTorch's, half on each side, as published for DARTS."
)
_PADDINGS = ("same", "torch")
# What an edge of a mixed cell may hold, beside what a derived one may.
NONE = "none"


@dataclasses.dataclass(frozen=True)
class CellsConfig:
    """Cells, and how they are stacked; defaults are those of ENAS's search."""

    operations: str = option(
        ",".join(ENAS_OPERATIONS), "Operations of the cells, with commas."
    )
    num_nodes: int = option(5, "Nodes in each cell.")
    filters: int = option(20, _FILTERS)
    num_layers: int = option(
        6,
        "Layout of the published code: this many layers and two more, "
        "with reductions at d, 2d + 1 and num_layers, where d = "
        "num_layers // 4.",
    )
    num_normal_cells: int = option(
        0,
        "Layout of the paper's text: this many normal cells, in "
        "--num_reduction_cells blocks that each end in a reduction cell; "
        "replaces --num_layers. 0 is off.",
    )
    num_reduction_cells: int = option(3, _REDUCTION_CELLS)

    # What a derived class may have other bounds for, or adds.
    _bounds: ClassVar[dict[str, tuple[float, float]]] = {
        "num_layers": (2, 100),
        "num_normal_cells": (0, 100),
    }

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "num_nodes": (1, 20),
            "filters": (2, 4096),
            "num_reduction_cells": (0, 8),
            **self._bounds,
        }
        check_fields(self, **bounds)
        check_even(self.filters)
        _ = self.space  # Raises on repeated operations.

    @property
    def space(self) -> CellSpace:
        """The search space of the cells, that architectures are read in."""
        return CellSpace(self._names, self.num_nodes)

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.operations.replace(",", " ").split())

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The cell type of each layer, from input to output."""
        if self.num_normal_cells:
            return block_layout(self.num_normal_cells, self.num_reduction_cells)
        return self._published_layout()

    def _published_layout(self) -> tuple[str, ...]:
        return ienas_layout(self.num_layers)

    @property
    def darts(self) -> bool:
        """Whether cells are joined as in DARTS's code, or as in ENAS's."""
        return False

    @property
    def stem_kind(self) -> str:
        """What stands before the cells, see `NetworkConfig`."""
        return "small"

    @property
    def stride_padding(self) -> str:
        """See `nascore.networks.operations.base.Options`."""
        return "same"

    @property
    def aux_layer(self) -> int | None:
        """The layer whose output the auxiliary head reads, if there is one."""
        return None


@dataclasses.dataclass(frozen=True)
class StackConfig(CellsConfig):
    """What a stack of cells is made of, in a search and after it.

    Defaults are those of a search; `NetworkConfig` has those of a final
    network.
    """

    keep_prob: float = option(0.9, _KEEP_PROB)
    aux_weight: float = option(
        0.4, "Weight of the auxiliary head's loss; 0 leaves the head out."
    )

    _bounds: ClassVar[dict[str, tuple[float, float]]] = {
        **CellsConfig._bounds,
        "keep_prob": (0.01, 1.0),
        "aux_weight": (0.0, 100.0),
    }

    @property
    def aux_layer(self) -> int | None:
        """The one after the second reduction."""
        kinds = self.layer_types
        places = [n + 1 for n, kind in enumerate(kinds) if kind == REDUCTION]
        place = 1 + stem_cells(self.stem_kind)
        if self.aux_weight and len(places) > place:
            return places[place] if places[place] < len(kinds) else None
        return None


@dataclasses.dataclass(frozen=True)
class SupernetConfig(StackConfig):
    """The child network during search (ENAS, section 2.4 and its code)."""

    slot_init: str = option(
        "code",
        "Initial deviation of the shared kernels. code: sqrt(2 / number of "
        "slots of the node), as the published code has it, whatever the "
        "kernel; kernel: sqrt(2 / fan-in of the kernel), He et al. proper.",
        ("code", "kernel"),
    )
    precision: str = option(
        "float32",
        "Of the computations; weights and their update stay float32.",
        ("float32", "bfloat16"),
    )


@dataclasses.dataclass(frozen=True)
class MixedSupernetConfig(CellsConfig):
    """The network of mixed cells (Liu et al., 2019, section 3.1, and code)."""

    operations: str = option(
        ",".join((NONE, *DARTS_OPERATIONS)),
        "Operations that every edge mixes, with commas; of equal ones the "
        f"first is derived, and {NONE} never.",
    )
    num_nodes: int = option(4, "Nodes in each cell.")
    filters: int = option(16, _FILTERS)
    num_layers: int = option(
        8,
        "Layers of the layout of DARTS's code, with reductions at num_layers "
        "// 3 and 2 num_layers // 3.",
    )
    num_normal_cells: int = option(
        0,
        "Other places of the reduction cells than those of --num_layers: this "
        "many normal cells, in --num_reduction_cells blocks that each end in "
        "a reduction cell. 0 is off.",
    )
    num_reduction_cells: int = option(2, _REDUCTION_CELLS)
    padding: str = option("same", _PADDING, _PADDINGS)
    kernel_init: str = option(
        "torch",
        "First kernels. torch: uniform up to 1 / sqrt(fan-in), as in DARTS's "
        "code; he: He et al., as those of final networks here, which are "
        "two to three times as large.",
        ("torch", "he"),
    )
    precision: str = option(
        "float32",
        "Of the computations; weights and their update stay float32.",
        ("float32", "bfloat16"),
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The operations of an edge, in the order of its alphas."""
        return self._names

    @property
    def space(self) -> CellSpace:
        """The cells that can be derived."""
        names = tuple(name for name in self._names if name != NONE)
        return DartsSpace(names, self.num_nodes)

    @property
    def darts(self) -> bool:
        """See `CellsConfig.darts`."""
        return True

    @property
    def stride_padding(self) -> str:
        """See `CellsConfig.stride_padding`."""
        return self.padding

    def _published_layout(self) -> tuple[str, ...]:
        return darts_layout(self.num_layers)


@dataclasses.dataclass(frozen=True)
class NetworkConfig(StackConfig):
    """Size and regularization of the network of one architecture."""

    filters: int = option(36, _FILTERS)
    num_layers: int = option(
        15,
        "Layers; --layout=enas and ienas add two; of bench201 the cells of "
        "each of its three stages; of macro those of the architecture.",
    )
    num_normal_cells: int = option(
        0,
        "Other places of the reduction cells than those of --num_layers and "
        "--layout: this many normal cells, in --num_reduction_cells blocks "
        "that each end in a reduction cell. 0 is off.",
    )
    num_reduction_cells: int = option(2, _REDUCTION_CELLS)
    keep_prob: float = option(0.8, _KEEP_PROB)
    layout: str = option(
        "enas",
        "Where the reduction cells stand, and what joins the cells. enas: "
        "ENAS's code, two of them, at num_layers // 3 and 2 (num_layers // 3) "
        "+ 1; ienas: I-ENAS's, three, at d, 2d + 1 and num_layers, d = "
        "num_layers // 4; darts: DARTS's, two, at num_layers // 3 and 2 "
        "num_layers // 3, for cells of which all nodes are concatenated; "
        "bench201: the network of NAS-Bench-201, for its cells; macro: a "
        "network of ENAS's macro space, without cells; chain: layers of four "
        "numbers, NASES's code.",
        tuple(LAYOUTS),
    )
    stem: str = option(
        "small",
        "What stands before the cells. small: a 3x3 convolution; for large "
        "images, imagenet: three with stride 2, as in DARTS's code; cells: "
        "one with stride 2, and two reduction cells, as in RENAS's.",
        ("small", IMAGENET, CELLS),
    )
    padding: str = option("same", _PADDING, _PADDINGS)
    more_channels: int = more_channels_option()
    drop_path_keep_prob: float = option(
        0.6,
        "Chance that an operation of the last layer is kept at the end of "
        "training; earlier epochs keep more, and so do earlier layers but "
        "for --layout=darts. 1 is off.",
    )

    _bounds: ClassVar[dict[str, tuple[float, float]]] = {
        **StackConfig._bounds,
        "num_layers": (1, 200),
        "num_normal_cells": (0, 200),
        "more_channels": MORE_CHANNELS,
        "drop_path_keep_prob": (0.01, 1.0),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_stem(self.stem, self.layout, self.filters)
        if self.layout in (BENCH201, CHAIN, MACRO):
            check_network(dataclasses.asdict(self))

    @property
    def darts(self) -> bool:
        """See `CellsConfig.darts`."""
        return self.layout == DARTS

    @property
    def stem_kind(self) -> str:
        """See `CellsConfig.stem_kind`."""
        return self.stem

    @property
    def layer_types(self) -> tuple[str, ...]:
        """See `CellsConfig.layer_types`; with the cells of the stem."""
        return (REDUCTION,) * stem_cells(self.stem_kind) + super().layer_types

    @property
    def stride_padding(self) -> str:
        """See `CellsConfig.stride_padding`."""
        return self.padding

    @property
    def space(self) -> Any:
        """See `CellsConfig.space`; that of the layout."""
        if self.layout == BENCH201:
            return Bench201Space()
        if self.layout == MACRO:
            return network_space(self._names, self.num_layers)
        if self.layout == CHAIN:
            return ChainSpace(self.num_layers)
        if self.darts:
            return DartsSpace(self._names, self.num_nodes)
        return super().space

    def _published_layout(self) -> tuple[str, ...]:
        return LAYOUTS[self.layout](self.num_layers)

    @property
    def aux_layer(self) -> int | None:
        """See `StackConfig.aux_layer`; in DARTS the second reduction."""
        if not self.darts:
            return super().aux_layer
        kinds = enumerate(self.layer_types)
        places = [number for number, kind in kinds if kind == REDUCTION]
        return places[1] if self.aux_weight and len(places) > 1 else None

    def for_inference(self) -> "NetworkConfig":
        """The same network without what only training needs."""
        return dataclasses.replace(
            self, keep_prob=1.0, drop_path_keep_prob=1.0, aux_weight=0.0
        )
