"""A table, read, split and encoded."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlpnas.candidates.tasks import Examples
from mlpnas.data.config import MlpDataConfig, split_names
from mlpnas.data.encoders import MISSING, TableEncoder
from mlpnas.data.splits import WHERE, subset
from mlpnas.data.tables import rows as table
from mlpnas.data.tables.choice import choose_reading
from mlpnas.data.tables.columns import find_column, simple
from mlpnas.data.tables.files import DataTable, read_table
from mlpnas.data.tables.known import WINE_LABEL, read_vowels, read_wine
from mlpnas.data.tables.labels import Labels, encode_labels, remark_labels
from mlpnas.data.tables.readings import Reading, apply, to_texts
from mlpnas.data.tables.report import FLAGS, report
from nascore.data.splits import set_aside
from nascore.errors import InputError

_IMBALANCE = 2.0


class TableData(NamedTuple):
    """A table as a search uses it; see `data.MlpData`."""

    train: Examples
    validation: Examples
    test: Examples
    class_names: tuple[str, ...]
    encoder: TableEncoder
    notes: tuple[str, ...]
    report: tuple[str, ...]
    reading: Reading


@dataclasses.dataclass(frozen=True)
class _Rows:
    """Rows of the data file and after them those of a test file.

    Attributes:
      inputs: as `readings.apply` returns them.
      labels: texts, `MISSING` where there is none.
      is_test: whether a row is of the test file.
    """

    inputs: pd.DataFrame
    labels: np.ndarray
    is_test: np.ndarray

    def without(self, places: np.ndarray) -> "_Rows":
        kept = ~places
        return _Rows(
            self.inputs[kept].reset_index(drop=True),
            self.labels[kept],
            self.is_test[kept],
        )


def load_table(config: MlpDataConfig) -> TableData:
    """Loads a table, splits and encodes it.

    Raises:
      InputError: it is missing, broken, or nothing to learn classes from.
    """
    notes: list[str] = []
    other = None
    if config.dataset == "wine_quality":
        frame, notes = read_wine(config)
        whole, label = DataTable(frame, []), WINE_LABEL
    elif config.dataset == "japanese_vowels":
        frame, other, notes = read_vowels(config)
        whole, label = DataTable(frame, []), "speaker"
    else:
        kept = {simple(n) for n in split_names(config.categorical_columns)}
        whole = _read(config, "data_file", lambda name: simple(name) in kept)
        label = find_column(whole.frame, config.label_column, "label_column")
    return _load(config, whole, other, label, notes)


def _read(
    config: MlpDataConfig, flag: str, keeps_text: Callable[[str], bool]
) -> DataTable:
    """Reads a file, the classes and some columns as the texts they are."""
    label = simple(config.label_column)
    return read_table(
        Path(getattr(config, flag)),
        flag,
        config.decimal,
        lambda name: simple(name) == label or keeps_text(name),
    )


def _load(
    config: MlpDataConfig,
    whole: DataTable,
    other: pd.DataFrame | None,
    label: str,
    notes: list[str],
) -> TableData:
    frame, dropped = table.drop_columns(whole.frame, config)
    notes = notes + dropped
    if label not in frame:
        raise InputError(f"--drop_columns names {label!r}, the classes' column")
    inputs = frame.drop(columns=[label])
    if not inputs.shape[1]:
        raise InputError(f"the table has no column beside {label!r}")
    reading, remarks = choose_reading(inputs, whole.codes, config)
    notes += remarks
    if config.test_file:
        other = _read(config, "test_file", reading.keeps_text).frame
    if other is not None:
        left_out = [name for name in whole.frame if name not in frame]
        other = table.match_columns(frame, other, left_out, config.test_file)
    rows = _join(frame, other, label, reading, config)
    lines = rows.inputs[~rows.is_test]
    rows, remarks = _drop_rows(rows, label, config)
    notes += remarks
    labels = encode_labels(rows.labels, label, config.decimal)
    notes += remark_labels(labels)
    places = _split_rows(labels, rows.is_test, other is not None, config)
    train = places[0]
    said = report(lines, reading, labels.names, label)
    said += [FLAGS] if config.dataset == "table" else []
    used, remarks = table.drop_constant(rows.inputs.iloc[train], reading)
    notes += remarks + table.describe_missing(rows.inputs.iloc[train], used)
    notes += _describe_balance(labels.numbers[train], labels.names)
    encoder = TableEncoder(
        rows.inputs.iloc[train], used.names(True), used.names(False)
    )
    if other is not None:
        notes += table.describe_unknown(
            rows.inputs[rows.is_test],
            encoder.categorical,
            encoder.categories,
            "the test part",
        )
    own, held_out, test = (
        Examples(encoder.encode(rows.inputs.iloc[part]), labels.numbers[part])
        for part in places
    )
    return TableData(
        own,
        held_out,
        test,
        labels.names,
        encoder,
        tuple(notes),
        tuple(said),
        used,
    )


def _join(
    frame: pd.DataFrame,
    other: pd.DataFrame | None,
    label: str,
    reading: Reading,
    config: MlpDataConfig,
) -> _Rows:
    """One table from here on, so that both parts have the same classes."""
    parts = [(frame, "--data_file")]
    if other is not None:
        parts.append((other, f"--test_file={config.test_file}"))
    inputs = pd.concat(
        [apply(reading, part, where) for part, where in parts],
        ignore_index=True,
    )
    labels = np.concatenate(
        [to_texts(part[label], reading.missing) for part, _ in parts]
    )
    return _Rows(inputs, labels, np.arange(len(inputs)) >= len(frame))


def _drop_rows(
    rows: _Rows, label: str, config: MlpDataConfig
) -> tuple[_Rows, list[str]]:
    """Leaves out rows without a class and, if asked for, repeated ones.

    Raises:
      InputError: no row is left of one of the files.
    """
    notes = []
    has_test = bool(rows.is_test.any())
    unknown = rows.labels == MISSING
    if unknown.any():
        text = f"{unknown.sum()} rows without a label are left out"
        if lost := int((unknown & rows.is_test).sum()):
            text += f", {lost} of them in --test_file"
        notes.append(text)
        rows = rows.without(unknown)
        _check_left(rows, has_test, f"has a label in column {label!r}", config)
    every = pd.concat([rows.inputs, pd.Series(rows.labels)], axis=1)
    repeated = every.duplicated().to_numpy()
    if repeated.any() and config.drop_duplicates:
        notes.append(f"{repeated.sum()} rows that repeat others are left out")
        rows = rows.without(repeated)
        what = "is left by --drop_duplicates: all repeat rows of the data file"
        _check_left(rows, has_test, what, config)
    elif repeated.any():
        notes.append(
            f"{repeated.sum()} rows repeat an earlier one, perhaps across "
            "the split; --drop_duplicates leaves them out"
        )
    return rows, notes


def _check_left(
    rows: _Rows, has_test: bool, what: str, config: MlpDataConfig
) -> None:
    if not (~rows.is_test).any():
        raise InputError(f"no row {what}")
    if has_test and not rows.is_test.any():
        raise InputError(
            f"--test_file={config.test_file}: no row {what}; give one whose "
            "rows can be tested, or leave the flag out to set "
            "--test_fraction of the data file aside (python -m "
            "experiments.predict classifies rows without labels)"
        )


def _split_rows(
    labels: Labels, is_test: np.ndarray, has_test: bool, config: MlpDataConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the training, validation and test rows."""
    numbers = labels.numbers
    given = np.flatnonzero(is_test)
    own = np.flatnonzero(~is_test)
    least = 2 if has_test else 3
    counts = np.bincount(numbers[own], minlength=len(labels.names))
    if counts.min() < least:
        smallest = labels.names[int(counts.argmin())]
        raise InputError(
            f"class {smallest!r} has {counts.min()} of {len(own)} rows "
            f"({len(counts)} classes in all); each class needs at least "
            f"{least}, for training, validation"
            f"{'' if has_test else ' and test'}"
        )
    if not has_test:
        rest, test = set_aside(
            numbers[own],
            config.test_fraction,
            config.split_seed,
            WHERE,
            labels.names,
        )
        own, given = own[rest], own[test]
    own = own[subset(numbers[own], config, labels.names)]
    train, validation = set_aside(
        numbers[own],
        config.validation_fraction,
        config.split_seed,
        WHERE,
        labels.names,
    )
    return own[train], own[validation], given


def _describe_balance(labels: np.ndarray, names: Sequence[str]) -> list[str]:
    """A note on classes of very different sizes."""
    counts = np.bincount(labels, minlength=len(names))
    if counts.max() < _IMBALANCE * counts.min():
        return []
    most, least = int(counts.argmax()), int(counts.argmin())
    return [
        f"classes are imbalanced: {names[most]!r} has {counts[most]} training "
        f"rows, {names[least]!r} {counts[least]}; always answering "
        f"{names[most]!r} is right in {counts[most] / len(labels):.1%}"
    ]
