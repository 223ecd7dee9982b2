"""Stratified subsets of the examples."""

from collections.abc import Sequence

import numpy as np

from mlpnas.data.config import MlpDataConfig
from nascore.data.splits import set_aside
from nascore.errors import InputError

# What is split, for messages.
WHERE = "the data"


def subset(
    labels: np.ndarray, config: MlpDataConfig, names: Sequence[str]
) -> np.ndarray:
    """Places of a stratified subset, or of all.

    Args:
      labels: of all.
      config: says how many.
      names: of the classes.

    Raises:
      InputError: `train_examples` is too few or too many.
    """
    wanted, every = config.train_examples, len(labels)
    if not wanted or wanted == every:
        return np.arange(every)
    classes = len(np.unique(labels))
    if not 2 * classes <= wanted <= every - classes:
        raise InputError(
            f"--train_examples={wanted} must be from {2 * classes} (twice the "
            f"number of classes) to {every - classes}, or {every} for all"
        )
    # As a number of rows: a fraction is rounded up.
    _, places = set_aside(labels, wanted, config.split_seed, WHERE, names)
    return places
