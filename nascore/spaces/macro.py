"""Whole networks: an operation and skip connections for each layer.

The macro search space of ENAS (Pham et al., 2018, section 2.3), with the
numbers of its public code. Layer 1 is the first, tensor 0 is what the stem
makes, and tensor k what layer k makes. A layer's operation reads the tensor
before; a bit for each tensor before that says whether it is added.
"""

import dataclasses
import functools
import re

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Place, Space, table_of_choices

MACRO_OPERATIONS = (
    "conv_3x3",
    "sep_conv_3x3",
    "conv_5x5",
    "sep_conv_5x5",
    "avg_pool_3x3",
    "max_pool_3x3",
)
MAX_LAYERS = 100
_NAME = re.compile(r"\w{1,80}", re.ASCII)
# Between the layers of a text, where there is anything.
_BAR = re.compile(r"[|\n;]")
# The network of ENAS's CIFAR-10 experiments, as its public code has it.
PUBLISHED_NETWORKS = {
    "ENAS_MACRO": """
        0 | 3 0 | 0 1 0 | 2 0 0 1 | 2 0 0 0 0 | 3 1 1 0 1 0 | 2 0 0 0 0 0 1
        | 2 0 1 1 0 1 1 1 | 1 0 1 1 1 0 1 0 1 | 0 0 0 0 0 0 0 0 0 0
        | 2 0 0 0 0 0 1 0 0 0 0 | 0 1 0 0 1 1 0 0 0 0 1 1
        | 2 0 1 0 0 0 0 0 1 0 1 1 0 | 1 0 0 1 0 0 0 1 1 1 0 1 0 1
        | 0 1 1 0 1 0 1 0 0 0 0 0 1 0 0 | 2 0 0 1 0 0 0 0 0 0 0 1 0 1 0 1
        | 2 0 1 0 0 0 1 0 0 1 1 1 1 0 0 1 0
        | 2 0 0 0 0 1 0 1 0 1 0 0 1 0 1 0 0 1
        | 3 0 1 1 0 1 0 0 0 0 0 1 0 1 0 1 0 0 0
        | 3 0 1 1 0 0 0 0 0 0 0 0 0 1 1 0 0 0 0 1
        | 0 1 0 0 1 0 1 1 0 0 0 1 0 0 0 0 0 1 1 0 0
        | 3 0 1 0 1 1 0 0 1 0 1 1 0 1 1 0 1 0 0 1 0 0
        | 0 1 0 1 0 1 0 0 0 0 0 0 0 0 1 0 1 0 0 1 0 0 0
        | 0 1 1 0 0 0 1 1 1 0 1 0 0 0 1 0 1 0 0 1 1 0 0 0"""
}


@dataclasses.dataclass(frozen=True)
class MacroLayer:
    """One layer.

    Attributes:
      operation: its place among those of the space.
      skips: a bit, 0 or 1, for each tensor but the one that the operation
        reads, the stem's first: layer k has k - 1 of them.
    """

    operation: int
    skips: tuple[int, ...] = ()

    @property
    def sources(self) -> tuple[int, ...]:
        """The tensors that are added."""
        return tuple(place for place, bit in enumerate(self.skips) if bit)

    def __str__(self) -> str:
        return " ".join(map(str, (self.operation, *self.skips)))


@dataclasses.dataclass(frozen=True)
class MacroArchitecture:
    """All layers of a network, from input to output."""

    layers: tuple[MacroLayer, ...]

    @property
    def skip_share(self) -> float:
        """Part of the possible skips that there are; 0 of a single layer."""
        bits = [bit for layer in self.layers for bit in layer.skips]
        return sum(bits) / len(bits) if bits else 0.0

    def __str__(self) -> str:
        return " ".join(map(str, self.layers))


