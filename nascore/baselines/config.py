"""Settings of searches with any strategy; no TensorFlow."""

import dataclasses
from typing import Any

from nascore.config import check_fields, option
from nascore.data.config import DataConfig, TextConfig
from nascore.evaluators.config import ScratchConfig, SharedWeightsConfig
from nascore.evaluators.language.config import SharedWindowsConfig
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.chain.config import ChainConfig
from nascore.networks.config import SupernetConfig
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.networks.recurrent.config import SharedLanguageModelConfig
from nascore.search.config import AfterConfig, SearchConfig
from nascore.strategies.config import EvolutionConfig, RandomConfig


@dataclasses.dataclass(frozen=True)
class TableSearchConfig:
    """Length of a search over a table, and its lists."""

    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(
        20,
        "Epochs of --epoch_queries queries: what is saved, drawn and printed "
        "at once.",
        resumable=True,
    )
    epoch_queries: int = option(
        50, "Architectures looked up in an epoch, repeated ones included."
    )
    best_count: int = option(40, "Length of the list of the best ones seen.")
    derive_samples: int = option(
        10, "Architectures in the final ranking: the best that were seen."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            seed=(0, 2**31 - 1),
            epochs=(1, 1_000_000),
            epoch_queries=(1, 1_000_000),
            best_count=(1, 1_000_000),
            derive_samples=(1, 1_000_000),
        )


@dataclasses.dataclass(frozen=True)
class TableMethodConfig:
    """Everything that decides the result of a search over a table.

    Attributes:
      table: what is looked up.
      strategy: settings of the strategy, of any kind.
      search: length.
    """

    table: TableConfig = TableConfig()
    strategy: Any = RandomConfig()
    search: TableSearchConfig = TableSearchConfig()


@dataclasses.dataclass(frozen=True)
class AskingConfig:
    """What a strategy may try in an epoch over shared weights."""

    num_aggregate: int = option(
        10,
        "Architectures that are asked for at once; after them the strategy "
        "is told what they are worth.",
    )
    train_steps: int = option(
        30, "How often --num_aggregate architectures are tried in an epoch."
    )

    def __post_init__(self) -> None:
        check_fields(
            self, num_aggregate=(1, 10_000), train_steps=(1, 1_000_000)
        )


@dataclasses.dataclass(frozen=True)
class OneShotConfig:
    """Everything that decides the result of a search over shared weights.

    Attributes:
      data: the images.
      child: the supernet.
      strategy: settings of the strategy, of any kind.
      weights: training of the shared weights.
      asking: how many architectures are tried.
      search: length.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig()
    child: SupernetConfig = SupernetConfig()
    strategy: Any = EvolutionConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig()
    asking: AskingConfig = AskingConfig()
    search: SearchConfig = SearchConfig()
    after: AfterConfig = AfterConfig()


@dataclasses.dataclass(frozen=True)
class RankCellsConfig:
    """What a search over NAS-Bench-201's cells does when it has ended."""

    rank_cells: int = option(
        200,
        "Then measure so many cells, the same in all runs, with the weights, "
        "and how well these rank them by the table (Kendall's tau). 15625: "
        "all; 0: none.",
        resumable=True,
    )

    def __post_init__(self) -> None:
        check_fields(self, rank_cells=(0, 15625))


@dataclasses.dataclass(frozen=True)
class Bench201SearchConfig:
    """What all searches with weights over NAS-Bench-201's cells have.

    Attributes:
      data: the images.
      child: the network of all cells.
      weights: training of the shared weights.
      search: length.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig()
    child: Bench201SupernetConfig = Bench201SupernetConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig()
    search: SearchConfig = SearchConfig()
    after: RankCellsConfig = RankCellsConfig()


@dataclasses.dataclass(frozen=True)
class Shared201Config(Bench201SearchConfig):
    """Everything that decides the result with a strategy of this room.

    Attributes:
      strategy: its settings, of any kind.
      asking: how many architectures are tried.
    """

    strategy: Any = RandomConfig()
    asking: AskingConfig = AskingConfig()


@dataclasses.dataclass(frozen=True)
class MacroSearchConfig:
    """What all searches over whole networks have.

    Attributes:
      data: the images.
      child: the network over all of them.
      weights: training of the shared weights.
      search: length.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig()
    child: MacroSupernetConfig = MacroSupernetConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig(weight_decay=2.5e-4)
    search: SearchConfig = SearchConfig()
    after: AfterConfig = AfterConfig()


@dataclasses.dataclass(frozen=True)
class MacroStrategyConfig(MacroSearchConfig):
    """Everything that decides the result with a strategy of this room.

    Attributes:
      strategy: its settings, of any kind.
      asking: how many architectures are tried.
    """

    strategy: Any = RandomConfig()
    asking: AskingConfig = AskingConfig(num_aggregate=20, train_steps=50)


@dataclasses.dataclass(frozen=True)
class RecurrentSearchConfig:
    """What all searches of recurrent cells over shared weights have.

    Attributes:
      data: the text.
      child: the model of language with the weights of all cells.
      weights: training of the shared weights.
      search: length.
    """

    data: TextConfig = TextConfig()
    child: SharedLanguageModelConfig = SharedLanguageModelConfig()
    weights: SharedWindowsConfig = SharedWindowsConfig()
    search: SearchConfig = SearchConfig()


@dataclasses.dataclass(frozen=True)
class RecurrentConfig(RecurrentSearchConfig):
    """Everything that decides the result with a strategy of this room.

    Attributes:
      strategy: its settings, of any kind.
      asking: how many architectures are tried.
    """

    strategy: Any = RandomConfig()
    asking: AskingConfig = AskingConfig(train_steps=25)


@dataclasses.dataclass(frozen=True)
class ChainSearchConfig:
    """Everything that decides the result of a search of chains of layers.

    Attributes:
      data: the images.
      child: the networks.
      strategy: settings of the strategy.
      own: how long each architecture is trained.
      weights: the rest of their training.
      asking: how many architectures are tried.
      search: length.
    """

    data: DataConfig = DataConfig()
    child: ChainConfig = ChainConfig()
    strategy: Any = RandomConfig()
    own: ScratchConfig = ScratchConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig()
    asking: AskingConfig = AskingConfig(num_aggregate=1)
    search: SearchConfig = SearchConfig()
