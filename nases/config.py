"""What NASES needs to know; defaults are ours where neither source settles.

NASES is that of Liu (2019), "Neural Architecture Search in Embedding Space".
The paper gives few numbers; its public code (jimliu741523/NASES) searches
another space with another network and another update.
"""

import dataclasses
from typing import Any, ClassVar

from nascore.baselines.config import AskingConfig, TableMethodConfig
from nascore.config import check_fields, option
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.config import DeriveConfig, SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.search.config import AfterConfig, SearchConfig
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.reals import ENCODINGS, ONE_HOT, Reals
from nascore.spaces.space import Space

GAUSSIAN, CODE, POINTS, CODES = "gaussian", "code", "points", "codes"
DENSE, LSTM = "dense", "lstm"
LAST, BEST, FIXED = "last", "best", "fixed"
SHARED, NONE = "shared", "none"
ACCURACY, CUBE, MARGIN = "accuracy", "cube", "margin"


@dataclasses.dataclass(frozen=True)
class AutoencoderConfig:
    """Simulator and decoder, and their training (sections 3.2 and 4.1)."""

    encoding: str = option(
        ONE_HOT,
        "Numbers that stand for an architecture. one_hot: one for each value "
        "of each choice, of which the largest wins (ours: it knows no order); "
        "ordered: one for each choice, whose values are equal parts of the "
        "way from 0 to 1, as in the public code.",
        ENCODINGS,
    )
    operation_order: str = option(
        "",
        "With --encoding=ordered: the operations on the way from 0 to 1, with "
        "commas or spaces. A decoder prefers the middle. Empty: as the space "
        "has them.",
    )
    embedding: int = option(
        0,
        "Numbers of the embedding; 0: a third of those of an architecture, as "
        "in the public code (20 of 60).",
    )
    autoencoder: str = option(
        DENSE,
        "Networks of simulator and decoder. dense: layers with tanh, much as "
        "in the public code; lstm: one LSTM each, which goes from choice to "
        "choice (the paper), and a linear layer.",
        (DENSE, LSTM),
    )
    hidden_layers: int = option(
        2, "Hidden layers of each, with --autoencoder=dense."
    )
    hidden_units: int = option(
        64,
        "Units of a hidden layer, or of an LSTM. The paper does not say; the "
        "public code has 5400 and 1800 for 60 numbers.",
    )
    pretrain_steps: int = option(
        1000,
        "Training steps of the autoencoder before the search; 0: none. The "
        "public code has 350,000.",
    )
    pretrain_batch: int = option(
        64, "Uniform random vectors in a training step; the code's first 64."
    )
    pretrain_lr: float = option(
        3e-3,
        "Adam learning rate of the autoencoder. Ours: 1e-5, as printed, needs "
        "hundreds of times as many steps.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            embedding=(0, 100_000),
            hidden_layers=(1, 100),
            hidden_units=(1, 65536),
            pretrain_steps=(0, 10_000_000),
            pretrain_batch=(1, 65536),
            pretrain_lr=(0.0, 10.0),
        )

    @property
    def alone(self) -> "AutoencoderConfig":
        """These settings without those that a search adds."""
        fields = dataclasses.fields(AutoencoderConfig)
        return AutoencoderConfig(*(getattr(self, f.name) for f in fields))

    def reals(self, space: Space[Any]) -> Reals:
        """The numbers that stand for architectures of a space.

        Raises:
          InputError: the order of the operations is none.
        """
        order = self.operation_order.replace(",", " ").split()
        return Reals(space, self.encoding, order)

    def embedding_of(self, space: Space[Any]) -> int:
        """Numbers of the embedding of a space.

        Raises:
          InputError: more than stand for an architecture.
        """
        size = self.reals(space).size
        if self.embedding > size:
            raise InputError(
                f"--embedding={self.embedding} is more than the {size} "
                f"numbers that stand for an architecture with --encoding="
                f"{self.encoding}; an embedding is smaller: give at most "
                f"{size}, or 0 for a third"
            )
        return self.embedding or max(size // 3, 1)


@dataclasses.dataclass(frozen=True)
class EmbeddingConfig(AutoencoderConfig):
    """How points of the embedding are chosen, and what is learned."""

    kind: ClassVar[str] = "nases"

    policy: str = option(
        GAUSSIAN,
        "What chooses points of the embedding. gaussian: normal around what "
        "the controller makes of the state, learned by REINFORCE (ours; the "
        "paper names no distribution); code: the controller's own output, and "
        "the update of the public code, which is no policy gradient (nothing "
        "is sampled); points: uniform in the embedding; codes: what the "
        "simulator makes of uniform vectors. The last two learn nothing.",
        (GAUSSIAN, CODE, POINTS, CODES),
    )
    sigma: float = option(
        0.15,
        "Deviation of the normal, in an embedding from 0 to 1. Not printed; "
        "ours.",
    )
    controller_lr: float = option(
        1e-3, "Adam learning rate of the controller; the public code: 1e-5."
    )
    baseline_decay: float = option(
        0.95,
        "Weight of the past in the moving average of the rewards, which is "
        "corrected for its start. Not printed; ours.",
    )
    state: str = option(
        LAST,
        "What the controller sees. last: the numbers last decoded (the "
        "paper); best: those of the best architecture so far; fixed: the "
        "first random ones.",
        (LAST, BEST, FIXED),
    )
    random_states: float = option(
        0.0, "Chance of a random state instead; the public code: 0.1."
    )
    best_states: float = option(
        0.0,
        "Chance of the best architecture's numbers as the state; the public "
        "code: 0.09.",
    )
    cycle: int = option(
        0,
        "After so many steps the controller is the pre-trained simulator "
        "again; 0: never. The public code: 30.",
    )
    cycle_random: int = option(
        10,
        "So many steps at the beginning of a cycle have random states and "
        "learn nothing.",
    )
    code_updates: int = option(
        11,
        "With --policy=code: updates after step i are i / 10, at most so "
        "many, which is the last of its 120 steps.",
    )
    code_decay: float = option(
        0.002,
        "With --policy=code: this times half the sum of the controller's "
        "squared weights joins the loss.",
    )
    reward_form: str = option(
        ACCURACY,
        "Of a validation accuracy v: accuracy, v; cube, v ** 3 (the public "
        "code as it is); margin, (2 v - t) ** 3 with the training accuracy t "
        "(its line before that; only where each architecture is trained for "
        "itself).",
        (ACCURACY, CUBE, MARGIN),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma == 0 and self.policy == GAUSSIAN:
            raise InputError(
                "--sigma=0 tries nothing but the controller's own output, of "
                "which nothing is learned; give a deviation such as 0.15, or "
                "--policy=code for the update of the public code"
            )
        check_fields(
            self,
            sigma=(0.0, 1e3),
            controller_lr=(0.0, 10.0),
            baseline_decay=(0.0, 0.9999),
            random_states=(0.0, 1.0),
            best_states=(0.0, 1.0),
            cycle=(0, 1_000_000),
            cycle_random=(0, 1_000_000),
            code_updates=(0, 100_000),
            code_decay=(0.0, 1e3),
        )
        if self.random_states + self.best_states > 1:
            raise InputError(
                f"--random_states={self.random_states:g} and --best_states="
                f"{self.best_states:g} are chances of one choice, and more "
                "than 1 together; lower one"
            )
        if self.cycle and self.cycle_random >= self.cycle:
            raise InputError(
                f"--cycle_random={self.cycle_random} leaves nothing of "
                f"--cycle={self.cycle} to learn in; lower it"
            )

    @property
    def learns(self) -> bool:
        """Whether there is a controller."""
        return self.policy in (GAUSSIAN, CODE)


def check_asking(config: EmbeddingConfig, asking: AskingConfig) -> None:
    """Raises InputError if a policy makes fewer than are asked for."""
    if config.policy == CODE and asking.num_aggregate > 1:
        raise InputError(
            f"--policy={CODE} makes one architecture of a state, so "
            f"--num_aggregate={asking.num_aggregate} would measure it again "
            "and again; give --num_aggregate=1"
        )


@dataclasses.dataclass(frozen=True)
class NasesTableConfig(TableMethodConfig):
    """Everything that decides the result of NASES over a table."""

    strategy: EmbeddingConfig = EmbeddingConfig()

    def __post_init__(self) -> None:
        self.strategy.embedding_of(Bench201Space())
        if self.strategy.reward_form == MARGIN:
            raise InputError(
                f"--reward_form={MARGIN} needs training accuracies, and a "
                f"table is asked for none; take {ACCURACY} or {CUBE}"
            )


@dataclasses.dataclass(frozen=True)
class ChildConfig(DeriveConfig):
    """Whose weights architectures are measured with."""

    inherit: str = option(
        SHARED,
        "Weights that architectures are measured with. shared: all have "
        "theirs in common, as in ENAS (ours, to compare with it); none: each "
        "is trained from scratch, as in the paper, with the learning rates "
        "of --child_lr_max, --child_lr_min and --child_lr_period; it begins "
        "as with --slot_init=kernel.",
        (SHARED, NONE),
    )
    weights_learn: str = option(
        "policy",
        "Architectures that shared weights learn. policy: the policy's, as in "
        "ENAS; random: uniform ones, so that what they are worth does not "
        "depend on the policy.",
        ("policy", "random"),
    )
    child_passes: int = option(
        10,
        "Passes of each architecture over the training images, with "
        "--inherit=none. The public code: 10, of 120 architectures; the "
        "paper: 70.",
    )


@dataclasses.dataclass(frozen=True)
class NasesConfig:
    """Everything that decides the result of a NASES search with images.

    Attributes:
      data: the images.
      child: the network.
      strategy: autoencoder and policy.
      own: whose weights are measured.
      weights: training of the weights, and what is measured.
      asking: how many architectures are tried.
      search: length.
      after: what the search does when it has ended.
    """

    data: DataConfig = DataConfig()
    child: SupernetConfig = SupernetConfig()
    strategy: EmbeddingConfig = EmbeddingConfig()
    own: ChildConfig = ChildConfig()
    weights: SharedWeightsConfig = SharedWeightsConfig()
    asking: AskingConfig = AskingConfig()
    search: SearchConfig = SearchConfig()
    after: AfterConfig = AfterConfig()

    def __post_init__(self) -> None:
        self.strategy.embedding_of(self.child.space)
        is_shared = self.own.inherit == SHARED
        check_asking(self.strategy, self.asking)
        if self.strategy.reward_form == MARGIN and is_shared:
            raise InputError(
                f"--reward_form={MARGIN} needs training accuracies, which "
                "architectures with shared weights have not; take "
                f"{ACCURACY} or {CUBE}, or --inherit={NONE}"
            )
        usual = ChildConfig()
        unused = (
            ("child_passes", "derive_epochs")
            if is_shared
            else ("weights_learn",)
        )
        for name in unused:
            value = getattr(self.own, name)
            if value != getattr(usual, name):
                other = NONE if is_shared else SHARED
                raise InputError(
                    f"--{name}={value} means nothing with --inherit="
                    f"{self.own.inherit}; leave it out, or take "
                    f"--inherit={other}"
                )
