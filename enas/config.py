"""What an ENAS search needs to know; defaults are those of its code."""

import dataclasses
import math

from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.networks.config import SupernetConfig


@dataclasses.dataclass(frozen=True)
class ControllerConfig:
    """The LSTM policy and its training (ENAS, sections 2.2 and 2.4)."""

    controller: str = option(
        "lstm",
        "lstm: the policy trained with REINFORCE; random: uniform "
        "architectures over the same shared weights, the baseline.",
        ("lstm", "random"),
    )
    lstm_units: int = option(64, "Units of the controller's LSTM.")
    init_range: float = option(
        0.1, "Controller weights start uniform in [-this, this]."
    )
    tanh_constant: float = option(
        1.10,
        "Logits are squashed into [-this, this]; the I-ENAS paper's "
        "text says 2.5.",
    )
    temperature: float = option(
        1.0,
        "Logits are divided by this before they are squashed; the "
        "I-ENAS paper's text says 5.",
    )
    op_tanh_reduce: float = option(
        2.5, "The tanh constant of operations is divided by this."
    )
    conv_bias: float = option(
        10.0, "Initial logit bias of the convolutions; others start at 0."
    )
    normal_op_bias: float = option(
        0.25,
        "Fixed bias in the first cell type, added to the squashed "
        "logits of convolutions and taken from those of the others.",
    )
    controller_lr: float = option(0.0035, "Adam learning rate.")
    entropy_weight: float = option(
        1e-4, "This times the entropy of the policy joins the reward."
    )
    baseline_decay: float = option(
        0.99, "Decay of the moving average of the rewards."
    )
    num_aggregate: int = option(
        10, "Architectures whose gradients make one update; I-ENAS: 3."
    )
    train_steps: int = option(30, "Controller updates in each epoch.")

    def __post_init__(self) -> None:
        check_fields(
            self,
            lstm_units=(1, 65536),
            init_range=(0.0, 10.0),
            tanh_constant=(1e-3, 1e3),
            temperature=(1e-3, 1e3),
            op_tanh_reduce=(1e-3, 1e3),
            conv_bias=(-1e3, 1e3),
            normal_op_bias=(-1e3, 1e3),
            controller_lr=(0.0, 10.0),
            entropy_weight=(0.0, 1e3),
            baseline_decay=(0.0, 1.0),
            num_aggregate=(1, 10_000),
            train_steps=(1, 1_000_000),
        )


@dataclasses.dataclass(frozen=True)
class ScheduleConfig:
    """Length of the search and the training of the shared weights."""

    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(150, "Epochs of the search.")
    early_stop: bool = option(
        False,
        "Stop, as I-ENAS does, when the best accuracy of the epochs' samples "
        "has not improved for max(100, (1 - mean accuracy of the last ten "
        "rewarded architectures) * 5 * max(10, epoch // 4)) epochs.",
    )
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
    epoch_samples: int = option(
        50, "Architectures sampled and scored after each epoch."
    )
    best_count: int = option(40, "Length of the list of the best ones seen.")
    derive_samples: int = option(
        10, "Architectures scored on the whole validation set at the end."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            seed=(0, 2**31 - 1),
            epochs=(1, 1_000_000),
            batch_size=(2, 65536),
            reward_batch_size=(0, 65536),
            child_lr_max=(1e-8, 100.0),
            child_lr_min=(0.0, 100.0),
            child_lr_period=(1, 1_000_000),
            momentum=(0.0, 0.99999),
            weight_decay=(0.0, 1.0),
            clip_norm=(0.0, 1e9),
            loss_limit=(0.0, math.inf),
            epoch_samples=(1, 1_000_000),
            best_count=(1, 1_000_000),
            derive_samples=(1, 1_000_000),
        )


@dataclasses.dataclass(frozen=True)
class EnasConfig:
    """Everything that decides the result of an ENAS search."""

    data: DataConfig = DataConfig()
    child: SupernetConfig = SupernetConfig()
    controller: ControllerConfig = ControllerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
