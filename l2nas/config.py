"""What L2NAS needs to know; defaults are those on NAS-Bench-201.

L2NAS is that of Mills et al. (2021, arXiv 2109.12425). Where a setting does
not name its source, it is the paper's.
"""

import dataclasses
from typing import ClassVar

from nascore.baselines.config import (
    Bench201SearchConfig,
    MacroSearchConfig,
    TableMethodConfig,
)
from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.nasbench201.names import DATASETS
from nascore.networks.config import SupernetConfig
from nascore.search.config import AfterConfig, SearchConfig


@dataclasses.dataclass(frozen=True)
class StateConfig:
    """The state of L2NAS, and how it explores."""

    kind: ClassVar[str] = "state"

    top_k: int = option(
        64,
        "The state is the mean of so many of the best architectures, all "
        "distinct; 500 over shared weights.",
    )
    random_steps: int = option(
        0, "Before anything else, so many random architectures."
    )
    epsilon_start: float = option(
        1.0, "Share of random architectures after --random_steps."
    )
    epsilon_end: float = option(
        0.05, "Share of random architectures in the end."
    )
    epsilon_steps: int = option(
        175,
        "Architectures during which the share goes from --epsilon_start to "
        "--epsilon_end, along half a cosine.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            top_k=(1, 100_000),
            random_steps=(0, 2**31 - 1),
            epsilon_start=(0.0, 1.0),
            epsilon_end=(0.0, 1.0),
            epsilon_steps=(0, 2**31 - 1),
        )


@dataclasses.dataclass(frozen=True)
class L2nasConfig(StateConfig):
    """Actor and critic of L2NAS, and what they learn from."""

    kind: ClassVar[str] = "l2nas"

    hidden_layers: int = option(
        3, "Hidden layers of the actor, and of the critic."
    )
    hidden_units: int = option(
        128, "Units of each hidden layer; 256 over shared weights."
    )
    actor_lr: float = option(
        1e-4,
        "Adam learning rate of the actor. Ours: with the printed 1e-8 it "
        "does not learn (--preset=l2nas_printed); its predecessor "
        "DDAS (2021) has 1e-4.",
    )
    critic_lr: float = option(
        1e-4, "Adam learning rate of the critic; DDAS has 1e-3."
    )
    beta_1: float = option(0.9, "Adam's decay of the mean gradient.")
    beta_2: float = option(0.99, "Adam's decay of the mean square.")
    tau: float = option(
        0.9,
        "The critic learns this quantile of the rewards, by the check loss; "
        "0.95 over shared weights.",
    )
    replay_batch: int = option(
        8, "Earlier architectures in an update; 64 over shared weights."
    )
    max_updates: int = option(
        10,
        "Updates after each architecture, at most: as many as there are "
        "whole batches of earlier ones, up to this. 1 over shared weights.",
    )
    replay_size: int = option(
        5000,
        "How many of the last architectures are learned from. Printed for "
        "the space of DARTS; on NAS-Bench-201 no limit is stated, and no "
        "published search there is as long.",
    )
    action_noise: float = option(
        1e-4,
        "Uniform noise in [-this, this] on what the actor proposes; 5e-5 "
        "in the space of DARTS.",
    )
    reward_form: str = option(
        "power",
        "Of an accuracy from 0 to 1: power, 100 ** accuracy (equation 3); "
        "relative, 100 ** (accuracy / --reference_accuracy) / 100 - 1 "
        "(equation 7, for a search that goes on with other data); accuracy, "
        "as it is.",
        ("power", "relative", "accuracy"),
    )
    reference_accuracy: float = option(
        0.0,
        "With --reward_form=relative: the accuracy whose reward is 0, from 0 "
        "to 1. The paper takes the best that shared weights had; 0 takes "
        "the best in a table, which a real search would not know.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(
            self,
            hidden_layers=(1, 100),
            hidden_units=(1, 65536),
            actor_lr=(0.0, 10.0),
            critic_lr=(0.0, 10.0),
            beta_1=(0.0, 0.999999),
            beta_2=(0.0, 0.999999),
            tau=(0.0, 1.0),
            replay_batch=(1, 100_000),
            max_updates=(1, 100_000),
            replay_size=(1, 10_000_000),
            action_noise=(0.0, 1.0),
            reference_accuracy=(0.0, 1.0),
        )
        if self.replay_batch > self.replay_size:
            raise InputError(
                f"--replay_batch={self.replay_batch} is more than "
                f"--replay_size={self.replay_size}, so nothing would ever be "
                "learned; lower it"
            )
        if self.reference_accuracy and self.reward_form != "relative":
            raise InputError(
                f"--reference_accuracy={self.reference_accuracy:g} means "
                f"nothing with --reward_form={self.reward_form}; leave it "
                "out, or take --reward_form=relative"
            )


