"""Data sets as a search of perceptrons uses them: vectors and classes."""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from mlpnas import table
from mlpnas.data_config import IMAGE_DATASETS, MlpDataConfig
from mlpnas.encoders import Encoder, ImageEncoder, TableEncoder
from mlpnas.known_tables import WINE_LABEL, read_vowels, read_wine
from mlpnas.table_files import read_table
from mlpnas.tasks import Examples
from nascore.config import DataConfig
from nascore.data import load_raw
from nascore.errors import InputError

# Height and width; neither padded nor scaled.
_IMAGE_SIZES = {"digits": 8, "mnist": 28, "fashion_mnist": 28}
_IMBALANCE = 2.0


@dataclasses.dataclass(frozen=True)
class MlpData:
    """A data set, split and encoded.

    Attributes:
      name: of the data set.
      train: candidates learn from it.
      validation: scores are measured on it.
      test: for the final evaluation only.
      class_names: one for each label.
      encoder: how raw examples became numbers.
      notes: one-line remarks that a user should see.
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples
    class_names: tuple[str, ...]
    encoder: Encoder
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def features(self) -> int:
        """Numbers in an example."""
        return self.train.features.shape[1]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Tells whether another run saw the same examples in the splits."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation, self.test):
            for array in part:
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def describe(self) -> dict[str, object]:
        """What the examples are and how many there are."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "train": len(self.train.labels),
            "validation": len(self.validation.labels),
            "test": len(self.test.labels),
            "features": self.features,
            "class_names": list(self.class_names),
            "notes": list(self.notes),
        }


def load(config: MlpDataConfig) -> MlpData:
    """Loads a data set, splits and encodes it.

    Raises:
      InputError: it is missing, broken, or nothing to learn classes from.
    """
    if config.dataset in IMAGE_DATASETS:
        return _load_images(config)
    if config.dataset == "wine_quality":
        frame, notes = read_wine(config)
        return _load_table(config, frame, None, WINE_LABEL, notes)
    if config.dataset == "japanese_vowels":
        train, test, notes = read_vowels(config)
        return _load_table(config, train, test, "speaker", notes)
    frame = read_table(Path(config.data_file), "data_file")
    other = None
    if config.test_file:
        other = read_table(Path(config.test_file), "test_file")
    table.find_column(frame, config.label_column, "label_column")
    return _load_table(config, frame, other, config.label_column, [])


def _load_images(config: MlpDataConfig) -> MlpData:
    raw = load_raw(
        DataConfig(
            dataset=config.dataset,
            data_dir=config.data_dir,
            image_size=_IMAGE_SIZES[config.dataset],
        )
    )
    labels = raw.train.labels
    places = _subset(labels, config)
    train, validation = _split(
        labels[places], config.validation_fraction, config.split_seed
    )
    encoder = ImageEncoder(raw.train.images.shape[1:])
    own, held_out = (
        Examples(
            encoder.encode(raw.train.images[places[part]]),
            labels[places[part]],
        )
        for part in (train, validation)
    )
    test = Examples(encoder.encode(raw.test.images), raw.test.labels)
    return MlpData(
        config.dataset,
        own,
        held_out,
        test,
        raw.class_names,
        encoder,
        raw.notes,
    )


