"""How long a search is and what it lists at its end; no TensorFlow."""

import dataclasses

from nascore.config import check_fields, option


@dataclasses.dataclass(frozen=True)
class AfterConfig:
    """What a search over shared weights does when it has ended."""

    then_train: int = option(
        0,
        "Then train the best architecture, and a random one, for so many "
        "epochs each, test both, and logistic regression, too; 0: do not.",
        resumable=True,
    )

    def __post_init__(self) -> None:
        check_fields(self, then_train=(0, 1_000_000))


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """Length of a search over shared weights, and its lists."""

    seed: int = option(1, "Fixes everything random in the run.")
    deterministic: bool = option(
        False,
        "Only kernels that give the same bits each time; slower on a GPU.",
    )
    epochs: int = option(150, "Epochs of the search.", resumable=True)
    early_stop: bool = option(
        False,
        "Stop, as I-ENAS does, when the best accuracy of the epochs' samples "
        "has not improved for max(100, (1 - mean accuracy of the last ten "
        "rewarded architectures) * 5 * max(10, epoch // 4)) epochs.",
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
            epoch_samples=(1, 1_000_000),
            best_count=(1, 1_000_000),
            derive_samples=(1, 1_000_000),
        )
