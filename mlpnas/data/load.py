"""Data sets as a search of perceptrons uses them: vectors and classes."""

import dataclasses
import functools
import hashlib

import numpy as np

from mlpnas.candidates.tasks import Examples
from mlpnas.data.config import IMAGE_DATASETS, MlpDataConfig
from mlpnas.data.encoders import Encoder, ImageEncoder
from mlpnas.data.splits import WHERE, subset
from mlpnas.data.tables.load import load_table
from mlpnas.data.tables.readings import Reading
from nascore.data.config import DataConfig
from nascore.data.images import load_raw
from nascore.data.splits import set_aside

# Height and width; neither padded nor scaled.
_IMAGE_SIZES = {"digits": 8, "mnist": 28, "fashion_mnist": 28}


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
      report: lines that say how a table was read.
      reading: how rows of a table are read; None for images.
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples
    class_names: tuple[str, ...]
    encoder: Encoder
    notes: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    reading: Reading | None = None

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
    return MlpData(config.dataset, *load_table(config))


def _load_images(config: MlpDataConfig) -> MlpData:
    raw = load_raw(
        DataConfig(
            dataset=config.dataset,
            data_dir=config.data_dir,
            image_size=_IMAGE_SIZES[config.dataset],
        )
    )
    labels = raw.train.labels
    places = subset(labels, config, raw.class_names)
    train, validation = set_aside(
        labels[places],
        config.validation_fraction,
        config.split_seed,
        WHERE,
        raw.class_names,
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
