"""The network over all cells of NAS-Bench-201, while they are searched.

Sizes and layers are those of the networks in the table (Dong and Yang, 2020,
section 2.1), and of the searches that its authors ran: three stages of cells
with residual blocks between, normalizations with a scale and an offset
everywhere but in the cells.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from nascore.networks.bench201.blocks import residual_block
from nascore.networks.bench201.cell import Bench201SharedCell
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.layers import BatchStatisticsNorm, ConvNorm, classifier
from nascore.networks.layouts import REDUCTION, Wiring
from nascore.networks.maps import Layer, Map
from nascore.networks.mixed_cell import start_kernel
from nascore.networks.operations.base import BENCH201_OPTIONS as OPTIONS
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.operations.edge import Edge
from nascore.networks.operations.kernels import fan_out
from nascore.networks.stack import plan
from nascore.process.runtime import set_precision
from nascore.spaces.bench201 import EDGES, OPERATIONS, Bench201Space

WIRING = Wiring(1, EDGES)
# Makes the cell of a width, under a name. It is called with the list of its
# one input and what is run in it (and, where there are any, the factors of the
# channels that pass no operation), and returns its nodes, the output last.
MakeCell = Callable[[int, str], keras.layers.Layer]


def shared_cells(config: Bench201SupernetConfig) -> MakeCell:
    """Cells over shared weights, of which a row of integers is run."""
    operations = find_operations(OPERATIONS, OPTIONS)
    edge = Edge(operations)

    def make(width: int, name: str) -> keras.layers.Layer:
        return Bench201SharedCell(
            width, operations, edge, config.kernel_init, name=name
        )

    return make


class Bench201Supernet(keras.Model):
    """The network over all cells.

    Args:
      config: sizes.
      image_shape: (height, width, channels).
      classes: number of logits.
      make_cell: makes the cells; `shared_cells` if None.
      groups: one of so many channels passes through the cells' operations.

    Raises:
      InputError: an image size that the reductions do not divide.
    """

    def __init__(
        self,
        config: Bench201SupernetConfig,
        image_shape: tuple[int, int, int],
        classes: int,
        make_cell: MakeCell | None = None,
        groups: int = 1,
    ) -> None:
        stack = plan(config, image_shape, classes)
        set_precision(config.precision)
        try:
            # What is run in a cell keeps its type, and so do factors.
            super().__init__(name="bench201_supernet", autocast=False)
            self.config = config
            self.groups = groups
            self.stack = stack
            self._make_layers(make_cell or shared_cells(config))
        finally:
            set_precision("float32")

    @property
    def space(self) -> Bench201Space:
        """Of the cells."""
        return self.config.space

    def _make_layers(self, make_cell: MakeCell) -> None:
        stack = self.stack
        self.stem = ConvNorm(
            stack.stem.channels, 3, False, BatchStatisticsNorm, name="stem"
        )
        self._start([self.stem.convolution], stack.image)
        self.stem.build((None, *stack.image.shape))
        # Of each layer its cell, or both ways of a reduction.
        self.blocks: list[list[keras.layers.Layer]] = []
        for layer in stack.layers:
            if layer.kind == REDUCTION:
                self.blocks.append(self._make_reduction(layer))
                continue
            cell = make_cell(layer.width, f"{layer.name}_cell")
            cell.build((None, *layer.inside.shape))
            self.blocks.append([cell])
        last = stack.layers[-1].output
        self.last_norm = BatchStatisticsNorm(name="last_norm")
        self.last_norm.build((None, *last.shape))
        self.classifier = classifier(stack.classes, bias=True)
        self.classifier.name = "classifier"
        start = start_kernel(last.channels, self.config.kernel_init)
        self.classifier.kernel_initializer = start
        self.classifier.build((None, last.channels))
        self.built = True

    def _make_reduction(self, layer: Layer) -> list[keras.layers.Layer]:
        padding = self.config.padding
        made = residual_block(layer.width, padding, BatchStatisticsNorm)
        ways = []
        for name, layers in made._asdict().items():
            have = layer.inside
            for part in layers:
                if isinstance(part, keras.layers.Conv2D):
                    self._start([part], have)
                    have = layer.output
            way = keras.Sequential(layers, name=f"{layer.name}_{name}")
            way.build((None, *layer.inside.shape))
            ways.append(way)
        return ways

    def _start(
        self, convolutions: Sequence[keras.layers.Conv2D], have: Map
    ) -> None:
        """Says how kernels begin."""
        for convolution in convolutions:
            height, width = convolution.kernel_size
            convolution.kernel_initializer = start_kernel(
                height * width * have.channels, self.config.kernel_init
            )

    def call(
        self,
        images: tf.Tensor,
        architecture: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
        bypass: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, None]:
        """Runs one architecture, or a mixture, on a batch.

        Args:
          images: float `[n, h, w, c]`.
          architecture: what is run in each cell: int32 `[6]`, or of mixed
            ones the factors of the operations, float32 `[6, operations]`.
          training: makes no difference.
          seed: makes none: there is no dropout.
          bypass: float32 `[6]`, factors of the channels that pass no
            operation; None if all pass.

        Returns:
          Logits, float32 `[n, classes]`; and None, for there is no auxiliary
          head.
        """
        cells = [k for k in self.config.layer_types if k != REDUCTION]
        runs = _deal(architecture, len(cells))
        passed = [] if bypass is None else _deal(bypass, len(cells))
        x = self.stem(images)
        for layer, blocks in zip(self.stack.layers, self.blocks, strict=True):
            if layer.kind == REDUCTION:
                branch, shortcut = blocks
                x = branch(x) + shortcut(x)
                continue
            more = [passed.pop()] if passed else []
            x = blocks[0]([x], runs.pop(), *more)[-1]
        features = tf.reduce_mean(tf.nn.relu(self.last_norm(x)), axis=[1, 2])
        return tf.cast(self.classifier(features), tf.float32), None


def _deal(value: tf.Tensor, count: int) -> list[tf.Tensor]:
    """A tensor for each cell; integers have no gradients to be added."""
    if value.dtype.is_floating:
        return fan_out(value, count)
    return [value] * count


def describe_layers(supernet: Bench201Supernet) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    stack = supernet.stack
    parts: list[tuple[keras.layers.Layer, tuple[int, ...]]] = [
        (supernet.stem, stack.stem.shape)
    ]
    for layer, blocks in zip(stack.layers, supernet.blocks, strict=True):
        parts += [(block, layer.output.shape) for block in blocks]
    parts += [
        (supernet.last_norm, stack.layers[-1].output.shape),
        (supernet.classifier, (stack.classes,)),
    ]
    return [
        {
            "name": part.name,
            "type": type(part).__name__,
            "output_shape": list(shape),
            "parameters": part.count_params(),
        }
        for part, shape in parts
    ]
