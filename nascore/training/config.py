"""What final training needs to know; defaults are those of ENAS's code."""

import dataclasses
import math

from nascore.config import DataConfig, check_fields, option
from nascore.errors import InputError
from nascore.networks import stack as layout
from nascore.spaces.cells import ENAS_OPERATIONS, Architecture, CellSpace
from nascore.training.exports.formats import parse_formats


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


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the network is trained."""

    architecture: str = option(
        "", "The architecture, as integers separated by spaces."
    )
    init_from_supernet: str = option(
        "",
        "Start from the shared weights of this search, where shapes agree.",
        path=True,
    )
    export: str = option(
        "keras,saved_model",
        "What to export at the end, with commas: keras, saved_model, onnx.",
    )
    seed: int = option(1, "Fixes everything random in the training.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(630, "Passes over the training images.")
    batch_size: int = option(144, "Images in a training step.")
    accumulate: int = option(
        1,
        "Split each batch into this many parts, one after the other, and add "
        "their gradients up: less memory, the same update but for batch "
        "normalization, which sees the parts.",
    )
    train_on_all: bool = option(
        False,
        "Train on the validation images, too; there is no validation curve "
        "then.",
    )
    lr_max: float = option(0.05, "Learning rate at the start of a cosine.")
    lr_min: float = option(0.0001, "Learning rate at its end.")
    lr_period: int = option(
        10,
        "Epochs of the first cosine; each later one is twice as long. 0: one "
        "cosine over all epochs.",
    )
    lr_restart: str = option(
        "full",
        "Learning rate of the first step after a restart. full: --lr_max; "
        "half: the mean of that and --lr_min, which the published code takes "
        "by accident, for this one step.",
        ("full", "half"),
    )
    lr_by_step: bool = option(
        False,
        "Lower the learning rate at every step instead of every epoch.",
    )
    warmup_epochs: float = option(
        0.0, "The learning rate rises from 0 in the first so many epochs."
    )
    momentum: float = option(0.9, "Nesterov momentum.")
    weight_decay: float = option(
        2e-4, "This times the sum of squared weights joins the loss."
    )
    clip_norm: float = option(
        0.0, "Bound on the norm of the gradient; 0 is off."
    )
    label_smoothing: float = option(
        0.0, "Part of each label that is spread over all classes."
    )
    ema_decay: float = option(
        0.0,
        "Evaluate and export a moving average of the weights with this "
        "decay per step, with a smaller one after t < 40 / (1 - decay) steps: "
        "(1 + t) / (40 + t). 0 is off.",
    )
    precision: str = option(
        "float32",
        "Of the computations; weights stay float32. float16 needs a GPU.",
        ("float32", "bfloat16", "float16"),
    )
    distribute: str = option(
        "none",
        "mirrored: all GPUs of this machine; multiworker: the machines that "
        "TF_CONFIG names. --batch_size is that of all devices together.",
        ("none", "mirrored", "multiworker"),
    )
    loss_limit: float = option(
        1e4, "A loss above this stops the training as exploded."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            seed=(0, 2**31 - 1),
            epochs=(1, 1_000_000),
            batch_size=(2, 65536),
            accumulate=(1, 65536),
            lr_max=(1e-8, 100.0),
            lr_min=(0.0, 100.0),
            lr_period=(0, 1_000_000),
            warmup_epochs=(0.0, 1e6),
            momentum=(0.0, 0.99999),
            weight_decay=(0.0, 1.0),
            clip_norm=(0.0, 1e9),
            label_smoothing=(0.0, 0.99),
            ema_decay=(0.0, 0.999999),
            loss_limit=(0.0, math.inf),
        )
        if self.lr_min > self.lr_max:
            raise InputError(
                f"--lr_min={self.lr_min} must not be above "
                f"--lr_max={self.lr_max}"
            )
        if self.batch_size % self.accumulate:
            raise InputError(
                f"--batch_size={self.batch_size} must be a multiple of "
                f"--accumulate={self.accumulate}"
            )
        _ = self.formats  # Raises on unknown ones.

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats to export."""
        return parse_formats(self.export)


@dataclasses.dataclass(frozen=True)
class FinalConfig:
    """Everything that decides the result of a final training."""

    data: DataConfig = DataConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()

    def __post_init__(self) -> None:
        if self.data.split != "clean":
            raise InputError(
                "final training needs --split=clean: the official test set "
                "is for the last evaluation only"
            )
        if self.training.architecture:
            _ = self.architecture

    @property
    def architecture(self) -> Architecture:
        """The architecture that is trained.

        Raises:
          InputError: there is none, or it does not parse.
        """
        if not self.training.architecture:
            raise InputError(
                'name an architecture with --architecture="..." or '
                "--from_run=RUN"
            )
        return self.network.space.parse(self.training.architecture)
