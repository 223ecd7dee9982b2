"""What RENAS needs to know; defaults are the paper's where it has one.

RENAS is that of Chen et al. (2019, arXiv 1808.00193), whose search code was
never published. Where a setting does not name its source, it is the paper's.
"""

import dataclasses
from typing import ClassVar

from nascore.baselines.config import TableMethodConfig
from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.config import InheritanceConfig, SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.networks.layouts import enas_layout
from nascore.search.config import AfterConfig, SearchConfig
from nascore.spaces.cells import CellSpace
from nascore.spaces.published import ONE_TYPE, RENAS_OPERATIONS

CONTROLLER, BLIND = "controller", "blind"
EACH_NODE, IN_ALL = "one_in_each_node", "one_in_all"
# Settings that mean nothing where each child has weights of its own.
_OF_SHARED = (
    "child_lr_max",
    "child_lr_min",
    "child_lr_period",
    "child_lr_restart",
    "reward_dropout",
    "epoch_samples",
)


@dataclasses.dataclass(frozen=True)
class PopulationConfig:
    """Who lives, who has children and who dies (section 3.2)."""

    kind: ClassVar[str] = "population"

    population: int = option(20, "Architectures that live.")
    sample: int = option(
        5,
        "Drawn from the living for a child: the best of them is its parent, "
        "the worst leaves. Not printed; ours.",
    )
    with_replacement: bool = option(
        False,
        "Draw --sample with replacement; then parent and who leaves may be "
        "one. Not printed.",
    )
    removal: str = option(
        "worst",
        "Who leaves when a child joins: the worst of the sample (the paper), "
        "or the oldest of all (aging evolution, Real et al., 2019).",
        ("worst", "oldest"),
    )
    initial_seed: int = option(
        0,
        "The first population follows from this seed, so that searches of "
        "different seeds begin alike; 0: from the search's own.",
    )
    num_aggregate: int = option(
        1,
        "Children that are asked for at once, of one population; the "
        "controller then learns from all of them in one update.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            population=(2, 100_000),
            sample=(2, 100_000),
            initial_seed=(0, 2**31 - 1),
            num_aggregate=(1, 64),
        )
        if self.sample + self.num_aggregate - 1 > self.population:
            also = (
                f" and the {self.num_aggregate - 1} that leave before it"
                if self.num_aggregate > 1
                else ""
            )
            raise InputError(
                f"--sample={self.sample}{also} cannot be drawn from "
                f"--population={self.population}; lower it, or raise "
                "--population"
            )
        if self.population % self.num_aggregate:
            raise InputError(
                f"--population={self.population} must be a multiple of "
                f"--num_aggregate={self.num_aggregate}, so that the first "
                "ones fill it"
            )
        if self.with_replacement and self.num_aggregate > 1:
            raise InputError(
                f"--with_replacement needs --num_aggregate=1, not "
                f"{self.num_aggregate}: nobody can leave twice"
            )


