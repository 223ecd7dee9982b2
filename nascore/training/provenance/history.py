"""What a search has seen of the images that its find is measured on.

A final training takes an architecture, shared weights, or both from searches.
The images that those learned or chose from are not unseen any more, and what
is measured on them says so.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from nascore.data.config import OWN, DataConfig
from nascore.data.images import ImageData, Split, load
from nascore.errors import InputError
from nascore.training.config import FinalConfig
from nascore.training.provenance.images import FinalData, load_final
from nascore.training.provenance.origin import NOWHERE, Origin, SearchOrigin


@dataclasses.dataclass(frozen=True)
class Uses:
    """What a search did with the images of one set; bool `[n]` each.

    Attributes:
      trained: its shared weights learned from them.
      rewarded: its rewards and its ranking came from them.
      reported: it measured accuracies on them and chose nothing by those.
    """

    trained: np.ndarray
    rewarded: np.ndarray
    reported: np.ndarray

    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {name: int(mask.sum()) for name, mask in vars(self).items()}


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a search has seen of a final training's images.

    Attributes:
      validation: None without validation images.
      test: of the official test set.
    """

    validation: Uses | None
    test: Uses


@dataclasses.dataclass(frozen=True)
class History:
    """What the searches behind a final training have seen.

    Attributes:
      origin: the searches.
      architecture: of the one that found the architecture; None if there is
        none, or if its images are not found as they were.
      weights: of the one that the shared weights are from, likewise.
    """

    origin: Origin = NOWHERE
    architecture: Seen | None = None
    weights: Seen | None = None

    @property
    def searches(self) -> list[tuple[str, SearchOrigin, Seen | None]]:
        """What was taken from which search, and what that has seen."""
        return [
            (name, search, getattr(self, name))
            for name, search in vars(self.origin).items()
            if search is not None
        ]

    @property
    def rewarded_tests(self) -> np.ndarray | None:
        """Test images that chose the architecture, bool `[n]`; if any did."""
        if self.architecture is None:
            return None
        mask = self.architecture.test.rewarded
        return mask if mask.any() else None


def find_history(
    origin: Origin, config: FinalConfig, data: FinalData
) -> History:
    """Looks for a final training's images among those of its searches.

    Args:
      origin: the searches; their run folders are not needed.
      config: of the training.
      data: its images.
    """
    found: dict[SearchOrigin | None, Seen | None] = {None: None}
    for search in (origin.architecture, origin.weights):
        if search is not None and search not in found:
            found[search] = _find_seen(search, config, data)
    return History(origin, found[origin.architecture], found[origin.weights])


def _find_seen(
    search: SearchOrigin, config: FinalConfig, data: FinalData
) -> Seen | None:
    """What one search has seen; None if its images are not there."""
    own = config.data
    if search.data.dataset != own.dataset and not _any_own(search, own):
        return _compare({}, {}, data)
    theirs, is_same = find_images(search, own)
    if theirs is None:
        return None
    if theirs.image_shape != data.source.image_shape:
        # Images can only be compared at one size.
        size = search.data.image_size
        data = load_final(
            dataclasses.replace(own, image_size=size),
            config.training.train_on_all,
        )
    parts = {
        "trained": theirs.train,
        "rewarded": theirs.validation,
        "reported": theirs.search_test,
    }
    tests = parts
    if is_same and search.data.split == "clean":
        # None by construction, even of those that occur twice.
        tests = {}
    elif is_same:
        tests = {k: v for k, v in parts.items() if k != "trained"}
        parts = {"trained": theirs.train}
    return _compare(parts, tests, data)


def find_images(
    search: SearchOrigin, own: DataConfig
) -> tuple[ImageData | None, bool]:
    """Looks for a search's images where they were, and where a training's are.

    Args:
      search: the search.
      own: the training's data set.

    Returns:
      The images, None if they are not found as they were; and whether they
      are of the training's data set.
    """
    for folder in dict.fromkeys((own.data_dir, search.data.data_dir)):
        is_same = folder == own.data_dir and search.data.dataset == own.dataset
        if not is_same and not _any_own(search, own):
            continue
        try:
            data = load(dataclasses.replace(search.data, data_dir=folder))
        except InputError:
            continue
        if data.fingerprint == search.fingerprint:
            return data, is_same
    return None, False


def _any_own(search: SearchOrigin, own: DataConfig) -> bool:
    """Whether images may be the same under another name."""
    return bool({search.data.dataset, own.dataset} & set(OWN))


def _compare(
    validation: Mapping[str, Split], test: Mapping[str, Split], data: FinalData
) -> Seen:
    """Finds the images of a training in the parts of a search."""
    held_out = data.validation
    return Seen(
        None if held_out is None else _find(validation, held_out),
        _find(test, data.test),
    )


def _find(parts: Mapping[str, Split], images: Split) -> Uses:
    own = _pixels(images) if parts else []
    masks = {}
    for field in dataclasses.fields(Uses):
        part = parts.get(field.name)
        theirs = set(_pixels(part)) if part is not None else set()
        masks[field.name] = np.array(
            [image in theirs for image in own] or [False] * len(images)
        )
    return Uses(**masks)


def _pixels(split: Split) -> list[int]:
    """A number for each image that another hardly has."""
    return [hash(image.tobytes()) for image in split.images]
