"""The plan of a network: what stands where, how large it is, what it reads.

Made once from settings, image shape and classes; who builds a network, lists
or draws its layers, or counts what it costs walks the plan. No TensorFlow.
"""

import dataclasses
from collections.abc import Sequence

from nascore.errors import InputError
from nascore.networks.config import REDUCTION, StackConfig
from nascore.spaces.cells import Architecture, CellSpace

# The stem has this times the filters of the first cells.
STEM_FACTOR = 3
# Of the auxiliary head: its average pool, and its two convolutions.
AUXILIARY_POOL = 5
AUXILIARY_STRIDE = 3
AUXILIARY_WIDTHS = (128, 768)


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
    where only in channels, a 1x1 convolution.
    """

    have: Map
    want: Map

    @property
    def halves(self) -> bool:
        """Whether a factorized reduction is needed."""
        return self.have.height != self.want.height

    @property
    def changes(self) -> bool:
        """Whether anything is."""
        return self.have != self.want


@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
      number: its place, from 0.
      kind: type of its cell.
      cell: place of the cell in an architecture.
      inputs: outputs of the two layers before, brought to one size.
      output: what it makes.
      width: channels of every tensor in its cell.
      auxiliary: whether the auxiliary head reads its output.
    """

    number: int
    kind: str
    cell: int
    inputs: tuple[Link, Link]
    output: Map
    width: int
    auxiliary: bool

    @property
    def name(self) -> str:
        """What its parts' names begin with."""
        return f"layer_{self.number}"

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


@dataclasses.dataclass(frozen=True)
class Stack:
    """A network.

    Attributes:
      space: of its cells.
      architecture: of a discrete network; None in a supernet.
      image: what goes in.
      stem: what the first convolution makes of it.
      layers: from input to output.
      classes: number of logits.
    """

    space: CellSpace
    architecture: Architecture | None
    image: Map
    stem: Map
    layers: tuple[Layer, ...]
    classes: int


def plan(
    config: StackConfig,
    image_shape: Sequence[int],
    classes: int,
    architecture: Architecture | None = None,
) -> Stack:
    """Plans a network.

    The supernet reduces in front of a cell, and its cells add their loose
    ends up; the discrete network reduces by the strides of the cell's first
    operations, and concatenates the loose ends.

    Args:
      config: sizes and layout.
      image_shape: (height, width, channels).
      classes: number of logits.
      architecture: of the discrete network, or None for the supernet; with
        a single cell type it stands everywhere.

    Raises:
      InputError: an image size that the reductions do not divide, or an
        architecture of another space.
    """
    check_image_size(config.layer_types, image_shape)
    space = config.space
    if architecture is not None:
        space.from_array(architecture.to_array())
    image = Map(*image_shape)
    width = config.filters
    stem = before = last = image.of(STEM_FACTOR * width)
    layers = []
    for number, kind in enumerate(config.layer_types):
        reduces = kind == REDUCTION
        width *= 1 + reduces
        cell = space.cell_types.index(kind) if kind in space.cell_types else 0
        inside = last.of(width)
        output = inside.halved() if reduces else inside
        # What the next layer takes for the output of the one before this.
        behind = last
        if architecture is not None:
            ends = len(architecture.cells[cell].loose_ends)
            output = output.of(ends * width)
        elif reduces:
            # The published code reduces the last output first, and gives the
            # cell both that and, by a reduction of its own, the last output
            # as the layer before.
            before, behind, inside = last, output, output
        inputs = (Link(before, inside), Link(last, inside))
        reads = number == config.aux_layer
        layers.append(Layer(number, kind, cell, inputs, output, width, reads))
        before, last = behind, output
    return Stack(space, architecture, image, stem, tuple(layers), classes)


def check_image_size(
    layer_types: Sequence[str], image_shape: Sequence[int]
) -> None:
    """Raises InputError if the reductions do not divide the image size."""
    divisor = 2 ** list(layer_types).count(REDUCTION)
    if any(size % divisor for size in image_shape[:2]):
        better = max(divisor, round(image_shape[0] / divisor) * divisor)
        raise InputError(
            f"images of {image_shape[0]}x{image_shape[1]} pixels cannot be "
            f"halved by {list(layer_types).count(REDUCTION)} reductions; "
            f"both sides must be multiples of {divisor}: set "
            f"--image_size={better}, or choose another layout"
        )


def auxiliary_pooling(sides: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """How an auxiliary head's 5x5 pool of stride 3 treats the border.

    The public code pads unless the side less 3 is a multiple of 5, so that
    maps of 4, 8 and 16 pixels (images of 16, 32 and 64) become 2, 2 and 6.
    A map of 3 pixels, where that leaves nothing, is padded, too.

    Args:
      sides: height and width of the map; the smaller one decides.

    Returns:
      `valid` or `same`, and height and width of the pooled map.
    """
    side = min(sides)
    if side >= AUXILIARY_POOL and (side - 3) % 5 == 0:
        padding, lost = "valid", AUXILIARY_POOL - 1
    else:
        padding, lost = "same", 0
    height, width = (-((lost - side) // AUXILIARY_STRIDE) for side in sides)
    return padding, (height, width)
