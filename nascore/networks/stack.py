"""The plan of a network: what stands where, how large it is, what it reads.

Made once from settings, image shape and classes; who builds a network, lists
or draws its layers, or counts what it costs walks the plan. No TensorFlow.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nascore.errors import InputError
from nascore.networks.auxiliary import Auxiliary, darts_head, enas_head
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.chain.config import ChainConfig
from nascore.networks.chain.plan import plan_chain
from nascore.networks.config import CellsConfig
from nascore.networks.layouts import CELLS, IMAGENET, REDUCTION, stem_cells
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.networks.maps import Layer, Link, Map
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import Architecture
from nascore.spaces.chain import ChainSpace
from nascore.spaces.macro import MacroSpace

# The stem has this times the filters of the first cells.
STEM_FACTOR = 3
# Channels that the code of RENAS gives large images before their cells.
STEM_CHANNELS = 32


@dataclasses.dataclass(frozen=True)
class Stack:
    """A network.

    Attributes:
      space: of its cells.
      architecture: of a discrete network; None in a supernet.
      image: what goes in.
      stems: what the convolutions before the layers make, one of the other.
        The first layer reads the last two, or the only one twice.
      layers: from input to output; of a chain all but the first, a
        convolution, which is its stem.
      auxiliary: the auxiliary head, if there is one.
      classes: number of logits.
      darts: whether what joins the cells is DARTS's: no further convolution
        on the second input, and no relu before the classifier, which has a
        bias.
      padding: where a stride begins, see
        `nascore.networks.operations.base.Options`.
      bench201: whether it is the network of NAS-Bench-201: its cells one
        after the other, and residual blocks for reductions.
      macro: whether it is a whole network of ENAS's macro space: layers with
        skips, and reductions of all tensors so far. Both count from 1.
    """

    space: Any
    architecture: Any
    image: Map
    stems: tuple[Map, ...]
    layers: tuple[Layer, ...]
    auxiliary: Auxiliary | None
    classes: int
    darts: bool = False
    padding: str = "same"
    bench201: bool = False
    macro: bool = False

    @property
    def stem(self) -> Map:
        """What the layers begin with."""
        return self.stems[-1]


def plan(
    config: (
        CellsConfig | Bench201SupernetConfig | ChainConfig | MacroSupernetConfig
    ),
    image_shape: Sequence[int],
    classes: int,
    architecture: Any = None,
) -> Stack:
    """Plans a network.

    The supernet of ENAS reduces in front of a cell, and its cells add their
    loose ends up; a discrete network, and one of DARTS, reduces by the
    strides of the cell's first operations, and concatenates the ends.

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
    image = Map(*image_shape)
    if isinstance(config, ChainConfig) or isinstance(config.space, ChainSpace):
        stems, blocks = plan_chain(config, image, architecture)
        return Stack(
            *(config.space, architecture, image, stems, blocks, None, classes)
        )
    if isinstance(config, MacroSupernetConfig) or isinstance(
        config.space, MacroSpace
    ):
        return _plan_macro(config, image, classes, architecture)
    if isinstance(config, Bench201SupernetConfig) or isinstance(
        config.space, Bench201Space
    ):
        return _plan_bench201(config, image, classes, architecture)
    stems = _plan_stems(config, image)
    check_image_size(
        config.layer_types, image_shape, image.height // stems[-1].height
    )
    space = config.space
    if architecture is not None:
        space.from_array(architecture.to_array())
    layers = _plan_layers(config, stems, architecture)
    return Stack(
        space,
        architecture,
        image,
        stems,
        layers,
        _plan_auxiliary(config, layers),
        classes,
        config.darts,
        config.stride_padding,
    )


def _plan_bench201(
    config: CellsConfig | Bench201SupernetConfig,
    image: Map,
    classes: int,
    architecture: Any,
) -> Stack:
    """The network of NAS-Bench-201 (Dong and Yang, 2020, figure 1).

    A discrete one and a supernet are the same.
    """
    check_image_size(config.layer_types, image.shape)
    last = stem = image.of(config.filters)
    layers = []
    for number, kind in enumerate(config.layer_types):
        output = last
        if kind == REDUCTION:
            output = last.halved().of(2 * last.channels)
        inputs, width = (Link(last, last),), output.channels
        layers.append(Layer(number, kind, 0, inputs, output, width))
        last = output
    return Stack(
        config.space,
        architecture,
        image,
        (stem,),
        tuple(layers),
        None,
        classes,
        padding=config.stride_padding,
        bench201=True,
    )


