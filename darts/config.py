"""What DARTS and its variants need to know; defaults are those of its code.

DARTS is that of Liu et al. (2019, arXiv 1806.09055), PC-DARTS that of Xu et
al. (2020, 1907.05737), DARTS- that of Chu et al. (2021, 2009.01027). Where a
setting names no source, it is DARTS's code, and the paper agrees.
"""

import dataclasses
import math
from typing import ClassVar, Protocol

from nascore.baselines.config import RankCellsConfig
from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.config import MixedSupernetConfig
from nascore.search.config import AfterConfig

# Of PC-DARTS on CIFAR-10; 2 on ImageNet.
_PARTIAL_CHANNELS = 4


class WeightsTraining(Protocol):
    """Settings of the weights, see `darts.config.MixedWeightsConfig`."""

    @property
    def weights_momentum(self) -> float:
        """Momentum; not Nesterov's."""

    @property
    def weights_decay(self) -> float:
        """This times a weight joins its gradient."""

    @property
    def clip_norm(self) -> float:
        """Bound on the norm of the loss's gradient; 0: off."""

    @property
    def loss_limit(self) -> float:
        """A loss above this stops the run."""


@dataclasses.dataclass(frozen=True)
class MixedWeightsConfig:
    """How the weights of mixed cells are trained."""

    kind: ClassVar[str] = "mixed_weights"

    batch_size: int = option(
        64,
        "Images in a step for the weights, and in one for the alphas; 256 "
        "in PC-DARTS.",
    )
    weights_lr_max: float = option(
        0.025,
        "Learning rate of the weights in the first epoch; then along half a "
        "cosine, epoch by epoch. 0.1 in PC-DARTS.",
    )
    weights_lr_min: float = option(
        0.001, "Where the cosine would end; 0 in DARTS's text and in PC-DARTS."
    )
    weights_momentum: float = option(
        0.9, "Momentum of the weights; not Nesterov's."
    )
    weights_decay: float = option(
        3e-4,
        "This times a weight joins its gradient. (That is half of this times "
        "the sum of squares in the loss.) RobustDARTS tries 1, 3, 9, 27 and "
        "81 times as much.",
    )
    clip_norm: float = option(
        5.0, "Bound on the norm of the loss's gradient for the weights; 0: off."
    )
    loss_limit: float = option(
        1e4, "A loss above this stops the run as exploded."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            batch_size=(2, 65536),
            weights_lr_max=(1e-8, 100.0),
            weights_lr_min=(0.0, 100.0),
            weights_momentum=(0.0, 0.99999),
            weights_decay=(0.0, 1.0),
            clip_norm=(0.0, 1e9),
            loss_limit=(0.0, math.inf),
        )
        if self.weights_lr_min > self.weights_lr_max:
            raise InputError(
                f"--weights_lr_min={self.weights_lr_min:g} is above "
                f"--weights_lr_max={self.weights_lr_max:g}; lower it"
            )

    def learning_rate(self, epoch: int, epochs: int) -> float:
        """Of the weights in an epoch.

        Args:
          epoch: from 0.
          epochs: of the search.
        """
        share = (1 + math.cos(math.pi * epoch / epochs)) / 2
        span = self.weights_lr_max - self.weights_lr_min
        return self.weights_lr_min + span * share


@dataclasses.dataclass(frozen=True)
class AlphasConfig:
    """How the alphas are learned."""

    kind: ClassVar[str] = "alphas"

    variant: str = option(
        "darts",
        "darts: as published. pc: PC-DARTS, operations on a part of the "
        "channels, and edges with weights of their own. minus: DARTS-, a "
        "second skip on each edge that fades away, so that skips do not "
        "take over.",
        ("darts", "pc", "minus"),
    )
    order: str = option(
        "first",
        "first: alphas learn at the weights as they are. second: at the "
        "weights after one more step, whose dependence on the alphas is "
        "estimated; about 2.5 times the time of a step. PC-DARTS and DARTS- "
        "have first.",
        ("first", "second"),
    )
    alpha_lr: float = option(
        3e-4, "Adam learning rate of the alphas; 6e-4 in PC-DARTS."
    )
    alpha_beta_1: float = option(0.5, "Adam's decay of the mean gradient.")
    alpha_beta_2: float = option(0.999, "Adam's decay of the mean square.")
    alpha_decay: float = option(
        1e-3, "This times an alpha joins its gradient, before Adam."
    )
    alpha_init: float = option(
        1e-3,
        "Deviation of the first alphas; 0, all alike, in DARTS's text.",
    )
    alpha_from: int = option(
        0,
        "Epochs in the beginning in which only the weights learn; 15 of 50 in "
        "PC-DARTS, 35 of 50 on ImageNet.",
    )
    partial_channels: int = option(
        0,
        "With --variant=pc: one of so many channels passes through the "
        f"operations. 0: {_PARTIAL_CHANNELS}, as on CIFAR-10; 2 on ImageNet.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            alpha_lr=(0.0, 10.0),
            alpha_beta_1=(0.0, 0.999999),
            alpha_beta_2=(0.0, 0.999999),
            alpha_decay=(0.0, 1.0),
            alpha_init=(0.0, 10.0),
            alpha_from=(0, 1_000_000),
            partial_channels=(0, 64),
        )
        if self.partial_channels and self.variant != "pc":
            raise InputError(
                f"--partial_channels={self.partial_channels} means nothing "
                f"with --variant={self.variant}; leave it out, or take "
                "--variant=pc"
            )

    @property
    def channel_groups(self) -> int:
        """One of so many channels passes through the operations."""
        if self.variant != "pc":
            return 1
        return self.partial_channels or _PARTIAL_CHANNELS

    @property
    def method(self) -> str:
        """What a search with these settings is called in its files."""
        named = {"pc": "pc_darts", "minus": "darts_minus"}
        second = "_second" * (self.order == "second")
        return named.get(self.variant, f"darts{second}")


