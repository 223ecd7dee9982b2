"""Image data sets in memory: loading, splitting, subsets.

Images stay uint8; scaling and augmentation happen in the compiled step
(`nascore.data.augment`). Nothing about a data set is hard-coded: classes,
channels and size come from the data.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from nascore.data.config import OWN, PADDED_SIZE, DataConfig
from nascore.data.own_images.read import read_own
from nascore.data.pictures.fitting import pad_to, resize
from nascore.data.splits import describe_missing, set_aside
from nascore.errors import InputError

DIGITS_SIZE = 16
# Part of a data set without an official test set that becomes one.
TEST_FRACTION = 0.2
# Images whose pixels are counted at a time.
_COUNTED_AT_ONCE = 1024
# The published protocol (I-ENAS, section IV, and its code).
IENAS_VALIDATION_FRACTION = 0.3
IENAS_SPLIT_SEED = 1


@dataclasses.dataclass(frozen=True)
class Split:
    """Some examples: uint8 `[n, h, w, c]` and int32 `[n]`."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, places: np.ndarray) -> "Split":
        """The examples at these places."""
        return Split(self.images[places], self.labels[places])


@dataclasses.dataclass(frozen=True)
class RawData:
    """A data set as it comes: what is official, and nothing carved yet."""

    train: Split
    test: Split
    class_names: tuple[str, ...]
    validation: Split | None = None
    notes: tuple[str, ...] = ()
    padded_from: int = 0


@dataclasses.dataclass(frozen=True)
class ImageData:
    """A data set as a search uses it.

    Attributes:
      name: of the data set.
      train: the shared weights learn from it.
      validation: rewards come from it.
      search_test: the search reports on it and learns nothing from it.
      test: the official test set, for final evaluation only.
      class_names: one for each label.
      notes: one-line remarks that a user should see.
      padded_from: height and width of the images before their border was
        repeated to the size that they have; 0: it was not.
    """

    name: str
    train: Split
    validation: Split
    search_test: Split
    test: Split
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    padded_from: int = 0

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    @functools.cached_property
    def mean(self) -> np.ndarray:
        """Float32 `[c]`, of the training pixels scaled to [0, 1]."""
        return (self._moments[0] / 255).astype(np.float32)

    @functools.cached_property
    def std(self) -> np.ndarray:
        """Float32 `[c]`, likewise; at least one grey level."""
        return np.maximum(self._moments[1] / 255, 1 / 255).astype(np.float32)

    @functools.cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of the training pixels, float64 `[c]`.

        From how often each value occurs: NumPy's own `std` makes two copies
        of the images in float64, sixteen times their size.
        """
        images = self.train.images
        counts = np.zeros((images.shape[-1], 256))
        for first in range(0, len(images), _COUNTED_AT_ONCE):
            block = images[first : first + _COUNTED_AT_ONCE]
            for channel, count in enumerate(counts):
                count += np.bincount(block[..., channel].ravel(), minlength=256)
        shares = counts / counts.sum(1, keepdims=True)
        values = np.arange(256.0)
        mean = shares @ values
        spread = (values - mean[:, None]) ** 2
        return mean, np.sqrt((shares * spread).sum(1))

    @functools.cached_property
    def fingerprint(self) -> str:
        """Tells whether another run saw the same examples in the splits.

        Those of a search; `test_fingerprint` covers the official test set.
        """
        return _fingerprint(self.train, self.validation, self.search_test)

    @functools.cached_property
    def test_fingerprint(self) -> str:
        """Tells whether another run has the same official test set."""
        return _fingerprint(self.test)


def _fingerprint(*splits: Split) -> str:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(np.ascontiguousarray(split.images).data)
        digest.update(np.ascontiguousarray(split.labels).data)
    return digest.hexdigest()[:16]


def load(config: DataConfig) -> ImageData:
    """Loads a data set and splits it.

    Raises:
      InputError: it is missing, broken, or too small for the split.
    """
    return _split(load_raw(config), config)


def load_raw(config: DataConfig) -> RawData:
    """Loads a data set with what is official about it, and splits nothing.

    Raises:
      InputError: it is missing or broken.
    """
    if config.dataset == "digits":
        return _load_digits(config.image_size or DIGITS_SIZE)
    if config.dataset in OWN:
        return _load_own(config)
    return _load_prepared(config)


def _load_digits(size: int) -> RawData:
    """The 1,797 8x8 digits that scikit-learn ships; a fifth is for test."""
    # Slow to import, as is what splits: where it is needed.
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)
    every = Split(
        resize(images[..., None], size), digits.target.astype(np.int32)
    )
    names = tuple(str(name) for name in digits.target_names)
    test, train = _carve(every, TEST_FRACTION, 0, "digits", names)
    return RawData(train, test, names)


def _load_own(config: DataConfig) -> RawData:
    """Images of the user's, whose test set may have to be carved."""
    parts, names, notes, missing = read_own(config)
    splits = {name: Split(*arrays) for name, arrays in parts.items()}
    train = splits["train"]
    if "test" not in splits:
        splits["test"], train = _carve(
            train, TEST_FRACTION, 0, config.data_dir, names
        )
        count = len(splits["test"])
        notes = (
            f"{missing}: {count} images were set aside as the test set",
            *notes,
        )
    valid = splits.get("valid")
    return RawData(train, splits["test"], names, valid, notes)