@dataclasses.dataclass(frozen=True)
class MacroSpace(Space[MacroArchitecture]):
    """All networks of so many layers.

    A row is the public code's text: of each layer the operation, then its
    bits. Every operation and bit is free: 6^L 2^(L(L-1)/2) networks of L
    layers and six operations, 1.6e29 of 12.

    Args:
      operations: names; an operation's number is its place. Names may
        repeat: the public code trains ordinary convolutions in place of the
        separable ones.
      num_layers: layers.

    Raises:
      InputError: no operations, odd names, no layers or far too many.
    """

    kind = "macro"

    operations: tuple[str, ...] = MACRO_OPERATIONS
    num_layers: int = 12

    def __post_init__(self) -> None:
        if not 1 <= self.num_layers <= MAX_LAYERS:
            raise InputError(
                f"a network of this space has from 1 to {MAX_LAYERS} layers. "
                f"Received: num_layers={str(self.num_layers)[:40]}"
            )
        names = self.operations
        fits = all(isinstance(n, str) and _NAME.fullmatch(n) for n in names)
        if not 1 <= len(names) <= MAX_LAYERS or not fits:
            raise InputError(
                f"there must be from 1 to {MAX_LAYERS} operations, of letters, "
                "digits and underscores. Received: operations="
                f"{','.join(map(str, names))[:200]}"
            )

    @functools.cached_property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`."""
        return tuple(
            Place(0, layer, "skip" if part else "operation")
            for layer in range(self.num_layers)
            for part in range(layer + 1)
        )

    @property
    def array_shape(self) -> tuple[int]:
        """Shape of an architecture as integers: that of its row."""
        return (self.length,)

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """The place of each layer's operation in a row, int64 `[layers]`."""
        layers = np.arange(self.num_layers)
        return layers * (layers + 1) // 2

    @functools.cached_property
    def is_skip(self) -> np.ndarray:
        """Which places of a row are bits, bool `[length]`."""
        return np.array([place.kind == "skip" for place in self.places])

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; no place depends on the one before."""
        choices = np.where(self.is_skip, 2, len(self.operations))
        return table_of_choices(choices)

    def encode(self, architecture: MacroArchitecture) -> np.ndarray:
        """See `Space.encode`."""
        layers = architecture.layers
        parts = [(layer.operation, *layer.skips) for layer in layers]
        return np.array([value for part in parts for value in part], np.int32)

    def decode(self, row: np.ndarray) -> MacroArchitecture:
        """See `Space.decode`; the error names the layer."""
        values = [int(value) for value in np.ravel(row)]
        if len(values) != self.length:
            raise InputError(self._describe_length(len(values)))
        return self._of_layers(
            [
                values[start : start + number]
                for number, start in enumerate(self.starts.tolist(), 1)
            ]
        )

    def _describe_length(self, count: int) -> str:
        """What is wrong with a row of another length."""
        text = (
            f"a network of {self.num_layers} layers has {self.length} "
            "integers: of each layer its operation and a bit for each tensor "
            f"before the last. Received: {count} integers"
        )
        layers, rest = layers_in(count)
        if not rest:
            return f"{text}, which are {layers} layers; give --num_layers"
        if count < self.length:
            return (
                f"{text}: layer {layers + 1} has {rest - 1} of its {layers} "
                "bits"
            )
        return f"{text}: {count - self.length} too many"

    def _of_layers(self, layers: list[list[int]]) -> MacroArchitecture:
        """Makes an architecture of its layers.

        Raises:
          InputError: wrong numbers of bits, or a value out of range.
        """
        if len(layers) != self.num_layers:
            raise InputError(
                f"a network of {self.num_layers} layers (--num_layers) is "
                f"wanted. Received: {len(layers)} layers"
            )
        for number, values in enumerate(layers, 1):
            if len(values) != number:
                plural = "s" * (number != 2)
                raise InputError(
                    f"layer {number} must have an operation and {number - 1} "
                    f"bit{plural}, one for each tensor before the one that it "
                    f"reads. Received: {len(values)} integers"
                )
            self._check_layer(number, values)
        return MacroArchitecture(
            tuple(MacroLayer(op, tuple(skips)) for op, *skips in layers)
        )

    def _check_layer(self, number: int, values: list[int]) -> None:
        """Raises InputError for a value that is out of range."""
        operation, *bits = values
        if not 0 <= operation < len(self.operations):
            raise InputError(
                f"the operation of layer {number} must be from 0 to "
                f"{len(self.operations) - 1}. Received: {str(operation)[:40]}"
            )
        for place, bit in enumerate(bits):
            if bit not in (0, 1):
                raise InputError(
                    f"bit {place + 1} of layer {number}, for a skip from "
                    f"{tensor_of(place)}, must be 0 or 1. Received: "
                    f"{str(bit)[:40]}"
                )

    def parse(self, text: str) -> MacroArchitecture:
        """Reads the public code's text: integers, layer by layer.

        Between layers there may be bars, semicolons or ends of lines; then
        each has its own number of bits, and its bits may be written as one
        word.

        Raises:
          InputError: it is none of this space; names the layer.
        """
        parts = [part for part in _BAR.split(text) if part.strip()]
        if len(parts) < 2:
            return self.decode(np.array(_integers(" ".join(parts)), object))
        layers = []
        for number, part in enumerate(parts, 1):
            words = part.replace(",", " ").split()
            if len(words) == 2 and number > 2:
                # All bits as one word.
                words = [words[0], *words[1]]
            layers.append(_integers(" ".join(words), f" of layer {number}"))
        return self._of_layers(layers)

    def format(self, architecture: MacroArchitecture) -> str:
        """See `Space.format`: the public code's text, on one line."""
        return str(architecture)

    def describe(self, architecture: MacroArchitecture) -> str:
        """One line for each layer."""
        lines = ["network (tensor 0: stem)"]
        for number, layer in enumerate(architecture.layers, 1):
            name = self.operations[layer.operation].replace("_", " ")
            parts = [f"{name}({tensor_of(number - 1)})"]
            parts += map(tensor_of, layer.sources)
            lines.append(f"  layer {number} = {' + '.join(parts)}")
        bits = int(self.is_skip.sum())
        if bits:
            chosen = sum(len(layer.sources) for layer in architecture.layers)
            lines.append(
                f"  {chosen} of {bits} possible skips "
                f"({architecture.skip_share:.0%})"
            )
        return "\n".join(lines)


def tensor_of(number: int) -> str:
    """Names a tensor: `stem`, `layer 1`, ..."""
    return f"layer {number}" if number else "stem"


def layers_in(integers: int) -> tuple[int, int]:
    """How many whole layers so many integers are, and how many are left."""
    layers = 0
    while (layers + 1) * (layers + 2) // 2 <= integers:
        layers += 1
    return layers, integers - layers * (layers + 1) // 2


def find_network(name: str) -> str | None:
    """The text of a published network, whatever the name's capitals."""
    texts = {key.lower(): text for key, text in PUBLISHED_NETWORKS.items()}
    found = texts.get(name.strip().lower())
    return None if found is None else " ".join(found.replace("|", " ").split())


def macro_layers(text: str) -> int | None:
    """How many layers a text of a network of this space has.

    Returns:
      None if it does not look like one: its integers are not those of whole
      layers, or no bars stand between layers and they could be cells.
    """
    parts = [part for part in _BAR.split(text) if part.strip()]
    if len(parts) > 1:
        is_digits = bool(re.fullmatch(r"[\d\s,|;-]+", text))
        return len(parts) if is_digits else None
    words = text.replace(",", " ").split()
    layers, rest = layers_in(len(words))
    # Cells have eight integers for each node.
    whole = layers > 1 and not rest and len(words) % 8
    is_digits = all(word.lstrip("-").isdecimal() for word in words)
    return layers if whole and is_digits else None


def _integers(text: str, where: str = "") -> list[int]:
    """Reads integers that spaces or commas separate.

    Raises:
      InputError: a word is none; names it.
    """
    values = []
    for place, word in enumerate(text.replace(",", " ").split(), 1):
        # Python reads no number of thousands of digits.
        if not re.fullmatch(r"-?\d{1,9}", word, re.ASCII):
            what = where or " of the architecture"
            raise InputError(
                f"word {place}{what} must be an integer. Received: "
                f"{word[:40]!r}"
            )
        values.append(int(word))
    return values
