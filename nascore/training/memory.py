"""Memory that a final training needs, counted from its settings.

The architecture is known, so what each of its operations keeps for the
gradient is counted, at the size where it stands. No network is built.
"""

import dataclasses
import math

from nascore.networks.config import NetworkConfig
from nascore.networks.layers import STEM_FACTOR
from nascore.networks.operations.base import find_operations
from nascore.networks.stack import REDUCTION, auxiliary_pooling
from nascore.process.memory import FLOAT, Need, peak
from nascore.spaces.cells import NODE_INPUTS, Architecture, Cell
from nascore.training.config import FinalConfig
from nascore.training.provenance.images import FinalData

# What TensorFlow's allocator holds on a CPU, over what is counted: nothing,
# unlike with the many functions of a supernet. Measured (results/memory).
_SLACK = 1.0
# Bytes of compiled graphs, layers and files: of any training, and for each
# edge of each layer. Measured.
_GRAPH = 230 * 2**20
_GRAPH_EDGE = 0.8 * 2**20
# Of a layer's output size: gradients that exist at the same time.
_BACKWARD = 6


@dataclasses.dataclass(frozen=True)
class _Map:
    """Size of a tensor: height times width, and channels."""

    pixels: int
    channels: int

    @property
    def size(self) -> int:
        """Numbers in one image's map."""
        return self.pixels * self.channels


class _Counter:
    """Walks through a network as `build_network` does, and counts.

    Attributes:
      kept: numbers that training keeps for its gradient, of one image.
      largest: in the largest map.
      weights: trained numbers.
    """

    def __init__(
        self, config: NetworkConfig, image_shape: tuple[int, int, int]
    ) -> None:
        self.operations = find_operations(config.space.operations)
        pixels = math.prod(image_shape[:2])
        stem = _Map(pixels, STEM_FACTOR * config.filters)
        # The image; what the stem's normalization has read and has put out.
        self.kept = math.prod(image_shape) + 2 * stem.size
        self.weights = (9 * image_shape[2] + 2) * stem.channels
        self.largest = stem.size
        self.before = self.last = stem

    def add_layer(self, cell: Cell, channels: int, reduces: bool) -> None:
        """Counts one layer and moves on behind it."""
        there = _Map(self.last.pixels, channels)
        for have in (self.before, self.last):
            if have != there:
                self._convolve(have, there)
        self._convolve(there, there)
        here = _Map(there.pixels // 4 if reduces else there.pixels, channels)
        for node in cell.nodes:
            for index, place in node.edges:
                self._add_edge(place, there if index < 2 else here, here)
            self.kept += here.size
        for index in cell.loose_ends:
            if reduces and index < 2:
                self._convolve(there, here, relu=False)
        out = _Map(here.pixels, channels * len(cell.loose_ends))
        self.kept += out.size
        self.largest = max(self.largest, there.size, out.size)
        self.before, self.last = self.last, out

    def _add_edge(self, place: int, have: _Map, out: _Map) -> None:
        operation = self.operations[place]
        self.kept += operation.discrete_maps * out.size
        if have != out and operation.discrete_maps:
            # The first relu stands before the stride.
            self.kept += have.size - out.size
        elif have != out and operation.is_skip:
            self._convolve(have, out, relu=False)
        self.weights += sum(
            math.prod(spec.shape)
            for spec in operation.weight_specs(out.channels)
        )

    def _convolve(self, have: _Map, out: _Map, relu: bool = True) -> None:
        """A 1x1 convolution: relu, what the normalization reads, its output."""
        self.kept += relu * have.size + 2 * out.size
        self.weights += have.channels * out.channels + 2 * out.channels

    def add_auxiliary_head(self, classes: int) -> None:
        """Counts the head on the last layer's output."""
        _, left = auxiliary_pooling(math.isqrt(self.last.pixels))
        self.kept += self.last.size
        self.weights += 128 * self.last.channels + 768 * 128 * left**2
        self.weights += 2 * (128 + 768) + 768 * classes


def count(
    architecture: Architecture,
    config: NetworkConfig,
    image_shape: tuple[int, int, int],
    classes: int,
) -> tuple[int, int]:
    """Numbers that a training step holds of one image, and trained weights."""
    counter = _Counter(config, image_shape)
    cells = dict(zip(config.space.cell_types, architecture.cells, strict=True))
    channels = config.filters
    for number, name in enumerate(config.layer_types):
        if name == REDUCTION:
            channels *= 2
        cell = cells.get(name) or architecture.cells[0]
        counter.add_layer(cell, channels, name == REDUCTION)
        if number == config.aux_layer:
            counter.add_auxiliary_head(classes)
    # The last relu, and the classifier.
    counter.kept += counter.last.size
    counter.weights += counter.last.channels * classes
    return counter.kept + _BACKWARD * counter.largest, counter.weights


def estimate(
    config: FinalConfig, data: FinalData, base: int, replicas: int = 1
) -> Need:
    """What a final training needs at its peak.

    Args:
      config: of the training.
      data: its images, loaded.
      base: bytes that the process held before it loaded them.
      replicas: devices that share each batch; the need is that of one.
    """
    training, network = config.training, config.network
    source = data.source
    numbers, weights = count(
        config.architecture, network, source.image_shape, source.classes
    )
    images = training.batch_size // (training.accumulate * replicas)
    size = FLOAT if training.precision == "float32" else FLOAT // 2
    # Weight, momentum, gradient; the average, and the sum of the parts.
    copies = 3 + (training.ema_decay > 0) + (training.accumulate > 1)
    splits = (source.train, source.validation, source.search_test, source.test)
    edges = NODE_INPUTS * network.num_nodes * len(network.layer_types)
    return Need(
        {
            "process": base,
            # Of those that are trained on there is a copy in one piece.
            "images": data.train.images.nbytes
            + sum(split.images.nbytes for split in splits),
            "graph": int(_GRAPH + _GRAPH_EDGE * edges),
        },
        {
            "activations": int(_SLACK * size * images * numbers),
            "weights": copies * FLOAT * weights,
            "images for training": data.train.images.nbytes,
        },
        (
            "--batch_size",
            "--filters",
            "--num_layers",
            "--image_size (or raise --accumulate)",
        ),
        peak(),
    )