def _load_prepared(config: DataConfig) -> RawData:
    """A data set that tensorflow-datasets has prepared, or can download."""
    # Slow to import, and needed here only.
    from nascore.data.tfds import is_file_order, read_prepared

    name = config.dataset
    # The published split counts by the place in the official files.
    published = config.split == "ienas"
    parts, names = read_prepared(name, config.data_dir, published)
    notes: tuple[str, ...] = ()
    if published and not is_file_order(name, parts["test"][1]):
        notes = (
            f"--split=ienas: the test labels of {name} are not the official "
            "ones in the order of their files, so that the validation images "
            "are not the published ones; delete the data set and prepare it "
            "again",
        )
    splits, padded_from = {}, 0
    for part, (images, labels) in parts.items():
        if config.image_size:
            images = resize(images, config.image_size)
        elif images.shape[1] < PADDED_SIZE:
            padded_from = images.shape[1]
            images = pad_to(images, PADDED_SIZE)
        splits[part] = Split(images, labels)
    return RawData(
        splits["train"],
        splits["test"],
        names,
        notes=notes,
        padded_from=padded_from,
    )


def _split(raw: RawData, config: DataConfig) -> ImageData:
    """Makes the four splits that the configuration asks for."""
    notes = raw.notes
    train, test = raw.train, raw.test
    validation = raw.validation
    if config.split == "ienas":
        validation, search_test = _carve(
            test,
            IENAS_VALIDATION_FRACTION,
            IENAS_SPLIT_SEED,
            "the test set",
            raw.class_names,
            stratified=False,
        )
        notes += (
            "--split=ienas: rewards come from official test images, as in "
            "the published runs; accuracies on the test set are not clean",
        )
    else:
        seed, total = config.split_seed, len(train)
        where, names = "the training set", raw.class_names
        if validation is None:
            validation, train = _carve(
                train, config.validation_fraction, seed, where, names
            )
        share = round(config.search_test_fraction * total) / len(train)
        search_test, train = _carve(train, share, seed, where, names)
    if config.train_examples:
        train = _subset(train, config, raw.class_names)
    if len(validation) > len(train):
        raise InputError(
            f"{len(validation)} validation images are more than the "
            f"{len(train)} training images; lower --validation_fraction or "
            "raise --train_examples"
        )
    parts = {
        "training set": train.labels,
        "validation set": validation.labels,
        "search-test set": search_test.labels,
        "test set": test.labels,
    }
    notes += tuple(describe_missing(parts, raw.class_names))
    return ImageData(
        config.dataset,
        train,
        validation,
        search_test,
        test,
        raw.class_names,
        notes,
        raw.padded_from,
    )


def _carve(
    split: Split,
    size: float | int,
    seed: int,
    where: str,
    names: Sequence[str],
    stratified: bool = True,
) -> tuple[Split, Split]:
    """Takes a part out at random; returns the part and the rest.

    Args:
      split: to take it from.
      size: its fraction, rounded up; a whole number is that of its images.
      seed: of the random choice.
      where: what the images are, for messages.
      names: of the classes.
      stratified: whether every class gives the same share.
    """
    rest, part = set_aside(split.labels, size, seed, where, names, stratified)
    return split.take(part), split.take(rest)


def _subset(train: Split, config: DataConfig, names: Sequence[str]) -> Split:
    """Takes a stratified subset of the training images."""
    count, seed = config.train_examples, config.split_seed
    classes = len(np.unique(train.labels))
    if not classes <= count <= len(train):
        raise InputError(
            f"--train_examples={count} must be from {classes} (the number of "
            f"classes) to {len(train)} (what the split leaves for training)"
        )
    if len(train) - count < classes:
        # Too few would be left out for a stratified choice of them.
        order = np.random.default_rng(seed).permutation(len(train))
        return train.take(order[:count])
    return _carve(train, count, seed, "the training set", names)[0]


def preparation(config: DataConfig) -> str:
    """How images of another size come to the size that a network takes.

    Returns:
      `resize` for pictures of all sizes, `pad` by repeating the border,
      `none` where the data set has one size only.
    """
    if config.dataset == "folder":
        return "resize"
    if config.dataset in ("digits", "arrays") or config.image_size:
        return "none"
    return "pad"