@dataclasses.dataclass(frozen=True)
class MutationConfig(PopulationConfig):
    """How children come about, and how the controller learns."""

    kind: ClassVar[str] = "renas"

    mutator: str = option(
        CONTROLLER,
        "What changes parents. controller: RENAS, one choice of each node; "
        "blind: the same, but it does not see the parent; one_in_each_node: "
        "likewise, but at random, the paper's baseline; one_in_all: one "
        "choice of all, at random.",
        (CONTROLLER, BLIND, EACH_NODE, IN_ALL),
    )
    mask_same: bool = option(
        False,
        "A changed choice never keeps its value. The paper masks nothing, so "
        "that a child may be its parent again.",
    )
    embedding_units: int = option(100, "Numbers that stand for a token.")
    lstm_units: int = option(
        100, "Units of the encoder's LSTM, in each of both directions."
    )
    controller_init: float = option(
        0.01, "Deviation of the controller's first weights."
    )
    tanh_constant: float = option(2.5, "Logits are squashed to this.")
    temperature: float = option(
        5.0, "Logits are divided by this before they are squashed."
    )
    controller_lr: float = option(
        1e-3,
        "Adam learning rate. With 0.01 the controller learns within a hundred "
        "models, and may settle too early.",
    )
    entropy_weight: float = option(0.1, "Weight of the entropy of mutations.")
    entropy_in: str = option(
        "loss",
        "loss: the entropy is raised by its gradient (ours); reward: it is a "
        "constant in the reward, as ENAS has it. The paper says: added to "
        "the reward.",
        ("loss", "reward"),
    )
    baseline: str = option(
        "moving",
        "What a reward is compared with. moving: a moving average that "
        "begins with the mean of the first population; parent: the parent's "
        "reward; none: 0. Not printed; without one it hardly learns.",
        ("moving", "parent", "none"),
    )
    baseline_decay: float = option(
        0.95, "Weight of the past in the moving average."
    )
    reward_shape: str = option(
        "tangent",
        "Of an accuracy f: tangent, tan(f pi / 2), with f cut at 0.999; "
        "accuracy, as it is.",
        ("tangent", "accuracy"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fields(
            self,
            embedding_units=(1, 65536),
            lstm_units=(1, 65536),
            controller_init=(0.0, 10.0),
            tanh_constant=(1e-3, 1e3),
            temperature=(1e-3, 1e3),
            controller_lr=(0.0, 10.0),
            entropy_weight=(0.0, 1e3),
            baseline_decay=(0.0, 1.0),
        )

    @property
    def learns(self) -> bool:
        """Whether there is a controller."""
        return self.mutator in (CONTROLLER, BLIND)


@dataclasses.dataclass(frozen=True)
class RenasTableConfig(TableMethodConfig):
    """Everything that decides the result of RENAS over a table."""

    strategy: MutationConfig = MutationConfig()


@dataclasses.dataclass(frozen=True)
class OneCellConfig(SupernetConfig):
    """The network during search: one cell, at stride 1 and at stride 2."""

    operations: str = option(
        ",".join(RENAS_OPERATIONS), "Operations of the cells, with commas."
    )
    filters: int = option(
        24, "Channels before the first reduction; each reduction doubles them."
    )
    num_layers: int = option(
        6,
        "Three stages of a third of these cells each, with a reduction "
        "between: --num_layers=6 is the paper's N = 2.",
    )
    slot_init: str = option(
        "kernel",
        "Initial deviation of the kernels. kernel: sqrt(2 / fan-in); code: as "
        "ENAS's code has it, with --inherit=shared only.",
        ("kernel", "code"),
    )

    @property
    def space(self) -> CellSpace:
        """See `CellsConfig.space`; of one type."""
        return CellSpace(self._names, self.num_nodes, ONE_TYPE)

    def _published_layout(self) -> tuple[str, ...]:
        return enas_layout(self.num_layers)


@dataclasses.dataclass(frozen=True)
class ModelsConfig:
    """How many models an epoch has."""

    epoch_models: int = option(
        20,
        "Models that are asked for in an epoch: what is saved, drawn and "
        "printed at once.",
    )

    def __post_init__(self) -> None:
        check_fields(self, epoch_models=(1, 1_000_000))


@dataclasses.dataclass(frozen=True)
class RenasConfig:
    """Everything that decides the result of a RENAS search with images.

    Attributes:
      data: the images.
      child: the network.
      strategy: who has children, and what changes in them.
      inheritance: what children begin with.
      weights: training of the weights, and what is measured.
      models: of an epoch.
      search: length; 200 epochs of 20 are the paper's 4,000 models.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig()
    child: OneCellConfig = OneCellConfig()
    strategy: MutationConfig = MutationConfig()
    inheritance: InheritanceConfig = InheritanceConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig()
    models: ModelsConfig = ModelsConfig()
    search: SearchConfig = SearchConfig(epochs=200, derive_samples=20)
    after: AfterConfig = AfterConfig()

    def __post_init__(self) -> None:
        if self.models.epoch_models % self.strategy.num_aggregate:
            raise InputError(
                f"--epoch_models={self.models.epoch_models} must be a "
                f"multiple of --num_aggregate={self.strategy.num_aggregate}"
            )
        if self.inheritance.inherit == "shared":
            self._check_alone(InheritanceConfig(inherit="shared"))
            return
        if self.child.slot_init != "kernel":
            raise InputError(
                f"--slot_init={self.child.slot_init} is for weights that are "
                "shared; leave it out, or take --inherit=shared"
            )
        defaults = {**vars(SharedWeightsConfig()), **vars(SearchConfig())}
        for name, value in {**vars(self.weights), **vars(self.search)}.items():
            if name in _OF_SHARED and value != defaults[name]:
                raise InputError(
                    f"--{name}={value} is for weights that are shared; leave "
                    "it out (--inherited_lr is the rate of the others), or "
                    "take --inherit=shared"
                )

    def _check_alone(self, alone: InheritanceConfig) -> None:
        """Raises InputError for settings of weights that are not shared."""
        for field in dataclasses.fields(alone):
            value = getattr(self.inheritance, field.name)
            if value != getattr(alone, field.name):
                raise InputError(
                    f"--{field.name}={value} means nothing with "
                    "--inherit=shared; leave it out, or take --inherit=parent"
                )
