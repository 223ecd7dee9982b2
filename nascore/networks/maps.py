"""What a network consists of: sizes, layers, costs; no TensorFlow."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Map:
    """Sizes of an image, or of what a layer makes of it."""

    height: int
    width: int
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """All three."""
        return self.height, self.width, self.channels

    @property
    def pixels(self) -> int:
        """Height times width."""
        return self.height * self.width

    @property
    def size(self) -> int:
        """Numbers in it."""
        return self.pixels * self.channels

    def of(self, channels: int) -> "Map":
        """One as high and wide."""
        return Map(self.height, self.width, channels)

    def halved(self) -> "Map":
        """One of half the height and width."""
        return Map(self.height // 2, self.width // 2, self.channels)


@dataclasses.dataclass(frozen=True)
class Link:
    """An input of a layer: what there is, and what its cell wants.

    Where they differ in height, a factorized reduction lies between them,
    where only in channels, or always, a 1x1 convolution.
    """

    have: Map
    want: Map
    always: bool = False

    @property
    def halves(self) -> bool:
        """Whether a factorized reduction is needed."""
        return self.have.height != self.want.height

    @property
    def changes(self) -> bool:
        """Whether anything is."""
        return self.always or self.have != self.want


@dataclasses.dataclass(frozen=True)
class Costs:
    """What a part of a network costs.

    Attributes:
      parameters: trained numbers; moving statistics do not count.
      multiply_adds: forwards, of convolutions and dense layers, for one
        image: the usual measure. Normalizations, activations, poolings and
        sums do not count.
      kept: numbers of one image that training keeps until the gradient has
        come by.
    """

    parameters: int = 0
    multiply_adds: int = 0
    kept: int = 0

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(
            self.parameters + other.parameters,
            self.multiply_adds + other.multiply_adds,
            self.kept + other.kept,
        )


def convolution(
    have: Map, make: Map, kernel: int = 1, keep_input: bool = True
) -> Costs:
    """A convolution, or a factorized reduction, and its normalization.

    Two paths of half the channels cost what one of all of them costs.

    Args:
      have: the input.
      make: the output.
      kernel: height and width.
      keep_input: whether the input, or its relu, is kept for this alone.
    """
    weights = kernel**2 * have.channels * make.channels
    return Costs(
        weights + 2 * make.channels,
        weights * make.pixels,
        # And what the normalization has read, and its output.
        keep_input * have.size + 2 * make.size,
    )


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
      number: its place, from 0.
      kind: type of its cell.
      cell: place of the cell in an architecture.
      inputs: outputs of the two layers before, brought to one size; in the
        network of NAS-Bench-201 that of the one before; in a macro network
        likewise, but of a reduction all before, the stem's first.
      output: what it makes.
      width: channels of every tensor in its cell.
      auxiliary: whether the auxiliary head reads its output.
      label: what its parts' names begin with, if not `layer`.
    """

    number: int
    kind: str
    cell: int
    inputs: tuple[Link, ...]
    output: Map
    width: int
    auxiliary: bool = False
    label: str = "layer"

    @property
    def name(self) -> str:
        """What its parts' names begin with."""
        return f"{self.label}_{self.number}"

    @property
    def inside(self) -> Map:
        """Size of the two tensors that its cell begins with."""
        return self.inputs[0].want

    @property
    def node(self) -> Map:
        """Size of what each node makes."""
        return self.output.of(self.width)

    @property
    def strides(self) -> int:
        """Of the operations that read the cell's inputs."""
        return self.inside.height // self.node.height
