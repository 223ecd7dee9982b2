"""Stratified splits and subsets."""

import numpy as np
from sklearn.model_selection import train_test_split

from mlpnas.data_config import MlpDataConfig
from nascore.errors import InputError


def subset(labels: np.ndarray, config: MlpDataConfig) -> np.ndarray:
    """Places of a stratified subset, or of all.

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
    _, places = split(labels, wanted, config.split_seed)
    return places


def split(
    labels: np.ndarray, size: float | int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rest and of a stratified part.

    Args:
      labels: of all.
      size: of the part: a broken number is its fraction, rounded up, a whole
        one its rows.
      seed: of the draw.

    Raises:
      InputError: too few rows.
    """
    try:
        rest, part = train_test_split(
            np.arange(len(labels)),
            test_size=size,
            random_state=seed,
            stratify=labels,
        )
    except ValueError as error:
        share = f"{size:.1%} of them" if isinstance(size, float) else f"{size}"
        raise InputError(
            f"{len(labels)} rows are too few to set {share} "
            f"aside by class: {' '.join(str(error).split())}"
        ) from None
    return rest, part
