"""A part of some examples, set aside at random and by class."""

from collections.abc import Mapping, Sequence

import numpy as np

from nascore.errors import InputError

_NAMED = 3


def set_aside(
    labels: np.ndarray,
    size: float | int,
    seed: int,
    where: str,
    names: Sequence[str],
    stratified: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses a part of some examples.

    Args:
      labels: int `[n]`, their classes.
      size: of the part: a fraction of them, rounded up, or a whole number.
      seed: of the random choice.
      where: what the examples are, for messages.
      names: of the classes.
      stratified: whether every class gives the same share.

    Returns:
      Places of the rest and of the part.

    Raises:
      InputError: too few examples, or too few of a class.
    """
    from sklearn.model_selection import train_test_split

    try:
        rest, part = train_test_split(
            np.arange(len(labels)),
            test_size=size,
            random_state=seed,
            stratify=labels if stratified else None,
        )
    except ValueError:
        part = f"{size:.0%} of it" if isinstance(size, float) else f"{size}"
        raise InputError(
            f"{where} is too small to set {part} aside by class: "
            f"{_too_few(labels, names)}"
        ) from None
    return rest, part


def describe_missing(
    parts: Mapping[str, np.ndarray], names: Sequence[str]
) -> list[str]:
    """Says which classes some parts have no example of.

    Args:
      parts: the labels of each part, int `[n]`, by what it is called.
      names: of the classes.
    """
    lines = []
    for part, labels in parts.items():
        counts = np.bincount(labels, minlength=len(names))
        missing = [
            names[label] for label in np.flatnonzero(counts == 0).tolist()
        ]
        if missing:
            lines.append(f"the {part} has no image of {_list(missing)}")
    return lines


def _list(names: Sequence[str]) -> str:
    listed = ", ".join(map(repr, names[:_NAMED]))
    if len(names) > _NAMED:
        listed += f" and {len(names) - _NAMED} others"
    return listed


def _too_few(labels: np.ndarray, names: Sequence[str]) -> str:
    """Which classes are the reason, and how many examples they have."""
    counts = np.bincount(labels, minlength=len(names))
    # Classes that a subset left out altogether are no hindrance.
    present = np.flatnonzero(counts).tolist()
    single = [names[label] for label in present if counts[label] < 2]
    if single:
        return (
            f"only 1 image is left there of the class"
            f"{'es' if len(single) > 1 else ''} {_list(single)}, and each "
            "needs at least 2; add images or leave the class out"
        )
    smallest = min(present, key=lambda label: counts[label], default=0)
    return (
        f"{len(labels)} images of {len(present)} classes are too few; the "
        f"smallest class, {names[smallest]!r}, has {counts[smallest]} there; "
        "add images"
    )
