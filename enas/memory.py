"""Memory that a search needs, counted from its settings.

No network is built, so that a search that cannot fit is refused at once.
Counted is what a training step keeps for its gradient in the worst case, the
operation that keeps most on every edge: in a long search some architecture
comes close to it.
"""

import dataclasses
import math

from enas.config import EnasConfig
from nascore.data.images import ImageData
from nascore.networks.config import SupernetConfig
from nascore.networks.layers import STEM_FACTOR
from nascore.networks.operations.base import find_operations
from nascore.networks.stack import REDUCTION, auxiliary_pooling
from nascore.process.memory import FLOAT, Need, peak
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS

# What the process holds over what is counted. TensorFlow's allocator keeps
# what was freed: a quarter more than is in use. But in a search most
# architectures are mixed and keep less than the worst, and the two cancel.
# Measured (results/memory).
_SLACK = 1.0
# Tensors of a layer's size that exist while it is differentiated: gradients
# of its tensors and of one edge's. Measured: 4 to 10.
_BACKWARD = 8
# Bytes of compiled graphs, figures and buffers of files: of any search, and
# for each edge of each layer. Measured.
_GRAPH = 260 * 2**20
_GRAPH_EDGE = 4.6 * 2**20


@dataclasses.dataclass(frozen=True)
class LayerSize:
    """Sizes of one layer of the supernet.

    Attributes:
      pixels: height times width of its output.
      channels: of its output.
      inputs: (pixels, channels) of each input that a 1x1 convolution brings
        to the layer's size.
    """

    pixels: int
    channels: int
    inputs: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Numbers in one image's map."""
        return self.pixels * self.channels


def layer_sizes(
    config: SupernetConfig, image_shape: tuple[int, int, int]
) -> list[LayerSize]:
    """The layers as `Supernet` makes them."""
    pixels = image_shape[0] * image_shape[1]
    channels = config.filters
    before = [STEM_FACTOR * channels] * 2
    layers = []
    inputs: tuple[tuple[int, int], ...]
    for name in config.layer_types:
        if name == REDUCTION:
            inputs = ((pixels, before[1]),) * 2
            pixels, channels = pixels // 4, 2 * channels
            before = [channels, channels]
        else:
            inputs = tuple(
                (pixels, have) for have in before if have != channels
            )
        layers.append(LayerSize(pixels, channels, inputs))
        before = [before[1], channels]
    return layers


def count_kept(
    config: SupernetConfig, image_shape: tuple[int, int, int]
) -> tuple[int, int]:
    """Numbers that a training step holds of one image, at its worst.

    Args:
      config: of the supernet.
      image_shape: (height, width, channels).

    Returns:
      What is kept until the gradient has come by, in all layers; and how
      large one map of the largest layer is.
    """
    most = max(op.kept_maps for op in find_operations(config.space.operations))
    nodes = config.num_nodes
    stem = math.prod(image_shape[:2]) * STEM_FACTOR * config.filters
    # The image; what the stem's normalization has read and has put out.
    kept = math.prod(image_shape) + 2 * stem
    layers = layer_sizes(config, image_shape)
    for number, layer in enumerate(layers):
        # A calibration keeps its input after the relu, what the
        # normalization has read, and its output.
        for count, have in layer.inputs:
            kept += count * have + 2 * layer.size
        if number == 0 and len(layer.inputs) == CELL_INPUTS:
            # Both read the stem, and its relu is made once.
            kept -= stem
        # What each node's edges keep, and its sum; then what the last
        # normalization has read, and its output. A loose end keeps no more.
        kept += (nodes * (NODE_INPUTS * most + 1) + 2) * layer.size
    return kept, max(layer.size for layer in layers)


def count_weights(
    config: SupernetConfig, image_shape: tuple[int, int, int], classes: int
) -> int:
    """Number of shared weights, those that no architecture reaches included."""
    slots = sum(
        NODE_INPUTS * (node + CELL_INPUTS) for node in range(config.num_nodes)
    )
    tensors = config.num_nodes + CELL_INPUTS
    operations = find_operations(config.space.operations)
    stem = STEM_FACTOR * config.filters
    total = 9 * image_shape[2] * stem + 2 * stem
    layers = layer_sizes(config, image_shape)
    for layer in layers:
        width = layer.channels
        own = sum(
            math.prod(spec.shape)
            for operation in operations
            for spec in operation.weight_specs(width)
        )
        total += slots * own + tensors * width**2 + 2 * width
        total += sum(have * width + 2 * width for _, have in layer.inputs)
    total += layers[-1].channels * classes
    if config.aux_layer is not None:
        layer = layers[config.aux_layer]
        _, left = auxiliary_pooling(math.isqrt(layer.pixels))
        total += 128 * layer.channels + 768 * 128 * left**2
        total += 2 * (128 + 768) + 768 * classes
    return total


def estimate(config: EnasConfig, data: ImageData, base: int) -> Need:
    """What a search needs at its peak.

    Args:
      config: of the search.
      data: its images, loaded.
      base: bytes that the process held before it loaded them.
    """
    weights_config, child = config.weights, config.child
    kept, size = count_kept(child, data.image_shape)
    batch = weights_config.batch_size
    # A reward is measured forwards: a layer's tensors, edges and ends.
    forward = 3 * (child.num_nodes + CELL_INPUTS) * size
    numbers = max(
        batch * (kept + _BACKWARD * size),
        (weights_config.reward_batch_size or batch) * forward,
    )
    size_of = FLOAT if child.precision == "float32" else FLOAT // 2
    weights = count_weights(child, data.image_shape, data.classes)
    edges = NODE_INPUTS * child.num_nodes * len(child.layer_types)
    copied = sum(
        split.images.nbytes
        for split in (data.train, data.validation, data.search_test)
    )
    return Need(
        {
            "process": base,
            "images": copied + data.test.images.nbytes,
            "graph": int(_GRAPH + _GRAPH_EDGE * edges),
        },
        {
            "activations": int(_SLACK * size_of * numbers),
            # Weight, momentum, gradient, and the gradient with decay.
            "weights": 4 * FLOAT * weights,
            "images for training": copied,
        },
        ("--batch_size", "--filters", "--num_layers", "--image_size"),
        peak(),
    )
