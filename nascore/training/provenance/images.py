"""Which images a final training learns from, and what they are measured on."""

import dataclasses

import numpy as np

from nascore.data.config import DataConfig
from nascore.data.images import ImageData, Split, load


@dataclasses.dataclass(frozen=True)
class FinalData:
    """A data set as final training uses it.

    Attributes:
      source: the data set and its splits.
      train: all official training images, but for those of `validation`.
      validation: for the learning curve; None if they are trained on.
      test: the official test set, evaluated once.
    """

    source: ImageData
    train: Split
    validation: Split | None
    test: Split


def load_final(config: DataConfig, train_on_all: bool) -> FinalData:
    """Loads a data set; a search's test images join the training images.

    Raises:
      InputError: as `nascore.data.images.load`.
    """
    source = load(config)
    parts = [source.train]
    # A subset was asked for: then it is all that is trained on.
    if not config.train_examples:
        parts.append(source.search_test)
        if train_on_all:
            parts.append(source.validation)
    train = Split(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
    validation = None if train_on_all else source.validation
    return FinalData(source, train, validation, source.test)