def _plan_macro(
    config: CellsConfig | MacroSupernetConfig,
    image: Map,
    classes: int,
    architecture: Any,
) -> Stack:
    """A whole network (Pham et al., 2018, section 2.3).

    Its width doubles where a discrete one reduces; a supernet keeps its own,
    as in the public code.
    """
    check_image_size(config.layer_types, image.shape)
    space = config.space
    if architecture is not None:
        space.decode(space.encode(architecture))  # Raises: of another space.
    last = stem = image.of(config.filters)
    layers: list[Layer] = []
    tensors = reductions = 0
    for kind in config.layer_types:
        if kind == REDUCTION:
            reductions += 1
            width = last.channels * (1 if architecture is None else 2)
            want = last.halved().of(width)
            links = (Link(last, want),) * (tensors + 1)
            layers.append(
                Layer(
                    *(reductions, kind, 0, links, want, width),
                    label=REDUCTION,
                )
            )
            last = want
            continue
        tensors += 1
        links = (Link(last, last),)
        layers.append(Layer(tensors, kind, 0, links, last, last.channels))
    return Stack(
        *(space, architecture, image, (stem,), tuple(layers), None, classes),
        macro=True,
    )


def _plan_layers(
    config: CellsConfig,
    stems: tuple[Map, ...],
    architecture: Architecture | None,
) -> tuple[Layer, ...]:
    """All layers, from input to output."""
    space, darts, later = config.space, config.darts, config.filters
    before, last = stems[-2:] if len(stems) > 1 else (*stems, *stems)
    layers = []
    for number, kind in enumerate(config.layer_types):
        reduces = kind == REDUCTION
        if number < stem_cells(config.stem_kind):
            # A quarter and a half: those after the stem have all.
            width = config.filters // (4 >> number)
        else:
            width = later = later * (1 + reduces)
        cell = space.cell_types.index(kind) if kind in space.cell_types else 0
        inside = last.of(width)
        output = inside.halved() if reduces else inside
        # What the next layer takes for the output of the one before this.
        behind = last
        if architecture is not None or darts:
            ends = space.num_nodes
            if architecture is not None:
                ends = len(space.ends(architecture.cells[cell]))
            output = output.of(ends * width)
        elif reduces:
            # The published code reduces the last output first, and gives the
            # cell both that and, by a reduction of its own, the last output
            # as the layer before.
            before, behind, inside = last, output, output
        inputs = (Link(before, inside, darts), Link(last, inside, darts))
        reads = number == config.aux_layer
        layers.append(Layer(number, kind, cell, inputs, output, width, reads))
        before, last = behind, output
    return tuple(layers)


def _plan_auxiliary(
    config: CellsConfig, layers: Sequence[Layer]
) -> Auxiliary | None:
    """The auxiliary head of the layer that has one."""
    if config.aux_layer is None:
        return None
    read = layers[config.aux_layer].output
    if config.darts:
        return darts_head(read, config.stem_kind == IMAGENET)
    return enas_head(read)


def _plan_stems(config: CellsConfig, image: Map) -> tuple[Map, ...]:
    """What stands before the first layer."""
    width = config.filters
    if config.stem_kind == CELLS:
        return (image.halved().of(STEM_CHANNELS),)
    if config.stem_kind != IMAGENET:
        return (image.of(STEM_FACTOR * width),)
    first = image.halved().of(width // 2)
    second = first.halved().of(width)
    return first, second, second.halved()


def check_image_size(
    layer_types: Sequence[str], image_shape: Sequence[int], stem: int = 1
) -> None:
    """Raises InputError if the reductions do not divide the image size.

    Args:
      layer_types: the cell type of each layer.
      image_shape: height and width, and more.
      stem: what the layers before divide it by.
    """
    reductions = list(layer_types).count(REDUCTION)
    divisor = stem * 2**reductions
    if any(size % divisor for size in image_shape[:2]):
        better = max(divisor, round(image_shape[0] / divisor) * divisor)
        name = IMAGENET if stem > 2 else CELLS
        also = f" and the strides of --stem={name}" * (stem > 1)
        raise InputError(
            f"images of {image_shape[0]}x{image_shape[1]} pixels cannot be "
            f"halved by {reductions} reductions{also}; "
            f"both sides must be multiples of {divisor}: set "
            f"--image_size={better}, or choose another layout"
        )
