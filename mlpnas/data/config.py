"""Which examples a search of perceptrons learns from; no TensorFlow here."""

import csv
import dataclasses
import math
from collections.abc import Iterable

from nascore.config import check_fields, option
from nascore.errors import InputError
from nascore.paths import quote

IMAGE_DATASETS = ("digits", "mnist", "fashion_mnist")
DATASETS = (*IMAGE_DATASETS, "wine_quality", "japanese_vowels", "table")


# Flags that say how a file of the user's own is read, and columns of tables.
_READING = ("numeric_columns", "missing_values", "decimal")
_COLUMNS = ("drop_columns", "categorical_columns", "drop_duplicates")


def split_names(text: str) -> tuple[str, ...]:
    """Splits a list that was written with commas.

    A name with a comma stands in quotes, as in a CSV file.
    """
    # A line break in a name counts as a blank, see `table.find_column`.
    rows = csv.reader([" ".join(text.split())], skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row if name.strip())


def join_names(names: Iterable[str]) -> str:
    """Writes names as `split_names` reads them, after a shell has."""
    quoted = (
        '"' + name.replace('"', '""') + '"' if {",", '"'} & set(name) else name
        for name in names
    )
    return quote(",".join(quoted))


@dataclasses.dataclass(frozen=True)
class MlpDataConfig:
    """Which examples, and how they are split."""

    dataset: str = option(
        "digits",
        "Data set to search on: images are flattened; table is a file of "
        "your own, see --data_file.",
        DATASETS,
    )
    data_dir: str = option(
        "",
        "The tensorflow-datasets folder (empty: its default, $TFDS_DATA_DIR "
        "or ~/tensorflow_datasets).",
        path=True,
        resumable=True,
    )
    data_file: str = option(
        "",
        "A .csv, .tsv (also .gz), .parquet or .npz file of examples, for "
        "--dataset=table; also the CSV file of wine_quality (empty: "
        "tensorflow-datasets' data) and of japanese_vowels. A run whose "
        "table has moved is resumed with its new place.",
        path=True,
        resumable=True,
    )
    label_column: str = option(
        "", "--dataset=table: the column, or NPZ array, of the classes."
    )
    test_file: str = option(
        "",
        "--dataset=table: a file of test examples with the same columns; "
        "empty: --test_fraction of the data file.",
        path=True,
        resumable=True,
    )
    drop_columns: str = option(
        "",
        "Columns of a table to leave out, with commas; a name with a comma "
        "in quotes: 'a,\"b,c\"'.",
    )
    categorical_columns: str = option(
        "",
        "Columns whose texts are taken as categories, as they stand in the "
        "file, with commas: codes, for example. Columns of text always are.",
    )
    numeric_columns: str = option(
        "",
        "--dataset=table: columns that are read as numbers although they are "
        "written with separators of thousands, decimal commas, percent or "
        "currency signs, or in hexadecimal; with commas.",
    )
    missing_values: str = option(
        "",
        "--dataset=table: texts, with commas, that count as missing in every "
        "column, the labels included. The empty field always does, and NA, "
        "N/A, nan, null and None do in columns of numbers.",
    )
    decimal: str = option(
        ".",
        "--dataset=table: what separates whole and fraction in a file of text.",
        (".", ","),
    )
    max_categories: int = option(
        100, "Refuse a column of text with more different values than this."
    )
    drop_duplicates: bool = option(
        False,
        "Keep one of each set of equal rows of a table, so that none is on "
        "both sides of a split.",
    )
    leaky: bool = option(
        False,
        "wine_quality: leave `quality`, of which the label is a function, "
        "and the row number in the inputs, as the public code does. Only to "
        "compare with its numbers.",
    )
    validation_fraction: float = option(
        0.2, "Part of the training examples that scores are measured on."
    )
    test_fraction: float = option(
        0.2, "Part of a table without test examples that is set aside."
    )
    train_examples: int = option(
        0,
        "Take a stratified subset of this many of the training examples, "
        "before the validation part is set aside; 0 takes all.",
    )
    split_seed: int = option(
        1,
        "Seed of the splits and of the subset; not the search's --seed, so "
        "that runs of several seeds share one split.",
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            max_categories=(2, 1_000_000),
            validation_fraction=(0.001, 0.9),
            test_fraction=(0.001, 0.9),
            train_examples=(0, math.inf),
            split_seed=(0, 2**31 - 1),
        )
        if self.dataset == "table" and not self.data_file:
            raise InputError(
                "--dataset=table needs --data_file=FILE, a .csv, .parquet or "
                ".npz file"
            )
        if self.dataset == "table" and not self.label_column:
            raise InputError(
                "--dataset=table needs --label_column=NAME, the column of "
                "the classes"
            )
        if self.dataset == "japanese_vowels" and not self.data_file:
            raise InputError(
                "--dataset=japanese_vowels needs --data_file=FILE, its CSV file"
            )
        if self.dataset in IMAGE_DATASETS and self.data_file:
            raise InputError(
                f"--data_file={self.data_file} needs --dataset=table; "
                f"--dataset={self.dataset} has its own examples"
            )
        if self.dataset != "table" and (self.test_file or self.label_column):
            raise InputError(
                "--test_file and --label_column need --dataset=table"
            )
        self._check_table_flags()
        if self.leaky and self.dataset != "wine_quality":
            raise InputError("--leaky is for --dataset=wine_quality only")

    def _check_table_flags(self) -> None:
        """Raises InputError for flags that this data set would not heed."""
        for name in (*_READING, *_COLUMNS):
            given = getattr(self, name) != getattr(type(self), name)
            idle = self.dataset in IMAGE_DATASETS or name in _READING
            if given and idle and self.dataset != "table":
                raise InputError(
                    f"--{name} is for --dataset=table"
                    f"{'' if name in _READING else ' and other tables'}; "
                    f"--dataset={self.dataset} has nothing that it changes"
                )
        numeric = set(split_names(self.numeric_columns))
        for name in sorted(
            numeric & set(split_names(self.categorical_columns))
        ):
            raise InputError(
                f"--numeric_columns and --categorical_columns both name "
                f"{name!r}; leave it out of one"
            )
