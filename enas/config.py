"""What an ENAS search needs to know; defaults are those of its code."""

import dataclasses
from typing import ClassVar

from nascore.baselines.config import (
    Bench201SearchConfig,
    RecurrentSearchConfig,
    TableMethodConfig,
)
from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.search.config import AfterConfig, SearchConfig


@dataclasses.dataclass(frozen=True)
class LstmPolicyConfig:
    """What the LSTM policies of all spaces have (ENAS, section 2.2)."""

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

    def __post_init__(self) -> None:
        check_fields(
            self,
            lstm_units=(1, 65536),
            init_range=(0.0, 10.0),
            tanh_constant=(1e-3, 1e3),
            temperature=(1e-3, 1e3),
            controller_lr=(0.0, 10.0),
            entropy_weight=(0.0, 1e3),
            baseline_decay=(0.0, 1.0),
            num_aggregate=(1, 10_000),
        )


@dataclasses.dataclass(frozen=True)
class PolicyGradientConfig(LstmPolicyConfig):
    """An LSTM policy over cells and its training (ENAS, 2.2 and 2.4)."""

    op_tanh_reduce: float = option(
        2.5, "The tanh constant of operations is divided by this."
    )
    conv_bias: float = option(
        10.0, "Initial logit bias of the convolutions; others start at 0."
    )
    normal_op_bias: float = option(
        0.25,
        "Fixed bias in the first cell type, added to the squashed "
        "logits of convolutions and taken from those of the others; a cell "
        "that has no other type is of the first.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(
            self,
            op_tanh_reduce=(1e-3, 1e3),
            conv_bias=(-1e3, 1e3),
            normal_op_bias=(-1e3, 1e3),
        )


@dataclasses.dataclass(frozen=True)
class ControllerConfig(PolicyGradientConfig):
    """The LSTM policy and its training (ENAS, sections 2.2 and 2.4)."""

    controller: str = option(
        "lstm",
        "lstm: the policy trained with REINFORCE; random: uniform "
        "architectures over the same shared weights, the baseline.",
        ("lstm", "random"),
    )
    train_steps: int = option(30, "Controller updates in each epoch.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, train_steps=(1, 1_000_000))


@dataclasses.dataclass(frozen=True)
class OperationControllerConfig(PolicyGradientConfig):
    """The LSTM policy over operations alone, and its training."""

    kind: ClassVar[str] = "enas"


@dataclasses.dataclass(frozen=True)
class EnasConfig:
    """Everything that decides the result of an ENAS search."""

    data: DataConfig = DataConfig()
    child: SupernetConfig = SupernetConfig()
    controller: ControllerConfig = ControllerConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig()
    search: SearchConfig = SearchConfig()
    after: AfterConfig = AfterConfig()


@dataclasses.dataclass(frozen=True)
class TableEnasConfig(TableMethodConfig):
    """Everything that decides the result of ENAS over a table."""

    strategy: OperationControllerConfig = OperationControllerConfig()


@dataclasses.dataclass(frozen=True)
class SharedOperationConfig(OperationControllerConfig):
    """The LSTM policy over operations, and how much it learns in an epoch."""

    train_steps: int = option(30, "Controller updates in each epoch.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(self, train_steps=(1, 1_000_000))


@dataclasses.dataclass(frozen=True)
class Shared201EnasConfig(Bench201SearchConfig):
    """Everything that decides the result of ENAS over NAS-Bench-201's cells.

    Attributes:
      strategy: the policy.
    """

    strategy: SharedOperationConfig = SharedOperationConfig()


@dataclasses.dataclass(frozen=True)
class RecurrentControllerConfig:
    """The LSTM policy over recurrent cells; defaults are those of `enas_lm`.

    That is the public code of ENAS's authors for Penn Treebank, which they
    call the correct one; their earlier code has other constants.
    """

    lstm_units: int = option(
        64, "Units of the controller's LSTM; 100 in the earlier code."
    )
    init_range: float = option(
        0.01, "Controller weights start uniform in [-this, this]."
    )
    tanh_constant: float = option(
        2.25, "Logits are squashed into [-this, this]; earlier 2.5."
    )
    temperature: float = option(
        5.0, "Logits are divided by this before they are squashed."
    )
    distance_scale: float = option(
        6.0,
        "The squared distance of an input, in nodes, over this is taken from "
        "its logit: near inputs are preferred from the start. 0: not.",
    )
    controller_lr: float = option(
        5e-5,
        "Adam learning rate; 0.001 in the earlier code, 0.0035 of ENAS's "
        "cells of images.",
    )
    entropy_weight: float = option(
        1e-5, "This times the entropy of the policy joins the reward."
    )
    baseline_decay: float = option(
        0.999, "Decay of the moving average of the rewards; earlier 0.99."
    )
    num_aggregate: int = option(
        10, "Architectures whose gradients make one update."
    )
    train_steps: int = option(25, "Controller updates in each epoch.")

    def __post_init__(self) -> None:
        check_fields(
            self,
            lstm_units=(1, 65536),
            init_range=(0.0, 10.0),
            tanh_constant=(1e-3, 1e3),
            temperature=(1e-3, 1e3),
            distance_scale=(0.0, 1e6),
            controller_lr=(0.0, 10.0),
            entropy_weight=(0.0, 1e3),
            baseline_decay=(0.0, 1.0),
            num_aggregate=(1, 10_000),
            train_steps=(1, 1_000_000),
        )


@dataclasses.dataclass(frozen=True)
class RecurrentEnasConfig(RecurrentSearchConfig):
    """Everything that decides the result of ENAS over recurrent cells.

    Attributes:
      strategy: the policy.
    """

    strategy: RecurrentControllerConfig = RecurrentControllerConfig()
