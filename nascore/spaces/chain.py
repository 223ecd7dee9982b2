"""The space of the public code of NASES: layers that each have four numbers.

Liu (2019) names the operations of ENAS; the code of the same author
(jimliu741523/NASES, `model.py`) searches this one instead: fifteen layers one
after the other, each of four numbers from 1 to 29, and skips between layers
whose last numbers are near each other. NumPy only, no TensorFlow.

Its text is, for example, `20 20 15 13 | 17 18 13 13 | ...`. Different texts may
mean one network: a kernel has two sizes, and a skip is there or not.
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Place, Space, table_of_choices

# Each number is from 1 to this.
VALUES = 29
SEPARABLE, CONVOLUTION = "separable", "convolution"
MAX_POOL, AVERAGE_POOL = "max pool", "average pool"
POOLS = (MAX_POOL, AVERAGE_POOL)
# The least number of each operation, and the least of a 5x5 kernel.
_OPERATIONS = (
    (25, AVERAGE_POOL),
    (20, MAX_POOL),
    (5, CONVOLUTION),
    (1, SEPARABLE),
)
_LARGE_KERNEL = 15
# Layers are joined whose last numbers differ by less than this.
_NEAR = 5
_KINDS = ("operation", "kernel", "channels", "skip")


class ChainLayer(NamedTuple):
    """The four numbers of a layer, each from 1 to `VALUES`."""

    operation: int
    kernel: int
    channels: int
    skip: int

    @property
    def kind(self) -> str:
        """Its operation; the first layer is a convolution all the same."""
        return next(name for least, name in _OPERATIONS if self[0] >= least)

    @property
    def kernel_size(self) -> int:
        """Height and width of its kernels."""
        return 5 if self.kernel >= _LARGE_KERNEL else 3


# From input to output.
ChainArchitecture = tuple[ChainLayer, ...]


def kind_of(architecture: ChainArchitecture, number: int) -> str:
    """The operation of a layer; that of the first is a convolution."""
    return architecture[number].kind if number else CONVOLUTION


def joined(architecture: ChainArchitecture, number: int) -> list[int]:
    """The layers before one whose outputs are joined to its own."""
    own = architecture[number].skip
    return [
        place
        for place, layer in enumerate(architecture[:number])
        if abs(layer.skip - own) < _NEAR
    ]


@dataclasses.dataclass(frozen=True)
class ChainSpace(Space[ChainArchitecture]):
    """The architectures to choose from; a row holds numbers less 1.

    Args:
      num_layers: of each.

    Raises:
      InputError: fewer than two layers, or more than 50.
    """

    kind = "chain"

    num_layers: int = 15

    def __post_init__(self) -> None:
        if not 2 <= self.num_layers <= 50:
            raise InputError(
                f"--num_layers={self.num_layers} must be from 2 to 50 for a "
                "chain of layers"
            )

    @property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`."""
        layers = range(self.num_layers)
        return tuple(Place(0, n, kind) for n in layers for kind in _KINDS)

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; everything is."""
        return table_of_choices(np.full(self.length, VALUES))

    def encode(self, architecture: ChainArchitecture) -> np.ndarray:
        """See `Space.encode`.

        Raises:
          InputError: it is not of this space.
        """
        self._check(architecture)
        return np.array(architecture, np.int32).ravel() - 1

    def decode(self, row: np.ndarray) -> ChainArchitecture:
        """See `Space.decode`."""
        numbers = np.asarray(row)
        if numbers.shape != (self.length,):
            raise InputError(
                f"a chain of {self.num_layers} layers is {self.length} "
                f"numbers. Received: {numbers.size}"
            )
        layers = (numbers.reshape(-1, len(_KINDS)) + 1).tolist()
        found = tuple(ChainLayer(*layer) for layer in layers)
        self._check(found)
        return found

    def parse(self, text: str) -> ChainArchitecture:
        """See `Space.parse`."""
        layers = []
        for number, part in enumerate(text.split("|"), 1):
            words = part.split()
            if len(words) != len(_KINDS) or not all(
                word.isdecimal() and len(word) < 9 for word in words
            ):
                raise InputError(
                    f"layer {number} must be four numbers from 1 to {VALUES}, "
                    f"{', '.join(_KINDS)}, such as '17 18 13 13'. Received: "
                    f"{part.strip()[:60]!r}"
                )
            layers.append(ChainLayer(*map(int, words)))
        found = tuple(layers)
        self._check(found)
        return found

    def _check(self, architecture: ChainArchitecture) -> None:
        """Raises InputError if it is not of this space."""
        if len(architecture) != self.num_layers:
            raise InputError(
                f"a chain has {self.num_layers} layers (--num_layers). "
                f"Received: {len(architecture)}"
            )
        for number, layer in enumerate(architecture, 1):
            for kind, value in zip(_KINDS, layer, strict=True):
                if not 1 <= value <= VALUES:
                    raise InputError(
                        f"{kind} of layer {number} is {value}; it must be "
                        f"from 1 to {VALUES}"
                    )

    def format(self, architecture: ChainArchitecture) -> str:
        """See `Space.format`."""
        return " | ".join(" ".join(map(str, x)) for x in architecture)

    def describe(self, architecture: ChainArchitecture) -> str:
        """One line for each layer: what it is and which others it joins."""
        lines = []
        for number, layer in enumerate(architecture):
            kind = kind_of(architecture, number)
            size = f"{layer.kernel_size}x{layer.kernel_size}"
            what = f"{kind} 2x2" if kind in POOLS else f"{kind} {size}"
            if kind not in POOLS:
                what += f", {layer.channels} x --filters channels"
            others = joined(architecture, number)
            if others:
                what += f"; joins {', '.join(map(str, others))}"
            lines.append(f"layer {number}: {what}")
        return "\n".join(lines)


def is_chain(text: str) -> bool:
    """Whether a text looks like that of a chain: numbers, four a layer."""
    parts = text.split("|")
    first = parts[0].split()
    return (
        len(parts) > 1
        and len(first) == len(_KINDS)
        and all(word.isdecimal() for word in first)
    )


# Its file of results, as rounded and cut there.
PUBLISHED_CHAINS = {
    "NASES": (
        "20 20 15 13 | 17 18 13 13 | 14 13 15 7 | 17 9 12 13 | 13 20 22 19 | "
        "17 21 18 14 | 20 21 20 21 | 15 15 16 10 | 18 20 17 18 | "
        "16 10 15 15 | 14 16 19 19 | 20 11 27 19 | 13 9 20 12 | "
        "19 18 20 16 | 10 17 20 16"
    )
}


def find_chain(name: str) -> str | None:
    """The text of a published chain, whatever the name's capitals."""
    return {k.lower(): v for k, v in PUBLISHED_CHAINS.items()}.get(
        name.strip().lower()
    )