def _load_table(
    config: MlpDataConfig,
    frame: pd.DataFrame,
    other: pd.DataFrame | None,
    label: str,
    notes: list[str],
) -> MlpData:
    """Splits and encodes a table, and a second one of test rows."""
    frame, dropped = table.drop_columns(frame, config)
    notes = notes + dropped
    table.find_column(frame, label, "label_column")
    if other is not None:
        other, _ = table.drop_columns(other, config)
        table.check_same_columns(frame, other, label, config.test_file)
        # One table from here on, so that both have the same classes.
        other = other[list(frame.columns)]
    count = len(frame)
    whole = pd.concat([frame, other], ignore_index=True)
    is_test = np.arange(len(whole)) >= count
    whole, is_test, remarks = _drop_rows(whole, is_test, label, config)
    notes += remarks
    labels = table.encode_labels(whole[label], "label_column")
    columns = table.sort_columns(frame.drop(columns=[label]), config)
    inputs = table.to_inputs(whole, columns)
    places = _split_table(labels, is_test, config)
    train = places[0]
    columns, remarks = table.drop_constant(inputs.iloc[train], columns)
    notes += remarks + table.describe_missing(inputs.iloc[train], columns)
    notes += _describe_balance(labels.numbers[train], labels.names)
    encoder = TableEncoder(
        inputs.iloc[train], columns.numeric, columns.categorical
    )
    own, held_out, test = (
        Examples(encoder.encode(inputs.iloc[part]), labels.numbers[part])
        for part in places
    )
    return MlpData(
        config.dataset,
        own,
        held_out,
        test,
        labels.names,
        encoder,
        tuple(notes),
    )


def _drop_rows(
    frame: pd.DataFrame, is_test: np.ndarray, label: str, config: MlpDataConfig
) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Leaves out rows without a class and, if asked for, repeated ones."""
    notes = []
    unknown = frame[label].isna().to_numpy()
    if unknown.any():
        notes.append(f"{unknown.sum()} rows without a label are left out")
        frame, is_test = frame[~unknown], is_test[~unknown]
    repeated = frame.duplicated().to_numpy()
    if repeated.any() and config.drop_duplicates:
        notes.append(f"{repeated.sum()} rows that repeat others are left out")
        frame, is_test = frame[~repeated], is_test[~repeated]
    elif repeated.any():
        notes.append(
            f"{repeated.sum()} rows repeat an earlier one, perhaps across "
            "the split; --drop_duplicates leaves them out"
        )
    if not len(frame):
        raise InputError(f"no row has a label in column {label!r}")
    return frame.reset_index(drop=True), is_test, notes


def _split_table(
    labels: table.Labels, is_test: np.ndarray, config: MlpDataConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the training, validation and test rows."""
    numbers = labels.numbers
    given = np.flatnonzero(is_test)
    own = np.flatnonzero(~is_test)
    least = 2 if len(given) else 3
    counts = np.bincount(numbers[own], minlength=len(labels.names))
    if counts.min() < least:
        smallest = labels.names[int(counts.argmin())]
        raise InputError(
            f"class {smallest!r} has {counts.min()} of {len(own)} rows "
            f"({len(counts)} classes in all); each class needs at least "
            f"{least}, for training, validation"
            f"{'' if len(given) else ' and test'}"
        )
    if not len(given):
        rest, test = _split(
            numbers[own], config.test_fraction, config.split_seed
        )
        own, given = own[rest], own[test]
    own = own[_subset(numbers[own], config)]
    train, validation = _split(
        numbers[own], config.validation_fraction, config.split_seed
    )
    return own[train], own[validation], given


def _subset(labels: np.ndarray, config: MlpDataConfig) -> np.ndarray:
    """Places of a stratified subset, or of all."""
    wanted, every = config.train_examples, len(labels)
    if not wanted or wanted == every:
        return np.arange(every)
    classes = len(np.unique(labels))
    if not 2 * classes <= wanted <= every - classes:
        raise InputError(
            f"--train_examples={wanted} must be from {2 * classes} (twice the "
            f"number of classes) to {every - classes}, or {every} for all"
        )
    _, subset = _split(labels, wanted / every, config.split_seed)
    return subset


def _split(
    labels: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rest and of a stratified part of so large a fraction."""
    try:
        rest, part = train_test_split(
            np.arange(len(labels)),
            test_size=fraction,
            random_state=seed,
            stratify=labels,
        )
    except ValueError as error:
        raise InputError(
            f"{len(labels)} rows are too few to set {fraction:.1%} of them "
            f"aside by class: {' '.join(str(error).split())}"
        ) from None
    return rest, part


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
