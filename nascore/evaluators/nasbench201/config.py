"""Which numbers of the table a search sees, and which are told of it."""

import dataclasses

from nascore.config import check_fields, option
from nascore.evaluators.nasbench201.names import (
    DATASETS,
    EPOCHS,
    SPLITS,
    TableColumn,
)


@dataclasses.dataclass(frozen=True)
class TableConfig:
    """A search on NAS-Bench-201, without any training of our own."""

    dataset: str = option(
        "cifar100",
        "Whose accuracies after 200 epochs are reported of what is found.",
        DATASETS,
    )
    search_on: str = option(
        "validation",
        "The accuracy that the search sees. test is a leak: only to repeat "
        "what was published so.",
        SPLITS,
    )
    search_epochs: str = option(
        "200",
        "After so many epochs of training; the benchmark's own baselines saw "
        "12.",
        tuple(map(str, EPOCHS)),
    )
    search_dataset: str = option(
        "same",
        "Whose accuracies the search sees, same: those of --dataset. The "
        "benchmark's own baselines searched on cifar10 for all three.",
        ("same", *DATASETS),
    )
    noise: float = option(
        0.0,
        "Standard deviation, in points of accuracy, of what is added to each "
        "query, drawn anew each time: trainings of one cell differ by about "
        "0.2 (CIFAR-10) or 0.5 (the others).",
    )

    def __post_init__(self) -> None:
        check_fields(self, noise=(0.0, 100.0))

    @property
    def searched(self) -> TableColumn:
        """What the search sees."""
        dataset = self.search_dataset
        if dataset == "same":
            dataset = self.dataset
        return TableColumn(dataset, self.search_on, int(self.search_epochs))

    @property
    def reported(self) -> tuple[TableColumn, ...]:
        """What is told of a cell: validation and test after 200 epochs."""
        return tuple(TableColumn(self.dataset, split) for split in SPLITS)
