"""What DARTS on recurrent cells needs to know; defaults are those of its code.

Liu et al. (2019, arXiv 1806.09055), section 3.1.2 and the folder `rnn` of
their code, for Penn Treebank.
"""

import dataclasses
from typing import ClassVar

from nascore.config import check_fields, option
from nascore.data.config import TextConfig
from nascore.errors import InputError
from nascore.evaluators.language.config import SharedWindowsConfig
from nascore.networks.recurrent.config import SharedLanguageModelConfig


@dataclasses.dataclass(frozen=True)
class RecurrentAlphasConfig:
    """How the alphas of recurrent cells are learned."""

    kind: ClassVar[str] = "recurrent_alphas"
    # Of the variants of `AlphasConfig` there is this one.
    variant: ClassVar[str] = "darts"

    order: str = option(
        "first",
        "first: alphas learn at the weights as they are. second: at the "
        "weights after one more step, whose dependence on the alphas is "
        "estimated.",
        ("first", "second"),
    )
    alpha_lr: float = option(3e-3, "Adam learning rate of the alphas.")
    alpha_beta_1: float = option(0.9, "Adam's decay of the mean gradient.")
    alpha_beta_2: float = option(0.999, "Adam's decay of the mean square.")
    alpha_decay: float = option(
        1e-3, "This times an alpha joins its gradient, before Adam."
    )
    alpha_init: float = option(1e-3, "Deviation of the first alphas.")

    def __post_init__(self) -> None:
        check_fields(
            self,
            alpha_lr=(0.0, 10.0),
            alpha_beta_1=(0.0, 0.999999),
            alpha_beta_2=(0.0, 0.999999),
            alpha_decay=(0.0, 1.0),
            alpha_init=(0.0, 10.0),
        )


@dataclasses.dataclass(frozen=True)
class MixedWindowsConfig(SharedWindowsConfig):
    """How the weights of mixed recurrent cells learn a text."""

    @property
    def weights_decay(self) -> float:
        """As `Bilevel` has it."""
        return self.weight_decay

    @property
    def weights_momentum(self) -> float:
        """Likewise; there is none."""
        return 0.0


@dataclasses.dataclass(frozen=True)
class RecurrentLengthConfig:
    """Length of a search for a recurrent cell."""

    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(50, "Epochs of the search.", resumable=True)

    def __post_init__(self) -> None:
        check_fields(self, seed=(0, 2**31 - 1), epochs=(1, 1_000_000))


@dataclasses.dataclass(frozen=True)
class RecurrentDartsConfig:
    """Everything that decides the result of DARTS on recurrent cells.

    Attributes:
      data: the text.
      child: the model of language around the mixed cell.
      alphas: how they are learned.
      weights: how they are trained.
      search: length.
    """

    data: TextConfig = TextConfig()
    child: SharedLanguageModelConfig = SharedLanguageModelConfig(
        hidden_units=300, word_dropout=0.0, sharing="node", normalize=True
    )
    alphas: RecurrentAlphasConfig = RecurrentAlphasConfig()
    weights: MixedWindowsConfig = MixedWindowsConfig(
        batch_size=256,
        clip_norm=0.25,
        weight_decay=5e-7,
        slowness=1e-3,
        reward_streams=10,
    )
    search: RecurrentLengthConfig = RecurrentLengthConfig()


def check_child(child: SharedLanguageModelConfig) -> None:
    """Refuses what cannot be mixed.

    Raises:
      InputError: matrices of each choice, or a node 0 that is chosen.
    """
    for name, wanted in (
        ("sharing", "node"),
        ("first_function", "tanh"),
        ("cell_output", "nodes"),
    ):
        if getattr(child, name) != wanted:
            raise InputError(
                f"--{name}={getattr(child, name)} cannot be mixed; DARTS has "
                f"--{name}={wanted}"
            )