@dataclasses.dataclass(frozen=True)
class TransferConfig:
    """A search that goes on with other data."""

    pretrain_dataset: str = option(
        "",
        "Before the search, actor and critic learn in one on the table of "
        "this data set, whose queries do not count; history and replay "
        "begin anew.",
        ("", *DATASETS),
    )
    pretrain_queries: int = option(
        0, "Architectures looked up in the search on --pretrain_dataset."
    )

    def __post_init__(self) -> None:
        check_fields(self, pretrain_queries=(0, 1_000_000))
        if bool(self.pretrain_dataset) != bool(self.pretrain_queries):
            raise InputError(
                "--pretrain_dataset and --pretrain_queries mean nothing "
                "without each other; give both, such as "
                "--pretrain_dataset=cifar10 --pretrain_queries=1000, or none"
            )


@dataclasses.dataclass(frozen=True)
class L2nasTableConfig(TableMethodConfig):
    """Everything that decides the result of L2NAS over a table."""

    strategy: L2nasConfig = L2nasConfig()
    transfer: TransferConfig = TransferConfig()

    def __post_init__(self) -> None:
        if self.transfer.pretrain_dataset == self.table.searched.dataset:
            raise InputError(
                f"--pretrain_dataset={self.transfer.pretrain_dataset} is "
                "what is searched afterwards; name another, or search longer "
                "instead"
            )


@dataclasses.dataclass(frozen=True)
class L2nasStepsConfig:
    """How L2NAS searches beside the training of shared weights."""

    num_aggregate: int = option(
        10,
        "In an epoch, --train_steps times so many architectures are tried, "
        "as many as with ENAS; L2NAS learns after each.",
    )
    train_steps: int = option(
        30, "How often --num_aggregate architectures are tried in an epoch."
    )
    init_strategy_from: str = option(
        "",
        "Run folder of another search with l2nas, on other data: actor and "
        "critic go on from its newest checkpoint; history and replay begin "
        "anew. The paper then takes --top_k=100 --random_steps=500 and 1,000 "
        "architectures.",
        path=True,
    )

    def __post_init__(self) -> None:
        check_fields(
            self, num_aggregate=(1, 10_000), train_steps=(1, 1_000_000)
        )


# Printed for the space of DARTS.
_ON_CELLS = L2nasConfig(
    top_k=500,
    random_steps=3000,
    epsilon_start=0.0,
    epsilon_end=0.0,
    epsilon_steps=0,
    hidden_units=256,
    tau=0.95,
    replay_batch=64,
    max_updates=1,
    action_noise=5e-5,
)


@dataclasses.dataclass(frozen=True)
class L2nasCellsConfig:
    """Everything that decides the result of L2NAS over shared weights."""

    data: DataConfig = DataConfig()
    child: SupernetConfig = SupernetConfig()
    strategy: L2nasConfig = _ON_CELLS
    weights: SharedWeightsConfig = SharedWeightsConfig()
    asking: L2nasStepsConfig = L2nasStepsConfig()
    search: SearchConfig = SearchConfig()
    after: AfterConfig = AfterConfig()

    def __post_init__(self) -> None:
        strategy = self.strategy
        if strategy.reward_form == "relative" and (
            not strategy.reference_accuracy
        ):
            raise InputError(
                "--reward_form=relative needs --reference_accuracy over "
                "shared weights: the best validation accuracy that they had "
                "in an earlier search"
            )


@dataclasses.dataclass(frozen=True)
class Shared201L2nasConfig(Bench201SearchConfig):
    """Everything that decides the result of L2NAS over its shared weights.

    Attributes:
      strategy: constants, those of NAS-Bench-201.
      asking: how many architectures are tried.
    """

    strategy: L2nasConfig = L2nasConfig()
    asking: L2nasStepsConfig = L2nasStepsConfig()


@dataclasses.dataclass(frozen=True)
class MacroL2nasConfig(MacroSearchConfig):
    """Everything that decides the result of L2NAS over whole networks.

    Attributes:
      strategy: constants, those of DARTS's space.
      asking: how many architectures are tried.
    """

    strategy: L2nasConfig = _ON_CELLS
    asking: L2nasStepsConfig = L2nasStepsConfig(
        num_aggregate=20, train_steps=50
    )
