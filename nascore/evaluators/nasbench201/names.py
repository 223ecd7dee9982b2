"""What there is in the table, by name; no numbers."""

from typing import NamedTuple

from nascore.errors import InputError

# How the benchmark's columns call what has a name here.
_PREFIXES = {
    ("cifar10", "validation"): "cifar10valid_val",
    ("cifar10", "test"): "cifar10_test",
    ("cifar100", "validation"): "cifar100_val",
    ("cifar100", "test"): "cifar100_test",
    ("imagenet16-120", "validation"): "imagenet16_val",
    ("imagenet16-120", "test"): "imagenet16_test",
}
DATASETS = ("cifar10", "cifar100", "imagenet16-120")
SPLITS = ("validation", "test")
EPOCHS = (12, 200)


class TableColumn(NamedTuple):
    """One accuracy of each cell.

    Attributes:
      dataset: of `DATASETS`.
      split: `validation` or `test`. CIFAR-10's test accuracy is that of a
        network that was trained on the validation images, too.
      epochs: of training, 12 or 200.
    """

    dataset: str
    split: str
    epochs: int = 200

    @property
    def key(self) -> str:
        """Its name in the file.

        Raises:
          InputError: there is no such column.
        """
        prefix = _PREFIXES.get((self.dataset, self.split))
        if prefix is None or self.epochs not in EPOCHS:
            raise InputError(
                f"NAS-Bench-201 has no {self.split} accuracy on "
                f"{self.dataset} after {self.epochs} epochs; there are "
                f"{' and '.join(SPLITS)} on {', '.join(DATASETS)} after "
                f"{' or '.join(map(str, EPOCHS))}"
            )
        return f"{prefix}_e{self.epochs}"

    def __str__(self) -> str:
        return (
            f"{self.split} accuracy on {self.dataset} after {self.epochs} "
            "epochs"
        )


# What is told of cells that were found with weights of our own.
TRUTH = {
    f"table_{name.replace('-', '_')}": TableColumn(name, "test")
    for name in DATASETS
}
