"""What a search sees, and what is told of the cell that it finds.

A cell that was found on one column of the table is looked up in all others,
so one search serves every protocol that searches on its column.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nascore.evaluators.nasbench201.names import SPLITS, TableColumn

LEAK = "a leak"
# Epochs of training that the benchmark's own baselines waited for.
_SHORT = 12
# Budgets of the published tables.
_BUDGETS = (500, 1000)


class Protocol(NamedTuple):
    """A way to search and to report.

    Attributes:
      name: of the flag.
      title: for people.
      about: what it is, one clause.
      leak: whether a search sees what is reported as its test.
    """

    name: str
    title: str
    about: str
    leak: bool = False

    @property
    def label(self) -> str:
        """Its name, and in every output that it leaks."""
        return f"{self.name} ({LEAK})" if self.leak else self.name

    @property
    def stem(self) -> str:
        """The same for names of files."""
        return f"{self.name}_leak" if self.leak else self.name

    def searched(self, dataset: str, split: str = "test") -> TableColumn:
        """What is searched on for one number of the report.

        Args:
          dataset: of the number.
          split: of the number.
        """
        if self.name == "published_baselines":
            return TableColumn("cifar10", "validation", _SHORT)
        if self.name == "validation12":
            return TableColumn(dataset, "validation", _SHORT)
        return TableColumn(dataset, split if self.leak else "validation")


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "validation",
            "Search on validation",
            "searched on the validation accuracy after 200 epochs, test told "
            "once of what was found",
        ),
        Protocol(
            "test",
            f"Each column by itself: {LEAK}",
            "each column searched by itself, the test column, too, which is "
            f"{LEAK}: only to repeat what was published so",
            leak=True,
        ),
        Protocol(
            "published_baselines",
            "Search on CIFAR-10 after 12 epochs",
            "searched on the validation accuracy on CIFAR-10 after 12 epochs "
            "for all data sets, with --published_queries, as the benchmark's "
            "own baselines",
        ),
        Protocol(
            "validation12",
            "Search on validation after 12 epochs",
            "searched on the validation accuracy of the same data set after "
            "12 epochs",
        ),
    )
}


class Scope(NamedTuple):
    """What is to be reported.

    Attributes:
      protocols: of `PROTOCOLS`.
      datasets: of the table.
      queries: of a search.
      published_queries: of one of `published_baselines`.
    """

    protocols: Sequence[Protocol]
    datasets: Sequence[str]
    queries: int
    published_queries: int

    def budget(self, protocol: Protocol) -> int:
        """Queries of a search of a protocol."""
        if protocol.name == "published_baselines":
            return self.published_queries
        return self.queries

    def budgets(self, protocol: Protocol) -> list[int]:
        """Queries after which the tables look at the searches."""
        most = self.budget(protocol)
        return sorted({count for count in _BUDGETS if count < most} | {most})

    def columns(self) -> Mapping[TableColumn, int]:
        """All that is searched on, and the queries of a search there."""
        found: dict[TableColumn, int] = {}
        for protocol in self.protocols:
            for dataset in self.datasets:
                for split in SPLITS:
                    column = protocol.searched(dataset, split)
                    found[column] = max(
                        found.get(column, 0), self.budget(protocol)
                    )
        return found
