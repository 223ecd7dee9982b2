"""How the shared weights are trained and measured; no TensorFlow."""

import dataclasses
import math
from typing import ClassVar

from nascore.config import check_fields, option


@dataclasses.dataclass(frozen=True)
class SharedWeightsConfig:
    """Training of the shared weights, and what a reward is measured on."""

    batch_size: int = option(
        128, "Images in a training step, and in a reward's batch."
    )
    reward_batch_size: int = option(
        0,
        "Validation images that a reward is measured on, where they shall "
        "be more or fewer than --batch_size; 0 takes that.",
    )
    child_lr_max: float = option(
        0.05, "Learning rate of the shared weights after each restart."
    )
    child_lr_min: float = option(0.0005, "Learning rate before a restart.")
    child_lr_period: int = option(
        10, "Epochs of the first cosine; each later one is twice as long."
    )
    child_lr_restart: str = option(
        "full",
        "Learning rate of the first training step after a restart. full: "
        "--child_lr_max; half: the mean of that and --child_lr_min, which "
        "the published code takes by accident, for this one step.",
        ("full", "half"),
    )
    momentum: float = option(0.9, "Nesterov momentum.")
    weight_decay: float = option(
        1e-4, "This times the sum of squared weights joins the loss."
    )
    clip_norm: float = option(
        0.0,
        "Bound on the norm of the loss's gradient; 0 is off, as in the "
        "published runs.",
    )
    loss_limit: float = option(
        1e4, "A child loss above this stops the run as exploded."
    )
    reward_dropout: bool = option(
        False,
        "Leave dropout on while rewards are measured, as the "
        "published code does.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            batch_size=(2, 65536),
            reward_batch_size=(0, 65536),
            child_lr_max=(1e-8, 100.0),
            child_lr_min=(0.0, 100.0),
            child_lr_period=(1, 1_000_000),
            momentum=(0.0, 0.99999),
            weight_decay=(0.0, 1.0),
            clip_norm=(0.0, 1e9),
            loss_limit=(0.0, math.inf),
        )


@dataclasses.dataclass(frozen=True)
class InheritanceConfig:
    """What children take over from their parents, and how they learn.

    The numbers are those of RENAS (Chen et al., 2019), section 3.4.
    """

    inherit: str = option(
        "parent",
        "Weights that children begin with. parent: those of the parent, but "
        "where the child was changed; none: new ones, so that each is trained "
        "from scratch; shared: all architectures have theirs in common, as in "
        "ENAS.",
        ("parent", "none", "shared"),
    )
    inherit_moved: bool = option(
        True,
        "An edge whose operation stays keeps its weights, also where it reads "
        "another tensor. Not printed; ours.",
    )
    inherited_lr: float = option(
        0.001, "Learning rate of weights that were taken over."
    )
    fresh_factor: float = option(
        10.0, "New weights learn with --inherited_lr times this."
    )
    child_passes: int = option(1, "Passes of a child over the training images.")
    initial_passes: int = option(
        1, "The same of those without a parent. Not printed; ours."
    )
    derive_epochs: int = option(
        100,
        "In the end each of the last population is trained from scratch for "
        "so many epochs, and the best one wins; 0: the best fitness wins. Not "
        "printed; ours, after figure 4.",
    )
    derive_lr: float = option(
        0.025,
        "Learning rate of those trainings, along half a cosine to 0 (figure "
        "4).",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            inherited_lr=(0.0, 100.0),
            fresh_factor=(0.0, 1e6),
            child_passes=(1, 100_000),
            initial_passes=(1, 100_000),
            derive_epochs=(0, 1_000_000),
            derive_lr=(0.0, 100.0),
        )


@dataclasses.dataclass(frozen=True)
class ScratchConfig:
    """How long architectures are trained, each for itself, from scratch.

    Learning rates are those of shared weights: cosines with restarts, which
    begin with each architecture.
    """

    child_passes: int = option(
        10,
        "Passes of each architecture over the training images. The public "
        "code of NASES: 10, of 120 architectures; its paper: 70.",
    )

    # What the search adds to them.
    derive_epochs: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_fields(self, child_passes=(1, 100_000))

    @property
    def inheritance(self) -> InheritanceConfig:
        """The same as settings of `InheritanceConfig`."""
        return InheritanceConfig(
            inherit="none",
            fresh_factor=1.0,
            child_passes=self.child_passes,
            initial_passes=self.child_passes,
            derive_epochs=self.derive_epochs,
        )


@dataclasses.dataclass(frozen=True)
class DeriveConfig(ScratchConfig):
    """The same, and the longer training of the best one."""

    derive_epochs: int = option(  # type: ignore[misc]
        0,
        "In the end the best architecture is trained from scratch for so many "
        "epochs (the paper of NASES: 630); 0: what was measured ranks.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, derive_epochs=(0, 1_000_000))


@dataclasses.dataclass(frozen=True)
class ChildWorkConfig:
    """Where architectures are trained; nothing here changes a result."""

    jobs: int = option(
        1,
        "Architectures trained at the same time, in processes of their own: "
        "those that are asked for at once (--num_aggregate). Numbers are the "
        "same where an operation runs on as many threads.",
    )
    backend: str = option(
        "loky",
        "loky: processes of this machine; dask and ray send architectures to "
        "a cluster that has this package and sees the data set.",
        ("loky", "dask", "ray"),
    )
    scheduler: str = option(
        "",
        "Address of the Dask scheduler or the Ray cluster; empty starts one "
        "on this machine.",
    )

    def __post_init__(self) -> None:
        check_fields(self, jobs=(1, 10_000))

    @property
    def parallel(self) -> bool:
        """Whether there are other processes."""
        return self.jobs > 1 or self.backend != "loky"
