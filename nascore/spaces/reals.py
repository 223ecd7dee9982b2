"""From real numbers between 0 and 1 to rows, of any space.

A search over vectors, such as an autoencoder's, gives numbers; a row follows
from them by rules that cannot leave the space. Written for NumPy and for what
has its functions, such as `tensorflow.experimental.numpy` in a graph.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Space

ONE_HOT, ORDERED = "one_hot", "ordered"
ENCODINGS = (ONE_HOT, ORDERED)


class Reals:
    """Numbers that stand for the rows of a space.

    `one_hot`: a number for each value of a place; the largest of those that
    are legal is taken, of equal ones the first. `ordered`: a number for each
    place; the legal values are equal parts of the way from 0 to 1. What is
    legal may depend on the place before.

    Args:
      space: of the rows.
      encoding: `one_hot` or `ordered`.
      order: of the operations on the way from 0 to 1, by name; the space's
        own if empty.

    Attributes:
      size: how many numbers there are.
      blocks: which of them belong to each place, int `[length, width]`; its
        first one fills up.

    Raises:
      InputError: the order does not hold each operation once, or is none of
        numbers that have one.
    """

    def __init__(
        self, space: Space[Any], encoding: str, order: Sequence[str] = ()
    ) -> None:
        self._space = space
        self._ordered = encoding == ORDERED
        allowed = space.allowed
        # What may stand in a place whatever is before; and whether it must.
        ever: np.ndarray = np.any(allowed, axis=1)
        used: np.ndarray = np.any(allowed, axis=2)
        alike = np.where(used[..., None], allowed == ever[:, None], True)
        self._free = bool(alike.all())
        self._orders = _orders(space, tuple(order), self._ordered)
        self._legal = np.take_along_axis(
            ever if self._free else allowed,
            self._orders if self._free else self._orders[:, None],
            axis=-1,
        )
        if self._ordered:
            self.size = space.length
            self.blocks = np.arange(space.length)[:, None]
            return
        counts = ever.sum(axis=1)
        starts = np.cumsum(counts) - counts
        self.size = int(counts.sum())
        within = np.where(ever, np.cumsum(ever, axis=1) - 1, 0)
        self._places = starts[:, None] + within
        most = np.arange(counts.max())
        self.blocks = starts[:, None] + np.where(
            most < counts[:, None], most, 0
        )

    def rows(self, numbers: Any, xp: Any = np) -> Any:
        """The rows that numbers stand for.

        Args:
          numbers: float `[n, size]`, finite; ordered ones from 0 to 1.
          xp: NumPy, or what has its functions.

        Returns:
          Int32 `[n, length]`, always legal.
        """
        if self._free:
            return self._choose(numbers, self._legal, slice(None), xp)
        before = xp.zeros_like(numbers[:, 0], np.int32)
        found = []
        for place in range(self._space.length):
            legal = xp.take(self._legal[place], before, axis=0)
            before = self._choose(numbers, legal, place, xp)
            found.append(before)
        return xp.stack(found, axis=1)

    def _choose(self, numbers: Any, legal: Any, places: Any, xp: Any) -> Any:
        """Values of one place `[n]`, or of all places `[n, length]`.

        Args:
          numbers: `[n, size]`.
          legal: of these places, in their order, `[..., values]`.
          places: which.
          xp: as above.
        """
        if not self._ordered:
            own = xp.take(numbers, self._places[places], axis=1)
            chosen = xp.argmax(xp.where(legal, own, -1e30), axis=-1)
            return xp.asarray(chosen, np.int32)
        own = numbers[:, places]
        until = xp.cumsum(xp.asarray(legal, np.int32), axis=-1)
        count = until[..., -1]
        part = xp.asarray(
            xp.floor(own * xp.asarray(count, own.dtype)), np.int32
        )
        part = xp.maximum(xp.minimum(part, count - 1), 0)
        reached = xp.asarray(until > part[..., None], np.int32)
        position = xp.argmax(reached, axis=-1)
        order = self._orders[places]
        same = xp.asarray(position[..., None] == np.arange(order.shape[-1]))
        return xp.sum(xp.where(same, order, 0), axis=-1, dtype=np.int32)


def _orders(
    space: Space[Any], order: tuple[str, ...], ordered: bool
) -> np.ndarray:
    """The values of each place in their order, int `[length, values]`."""
    values = space.allowed.shape[-1]
    found = np.tile(np.arange(values), (space.length, 1))
    if not order:
        return found
    names = tuple(getattr(space, "operations", ()))
    if not ordered:
        raise InputError(
            f"--operation_order means nothing with --encoding={ONE_HOT}, "
            f"which has no order; leave it out, or take --encoding={ORDERED}"
        )
    if sorted(order) != sorted(names):
        raise InputError(
            f"--operation_order={','.join(order)[:200]} must name each "
            f"operation once: {','.join(names) or 'this space has none'}"
        )
    own = [names.index(name) for name in order]
    for place, about in enumerate(space.places):
        if about.kind == "operation":
            found[place, : len(own)] = own
    return found
