"""Settings of the strategies that any space can be searched with."""

import dataclasses
from typing import ClassVar

from nascore.config import check_fields, option


@dataclasses.dataclass(frozen=True)
class RandomConfig:
    """Uniform draws; nothing to set."""

    kind: ClassVar[str] = "random"


@dataclasses.dataclass(frozen=True)
class EvolutionConfig:
    """Regularised evolution (Real et al., 2019)."""

    kind: ClassVar[str] = "evolution"

    population: int = option(
        50,
        "Architectures that live. The baseline of NAS-Bench-201 has 10, "
        "which is the weakest of those that we tried; the paper has 100.",
    )
    tournament: int = option(
        10,
        "Drawn with replacement from the living; the best of them is the "
        "parent. The baseline of NAS-Bench-201 draws 3, the paper 25 of 100.",
    )
    mutation: str = option(
        "uniform",
        "What changes in a child. uniform: any choice that has another, all "
        "alike (the paper); node_first: first a node, then one of its "
        "choices, as in the baseline of NAS-Bench-201.",
        ("uniform", "node_first"),
    )
    removal: str = option(
        "oldest",
        "Who dies when a child joins: the oldest (the paper's regularisation) "
        "or the worst.",
        ("oldest", "worst"),
    )
    repeats: bool = option(
        False,
        "Ask again for what was measured already, as the paper and the "
        "baseline of NAS-Bench-201 do; else tournaments go on until a child "
        "is new.",
    )

    def __post_init__(self) -> None:
        check_fields(self, population=(1, 1_000_000), tournament=(1, 1_000_000))


@dataclasses.dataclass(frozen=True)
class LocalSearchConfig:
    """Hill climbing with restarts (White et al., 2020)."""

    kind: ClassVar[str] = "local_search"

    climb: str = option(
        "first",
        "When to move. first: to the first neighbour that is better; best: "
        "to the best one, when all are measured (the paper's algorithm 1).",
        ("first", "best"),
    )

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class ReinforceConfig:
    """REINFORCE with a softmax for each place, without a network.

    The baseline of NAS-Bench-201 (Dong and Yang, 2020). Its rewards are
    accuracies in percent, and so they are here.
    """

    kind: ClassVar[str] = "reinforce"

    reinforce_lr: float = option(
        0.01,
        "Adam learning rate; that of NATS-Bench. The script of NAS-Bench-201 "
        "has 0.001, its documentation 0.5; of ours on CIFAR-100 0.1 was best "
        "at 500 queries.",
    )
    reinforce_decay: float = option(
        0.9,
        "Decay of the moving average of the rewards, which is corrected for "
        "its start.",
    )
    reinforce_init: float = option(
        1e-3, "Standard deviation of the logits at the start."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            reinforce_lr=(0.0, 1e3),
            reinforce_decay=(0.0, 0.9999),
            reinforce_init=(0.0, 100.0),
        )


@dataclasses.dataclass(frozen=True)
class OptunaConfig:
    """A sampler of Optuna, with that library's own settings."""

    kind: ClassVar[str] = "optuna"

    sampler: str = option(
        "TPESampler",
        "Name of a class of optuna.samplers, such as TPESampler, "
        "RandomSampler or NSGAIISampler.",
    )

    def __post_init__(self) -> None:
        check_fields(self)


@dataclasses.dataclass(frozen=True)
class BohbConfig:
    """The density model of BOHB (Falkner et al., 2018), on one budget.

    The defaults are those of the baseline of NAS-Bench-201. Its factor of the
    bandwidth concerns numbers, of which an architecture has none.
    """

    kind: ClassVar[str] = "bohb"

    good_percent: int = option(
        15, "The best of all that were measured, in percent: the good ones."
    )
    density_samples: int = option(
        4,
        "Candidates around good ones, of which the most promising is asked "
        "for; the paper has 64.",
    )
    min_bandwidth: float = option(
        0.3,
        "Least bandwidth of a kernel: the chance that a choice of a candidate "
        "is drawn anew. The paper's code has 0.001.",
    )
    random_fraction: float = option(
        0.0, "Part of all queries that are uniform draws; the paper: 1/3."
    )
    categories: str = option(
        "seen",
        "How many values a place has to a density. seen: those among its "
        "rows, as in the published code; all: those of the space, which finds "
        "better architectures on NAS-Bench-201.",
        ("seen", "all"),
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            good_percent=(1, 99),
            density_samples=(1, 100_000),
            min_bandwidth=(0.0, 1.0),
            random_fraction=(0.0, 1.0),
        )
