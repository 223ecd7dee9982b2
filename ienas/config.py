"""What an I-ENAS search needs to know beyond ENAS."""

import dataclasses
from typing import Any

from enas.config import (
    ControllerConfig,
    EnasConfig,
    OperationControllerConfig,
    RecurrentControllerConfig,
    RecurrentEnasConfig,
    Shared201EnasConfig,
    SharedOperationConfig,
)
from enas.macro.config import MacroEnasConfig
from nascore.baselines.config import TableMethodConfig
from nascore.config import check_fields, option


@dataclasses.dataclass(frozen=True)
class RewardConfig:
    """The reward of I-ENAS (Gallo et al., 2020, section III)."""

    reward_rule: str = option(
        "paper",
        "With s = accuracy / mean of the last accuracies: paper, 0.01 where "
        "s <= threshold, else accuracy * s (equation 1); code, accuracy * "
        "0.01 where s < threshold, else accuracy * s, and accuracies of 0 are "
        "left out of the mean; identity, the accuracy. twice, twice the "
        "accuracy: a control, for near the mean the relative rewards rise "
        "twice as fast as the accuracy, whatever it is compared with.",
        ("paper", "code", "identity", "twice"),
    )
    reward_window: int = option(
        10, "How many accuracies the mean is taken over."
    )
    reward_threshold: float = option(
        0.7, "Below this part of the mean an architecture is penalized."
    )

    def __post_init__(self) -> None:
        check_fields(
            self, reward_window=(1, 1_000_000), reward_threshold=(0.0, 100.0)
        )


@dataclasses.dataclass(frozen=True)
class IenasConfig(EnasConfig):
    """Everything that decides the result of an I-ENAS search."""

    controller: ControllerConfig = ControllerConfig(num_aggregate=3)
    reward: RewardConfig = RewardConfig()


@dataclasses.dataclass(frozen=True)
class TableIenasConfig(TableMethodConfig):
    """Everything that decides the result of I-ENAS over a table.

    Attributes:
      strategy: ENAS's, or any other that learns from rewards.
      reward: what it is told.
    """

    strategy: Any = OperationControllerConfig(num_aggregate=3)
    reward: RewardConfig = RewardConfig()


@dataclasses.dataclass(frozen=True)
class Shared201IenasConfig(Shared201EnasConfig):
    """Everything that decides the result of I-ENAS over its cells.

    Attributes:
      reward: what the policy is told.
    """

    strategy: SharedOperationConfig = SharedOperationConfig(num_aggregate=3)
    reward: RewardConfig = RewardConfig()


@dataclasses.dataclass(frozen=True)
class MacroIenasConfig(MacroEnasConfig):
    """Everything that decides the result of I-ENAS over whole networks.

    Attributes:
      reward: what the policy is told.
    """

    reward: RewardConfig = RewardConfig()


@dataclasses.dataclass(frozen=True)
class RecurrentIenasConfig(RecurrentEnasConfig):
    """Everything that decides the result of I-ENAS over recurrent cells.

    Attributes:
      reward: what the policy is told.
    """

    strategy: RecurrentControllerConfig = RecurrentControllerConfig(
        num_aggregate=3
    )
    reward: RewardConfig = RewardConfig()
