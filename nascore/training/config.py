"""What final training needs to know; defaults are those of ENAS's code."""

import dataclasses
import math
from typing import Any

from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.networks.stack import Stack, plan
from nascore.training.exports.formats import parse_formats


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the network is trained."""

    architecture: str = option(
        "",
        "The architecture, as integers separated by spaces; of DARTS's cells "
        "also the genotype, or the name of a published one such as DARTS_V2; "
        "of NAS-Bench-201's the text that it has there.",
    )
    init_from_supernet: str = option(
        "",
        "Start from the shared weights of this search, where shapes agree.",
        path=True,
        resumable=True,
    )
    export: str = option(
        "keras,saved_model",
        "What to export at the end, with commas: keras, saved_model, onnx, "
        "litert, litert_int8, openvino.",
        resumable=True,
    )
    seed: int = option(1, "Fixes everything random in the training.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(
        630, "Passes over the training images.", resumable=True
    )
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
    momentum: float = option(0.9, "Momentum.")
    nesterov: bool = option(True, "Whether the momentum is Nesterov's.")
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
    def architecture(self) -> Any:
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

    def stack(self, image_shape: tuple[int, int, int], classes: int) -> Stack:
        """The plan of its network.

        Args:
          image_shape: (height, width, channels).
          classes: number of logits.

        Raises:
          InputError: see `nascore.networks.stack.plan`.
        """
        return plan(self.network, image_shape, classes, self.architecture)