@dataclasses.dataclass(frozen=True)
class StopConfig:
    """When a search ends early, before skips take over."""

    kind: ClassVar[str] = "stop"

    stop_skips: int = option(
        0,
        "End when the derived normal cell has so many skips; 2 in DARTS+ "
        "(Liang et al., 2019, arXiv 1909.06035). 0: do not.",
    )
    stop_stable: int = option(
        0,
        "End when no edge's strongest operation has changed for so many "
        "epochs; 10 in DARTS+. 0: do not.",
    )
    stop_eigenvalue: float = option(
        0.0,
        "End when the largest eigenvalue of the validation loss's Hessian for "
        "the alphas, averaged over 5 epochs, is more than this times what it "
        "was 4 epochs earlier; the cell is that of then. 1.3 in RobustDARTS "
        "(Zela et al., 2020, arXiv 1909.09656). 0: do not.",
    )
    eigenvalue: bool = option(
        False,
        "Measure that eigenvalue after each epoch, also where the search does "
        "not end by it: up to 60 gradients of one batch.",
    )
    stop_from: int = option(
        10,
        "No end before so many epochs with learning alphas. RobustDARTS has "
        "10, and counts up to the earlier of both averages. DARTS+ names "
        "none, but a random cell has two skips once in three.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            stop_skips=(0, 1000),
            stop_stable=(0, 1_000_000),
            stop_eigenvalue=(0.0, 1e6),
            stop_from=(0, 1_000_000),
        )
        if 0 < self.stop_eigenvalue <= 1:
            raise InputError(
                f"--stop_eigenvalue={self.stop_eigenvalue:g} would end a "
                "search whose eigenvalue does not even grow; take more than "
                "1, such as 1.3, or 0 for no such end"
            )

    @property
    def measures_eigenvalue(self) -> bool:
        """Whether the eigenvalue is asked for."""
        return self.eigenvalue or bool(self.stop_eigenvalue)


@dataclasses.dataclass(frozen=True)
class DartsSearchConfig:
    """Length of a search."""

    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    # Not to be changed later: the learning rate's cosine spans them.
    epochs: int = option(50, "Epochs of the search.")

    def __post_init__(self) -> None:
        check_fields(self, seed=(0, 2**31 - 1), epochs=(1, 1_000_000))


@dataclasses.dataclass(frozen=True)
class DartsConfig:
    """Everything that decides the result of a DARTS search.

    Attributes:
      data: the images; weights and alphas have about a half each.
      child: the network of mixed cells.
      alphas: how they are learned.
      weights: how they are trained.
      stop: when the search ends early.
      search: length.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig(validation_fraction=0.44)
    child: MixedSupernetConfig = MixedSupernetConfig()
    alphas: AlphasConfig = AlphasConfig()
    weights: MixedWeightsConfig = MixedWeightsConfig()
    stop: StopConfig = StopConfig()
    search: DartsSearchConfig = DartsSearchConfig()
    after: AfterConfig = AfterConfig()


@dataclasses.dataclass(frozen=True)
class Shared201DartsConfig:
    """Everything that decides the result of DARTS on NAS-Bench-201's cells.

    Attributes:
      data: the images; weights and alphas have about a half each.
      child: the network of mixed cells.
      alphas: how they are learned.
      weights: how they are trained.
      stop: when the search ends early.
      search: length.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig(validation_fraction=0.44)
    child: Bench201SupernetConfig = Bench201SupernetConfig()
    alphas: AlphasConfig = AlphasConfig()
    weights: MixedWeightsConfig = MixedWeightsConfig()
    stop: StopConfig = StopConfig()
    search: DartsSearchConfig = DartsSearchConfig()
    after: RankCellsConfig = RankCellsConfig()


def check_fit(
    alphas: AlphasConfig,
    filters: int,
    precision: str,
    epochs: int,
    halved: bool = True,
) -> None:
    """Checks what the alphas ask of the network and of the search.

    Args:
      alphas: settings.
      filters: channels of the first cells.
      precision: that the network computes in.
      epochs: of the search.
      halved: whether reductions halve the channels that pass the operations.

    Raises:
      InputError: something does not fit.
    """
    if alphas.order == "second" and precision != "float32":
        # They are taken at weights that differ by a norm of 0.01: less than
        # other precisions resolve.
        raise InputError(
            f"--order=second needs --precision=float32, not {precision}: it "
            "takes differences of gradients; or take --order=first"
        )
    if alphas.alpha_from >= epochs:
        raise InputError(
            f"--alpha_from={alphas.alpha_from} leaves no epoch of "
            f"--epochs={epochs} in which alphas learn; lower it"
        )
    # A factorized reduction halves those that pass the operations.
    divisor = (1 + halved) * alphas.channel_groups
    if filters % divisor:
        also = ", and reductions halve these" * halved
        raise InputError(
            f"--filters={filters} must be a multiple of {divisor}: one of "
            f"{alphas.channel_groups} channels passes through the "
            f"operations{also}"
        )
