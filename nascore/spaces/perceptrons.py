"""The search space of multilayer perceptrons (overview paper, section 5.1).

An architecture is a sequence of layers: dense ones of some width and
activation, dropout, and a final layer. Its text is, for example,
`256 relu | dropout | 64 elu | softmax`. NumPy only, no TensorFlow.

Rules, all of them in the table `MlpSpace.allowed`, so that a policy that
samples under it can make no mistake: neither dropout nor the final layer
comes first; the last place is the final layer's; dropout does not follow
dropout (two in a row would be one of a higher rate); after the final layer
there is only padding.
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from nascore.errors import InputError
from nascore.spaces.space import Place, Space

ACTIVATIONS = ("sigmoid", "tanh", "relu", "elu")
DROPOUT = "dropout"
# Of two classes, and of more.
FINAL_LAYERS = ("sigmoid", "softmax")
PADDING = 0


class HiddenLayer(NamedTuple):
    """A dense layer, and whether dropout follows it."""

    units: int
    activation: str
    dropout: bool = False


# The hidden layers from input to output; the final layer goes without saying.
MlpArchitecture = tuple[HiddenLayer, ...]


@dataclasses.dataclass(frozen=True)
class MlpSpace(Space[MlpArchitecture]):
    """The architectures to choose from.

    A row holds ids of the vocabulary, which start at 1; 0 is padding.

    Args:
      units: widths of dense layers.
      activations: of `ACTIVATIONS`.
      max_layers: most layers, dropout and the final one included.
      has_dropout: whether there are dropout layers.
      classes: two have one sigmoid unit at the end, more have softmax.
      depth_prior: `uniform`, all depths are equally likely to a policy that
        knows nothing; `paper`, ending is as likely as each other layer.

    Raises:
      InputError: widths or activations that make no space.
    """

    kind = "perceptrons"

    units: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512)
    activations: tuple[str, ...] = ACTIVATIONS
    max_layers: int = 10
    has_dropout: bool = True
    classes: int = 10
    depth_prior: str = "uniform"

    def __post_init__(self) -> None:
        odd = [name for name in self.activations if name not in ACTIVATIONS]
        if odd or not self.activations:
            raise InputError(
                f"--activations={','.join(self.activations)} must be of "
                f"{', '.join(ACTIVATIONS)}"
            )
        if not self.units or min(self.units) < 1 or max(self.units) > 65536:
            raise InputError(
                f"--units={','.join(map(str, self.units))} must be widths "
                "from 1 to 65536"
            )
        for values in (self.units, self.activations):
            if len(set(values)) < len(values):
                raise InputError(
                    "--units and --activations must not repeat a value: "
                    f"{','.join(map(str, values))}"
                )
        if self.max_layers < 2 or self.classes < 2:
            raise InputError(
                "a space needs at least 2 layers and 2 classes. Received: "
                f"max_layers={self.max_layers}, classes={self.classes}"
            )

    @property
    def final(self) -> str:
        """Name of the final layer."""
        return FINAL_LAYERS[self.classes > 2]

    @property
    def outputs(self) -> int:
        """Units of the final layer."""
        return 1 if self.classes == 2 else self.classes

    @functools.cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Text of each id, from 1; the final layer is the last."""
        dense = [f"{n} {name}" for n in self.units for name in self.activations]
        return (*dense, *([DROPOUT] if self.has_dropout else []), self.final)

    @property
    def places(self) -> tuple[Place, ...]:
        """See `Space.places`."""
        return tuple(Place(0, n, "layer") for n in range(self.max_layers))

    @functools.cached_property
    def allowed(self) -> np.ndarray:
        """See `Space.allowed`; padding also stands before the first layer."""
        count = len(self.vocabulary) + 1
        final = count - 1
        allowed = np.zeros((self.max_layers, count, count), bool)
        allowed[:, 1:final, 1:] = True
        if self.has_dropout:
            dropout = final - 1
            allowed[:, dropout, dropout] = False
        allowed[-1, 1:final, :final] = False
        # After the end there is padding, and nothing else is before it.
        allowed[1:, [PADDING, final], PADDING] = True
        dense = len(self.units) * len(self.activations)
        allowed[0] = False
        allowed[0, :, 1 : dense + 1] = True
        return allowed

    @functools.cached_property
    def prior(self) -> np.ndarray:
        """See `Space.prior`.

        Added to the logit of the final layer it makes all depths, which are
        numbers of layers as `max_layers` counts them, equally likely where
        the other logits are 0: of d depths that are still possible, one d-th
        ends. Without it ending is as likely as each other layer, and most
        sequences come near to the greatest depth.
        """
        prior = np.zeros(self.allowed.shape)
        if self.depth_prior == "paper":
            return prior
        final = len(self.vocabulary)
        others = self.allowed[:, :, :final].sum(axis=2)
        deeper = self.max_layers - 1 - np.arange(self.max_layers)[:, None]
        is_open = self.allowed[:, :, final] & (others > 0)
        # The odds of ending are 1 to `deeper`, the greater depths.
        odds = np.where(is_open, others, 1) / np.where(is_open, deeper, 1)
        prior[:, :, final] = np.log(odds)
        return prior

    def mutate(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Changes, takes out or adds one layer.

        No change of a single integer changes the depth. Which of the three
        is drawn first, of those that are possible, then the result.
        """
        kinds = [self.neighbours(row), self._shorter(row), self._longer(row)]
        possible = [rows for rows in kinds if len(rows)]
        if not possible:
            raise InputError("no single layer of the architecture can change")
        rows = possible[rng.integers(len(possible))]
        return rows[rng.integers(len(rows))]

    def _shorter(self, row: np.ndarray) -> np.ndarray:
        """The legal rows with one layer less."""
        return self._legal(
            [
                np.append(np.delete(row, place), PADDING)
                for place in np.flatnonzero(row)
            ]
        )

    def _longer(self, row: np.ndarray) -> np.ndarray:
        """The legal rows with one layer more."""
        if row[-1] != PADDING:
            return self._legal([])
        return self._legal(
            [
                np.insert(row[:-1], place, word)
                for place in range(len(row))
                for word in range(1, len(self.vocabulary))
            ]
        )

    def _legal(self, rows: list[np.ndarray]) -> np.ndarray:
        """Those that are legal, each once, `[n, max_layers]`."""
        legal = [row for row in rows if self.is_legal(row)]
        found = np.array(legal, np.int32).reshape(-1, self.max_layers)
        return np.unique(found, axis=0)

    def encode(self, architecture: MlpArchitecture) -> np.ndarray:
        """See `Space.encode`.

        Raises:
          InputError: it is not of this space.
        """
        return self._ids(self._words(architecture))

    def decode(self, row: np.ndarray) -> MlpArchitecture:
        """See `Space.decode`."""
        before = PADDING
        words = []
        for place, number in enumerate(np.asarray(row).tolist()):
            if not 0 <= number <= len(self.vocabulary):
                raise InputError(
                    f"id {number} at place {place + 1} must be from 0 to "
                    f"{len(self.vocabulary)}"
                )
            if number == PADDING and self.final not in words:
                break
            is_inside = place < self.max_layers
            if not is_inside or not self.allowed[place, before, number]:
                raise InputError(
                    f"layer {place + 1} cannot be {self._name(number)} after "
                    f"{self._name(before)}, in a space of at most "
                    f"{self.max_layers} layers"
                )
            if number != PADDING:
                words.append(self.vocabulary[number - 1])
            before = number
        if not words or words[-1] != self.final:
            raise InputError(f"the sequence does not end in {self.final}")
        return self._layers(words)

    def parse(self, text: str) -> MlpArchitecture:
        """See `Space.parse`."""
        words = [" ".join(word.split()) for word in text.split("|")]
        self.decode(self._ids(words))
        return self._layers(words)

    def format(self, architecture: MlpArchitecture) -> str:
        """See `Space.format`."""
        return " | ".join(self._words(architecture))

    def describe(self, architecture: MlpArchitecture) -> str:
        """One line for each layer."""
        return "\n".join(self._words(architecture))

    def _words(self, architecture: MlpArchitecture) -> list[str]:
        words = []
        for layer in architecture:
            words.append(f"{layer.units} {layer.activation}")
            words += [DROPOUT] * layer.dropout
        return [*words, self.final]

    def _ids(self, words: list[str]) -> np.ndarray:
        if len(words) > self.max_layers:
            raise InputError(
                f"an architecture has at most {self.max_layers} layers. "
                f"Received: {len(words)} layers"
            )
        ids = np.zeros(self.max_layers, np.int32)
        for place, word in enumerate(words):
            if word not in self.vocabulary:
                raise InputError(
                    f"layer {place + 1} must be a width and an activation "
                    f"such as {self.vocabulary[0]!r}, "
                    f"{'dropout, ' if self.has_dropout else ''}or at the end "
                    f"{self.final}. Received: {word!r}"
                )
            ids[place] = self.vocabulary.index(word) + 1
        return ids

    def _layers(self, words: list[str]) -> MlpArchitecture:
        layers: list[HiddenLayer] = []
        for word in words[:-1]:
            if word == DROPOUT:
                layers[-1] = layers[-1]._replace(dropout=True)
            else:
                units, activation = word.split()
                layers.append(HiddenLayer(int(units), activation))
        return tuple(layers)

    def _name(self, number: int) -> str:
        return self.vocabulary[number - 1] if number else "nothing"


def space_of(text: str) -> MlpSpace:
    """The smallest space with the architecture of a text.

    Raises:
      InputError: a layer that is in none.
    """
    words = [" ".join(word.split()) for word in text.split("|")]
    units, activations = set(), set()
    for word in words[:-1]:
        width, _, activation = word.partition(" ")
        if width.isdecimal() and len(width) < 6 and activation in ACTIVATIONS:
            units.add(int(width))
            activations.add(activation)
    whole = MlpSpace()
    return MlpSpace(
        tuple(sorted(units)) or whole.units,
        # In their usual order.
        tuple(name for name in ACTIVATIONS if name in activations)
        or whole.activations,
        max(2, len(words)),
        DROPOUT in words,
        classes=2 if words[-1] == FINAL_LAYERS[0] else whole.classes,
    )


def layer_shapes(
    architecture: MlpArchitecture, inputs: int, outputs: int
) -> list[tuple[int, int]]:
    """Shapes of the kernels from input to output.

    Args:
      architecture: hidden layers.
      inputs: features of an example.
      outputs: units of the final layer.
    """
    widths = [inputs, *(layer.units for layer in architecture), outputs]
    return list(zip(widths, widths[1:], strict=False))


def count_parameters(
    architecture: MlpArchitecture, inputs: int, outputs: int
) -> int:
    """Number of weights, biases included."""
    shapes = layer_shapes(architecture, inputs, outputs)
    return sum((rows + 1) * columns for rows, columns in shapes)
