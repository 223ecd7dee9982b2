"""Small tables as files of text; shared by the tests of how they are read."""

import random

import pytest

from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from nascore.errors import InputError


def write_rows(path, header, row, count=60):
    """Writes a header and what `row` makes of each number."""
    lines = [header, *(row(n) for n in range(count))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return path


def number(n):
    """A number with decimals, another for each row."""
    return f"{random.Random(n).gauss(n % 2, 1):.3f}"  # noqa: S311


def label(n):
    """One of two classes."""
    return "ab"[n % 2]


def config(path, **changes):
    changes.setdefault("label_column", "label")
    return MlpDataConfig(dataset="table", data_file=str(path), **changes)


def read(path, **changes):
    """Loads a table."""
    return load(config(path, **changes))


def refusal(path, **changes):
    """The line with which a table is refused."""
    with pytest.raises(InputError) as error:
        read(path, **changes)
    assert "\n" not in str(error.value)
    return str(error.value)
