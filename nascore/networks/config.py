"""Sizes and layouts of networks, in a search and after it; no TensorFlow."""

import dataclasses

from nascore.config import check_fields, option
from nascore.errors import InputError
from nascore.networks import stack as layout
from nascore.spaces.cells import ENAS_OPERATIONS, CellSpace


@dataclasses.dataclass(frozen=True)
class SupernetConfig:
    """The child network during search (ENAS, section 2.4 and its code)."""

    operations: str = option(
        ",".join(ENAS_OPERATIONS), "Operations of the cells, with commas."
    )
    num_nodes: int = option(5, "Nodes in each cell.")
    filters: int = option(
        20, "Channels before the first reduction; each reduction doubles them."
    )
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
    num_reduction_cells: int = option(
        3, "Reduction cells of the layout that --num_normal_cells chooses."
    )
    keep_prob: float = option(
        0.9, "Part of the last features that dropout keeps in training."
    )
    slot_init: str = option(
        "code",
        "Initial deviation of the shared kernels. code: sqrt(2 / number of "
        "slots of the node), as the published code has it, whatever the "
        "kernel; kernel: sqrt(2 / fan-in of the kernel), He et al. proper.",
        ("code", "kernel"),
    )
    aux_weight: float = option(
        0.4, "Weight of the auxiliary head's loss; 0 leaves the head out."
    )
    precision: str = option(
        "float32",
        "Of the computations; weights and their update stay float32.",
        ("float32", "bfloat16"),
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            num_nodes=(1, 20),
            filters=(2, 4096),
            num_layers=(2, 100),
            num_normal_cells=(0, 100),
            num_reduction_cells=(0, 8),
            keep_prob=(0.01, 1.0),
            aux_weight=(0.0, 100.0),
        )
        if self.filters % 2:
            raise InputError(
                f"--filters={self.filters} must be even: a factorized "
                "reduction gives half of them to each of its two paths"
            )
        _ = self.space  # Raises on repeated operations.

    @property
    def space(self) -> CellSpace:
        """The search space of the cells."""
        names = self.operations.replace(",", " ").split()
        return CellSpace(tuple(names), self.num_nodes)

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The cell type of each layer, from input to output."""
        if self.num_normal_cells:
            return layout.block_layout(
                self.num_normal_cells, self.num_reduction_cells
            )
        return layout.ienas_layout(self.num_layers)

    @property
    def aux_layer(self) -> int | None:
        """The layer whose output the auxiliary head reads, if there is one."""
        if not self.aux_weight:
            return None
        return layout.auxiliary_layer(self.layer_types)


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """Size and regularization of the network of one architecture."""

    operations: str = option(
        ",".join(ENAS_OPERATIONS), "Operations of the cells, with commas."
    )
    num_nodes: int = option(5, "Nodes in each cell.")
    filters: int = option(
        36, "Channels before the first reduction; each reduction doubles them."
    )
    num_layers: int = option(15, "Layers; --layout adds two.")
    layout: str = option(
        "enas",
        "Where the reduction cells stand. enas: the code of ENAS, two of "
        "them, at num_layers // 3 and 2 (num_layers // 3) + 1; ienas: that "
        "of I-ENAS, three, at d, 2d + 1 and num_layers, d = num_layers // 4.",
        ("enas", "ienas"),
    )
    num_normal_cells: int = option(
        0,
        "Another layout, which replaces --num_layers and --layout: this many "
        "normal cells, in --num_reduction_cells blocks that each end in a "
        "reduction cell. 0 is off.",
    )
    num_reduction_cells: int = option(
        2, "Reduction cells of the layout that --num_normal_cells chooses."
    )
    keep_prob: float = option(
        0.8, "Part of the last features that dropout keeps in training."
    )
    drop_path_keep_prob: float = option(
        0.6,
        "Chance that an operation of the last layer is kept at the end of "
        "training; earlier layers and epochs keep more. 1 is off.",
    )
    aux_weight: float = option(
        0.4, "Weight of the auxiliary head's loss; 0 leaves the head out."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            num_nodes=(1, 20),
            filters=(2, 4096),
            num_layers=(1, 200),
            num_normal_cells=(0, 200),
            num_reduction_cells=(0, 8),
            keep_prob=(0.01, 1.0),
            drop_path_keep_prob=(0.01, 1.0),
            aux_weight=(0.0, 100.0),
        )
        if self.filters % 2:
            raise InputError(
                f"--filters={self.filters} must be even: a factorized "
                "reduction gives half of them to each of its two paths"
            )
        _ = self.space  # Raises on repeated operations.

    @property
    def space(self) -> CellSpace:
        """The search space that architectures are read in."""
        names = self.operations.replace(",", " ").split()
        return CellSpace(tuple(names), self.num_nodes)

    @property
    def layer_types(self) -> tuple[str, ...]:
        """The cell type of each layer, from input to output."""
        if self.num_normal_cells:
            return layout.block_layout(
                self.num_normal_cells, self.num_reduction_cells
            )
        if self.layout == "enas":
            return layout.enas_layout(self.num_layers)
        return layout.ienas_layout(self.num_layers)

    @property
    def aux_layer(self) -> int | None:
        """The layer whose output the auxiliary head reads, if there is one."""
        if not self.aux_weight:
            return None
        return layout.auxiliary_layer(self.layer_types)

    def for_inference(self) -> "NetworkConfig":
        """The same network without what only training needs."""
        return dataclasses.replace(
            self, keep_prob=1.0, drop_path_keep_prob=1.0, aux_weight=0.0
        )
