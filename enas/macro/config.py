"""Settings of searches over whole networks; defaults are ENAS's code."""

import dataclasses

from enas.config import LstmPolicyConfig
from nascore.baselines.config import MacroSearchConfig
from nascore.config import check_fields, option


@dataclasses.dataclass(frozen=True)
class MacroControllerConfig(LstmPolicyConfig):
    """The LSTM policy over whole networks, and its training (ENAS, 2.3)."""

    tanh_constant: float = option(
        1.5, "Logits are squashed into [-this, this]."
    )
    temperature: float = option(
        1.0, "Logits are divided by this before they are squashed."
    )
    controller_lr: float = option(0.001, "Adam learning rate.")
    num_aggregate: int = option(
        20, "Architectures whose gradients make one update."
    )
    train_steps: int = option(50, "Controller updates in each epoch.")
    skip_target: float = option(
        0.4, "The part of the possible skips that the penalty asks for."
    )
    skip_weight: float = option(
        0.8,
        "Weight of the penalty: the divergence of the chances of the skips "
        "from --skip_target, a mean over the layers; 0 is off.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(
            self,
            train_steps=(1, 1_000_000),
            skip_target=(0.001, 0.999),
            skip_weight=(0.0, 1e3),
        )


@dataclasses.dataclass(frozen=True)
class MacroEnasConfig(MacroSearchConfig):
    """Everything that decides the result of ENAS over whole networks.

    Attributes:
      strategy: the policy.
    """

    strategy: MacroControllerConfig = MacroControllerConfig()
