"""The child network during search: every shared weight once, one graph.

The architecture is a tensor, so one compiled graph serves them all. Only the
chosen operations run, forward and backward. ENAS (Pham et al., 2018),
section 2.4; the layout and the weight sharing are those of its public code.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from nascore.config import SupernetConfig
from nascore.errors import InputError
from nascore.layers import (
    BatchStatisticsNorm,
    ConvNorm,
    FactorizedReduction,
)
from nascore.ops import find_operations
from nascore.shared_cell import SharedCell, make_edge

STEM_FACTOR = 3


class AuxiliaryHead(keras.layers.Layer):
    """A second classifier on a middle layer, for training only.

    Relu, 5x5 average pool of stride 3, 1x1 convolution to 128 channels, a
    convolution over the whole map to 768, global average, dense.

    Args:
      classes: number of logits.
    """

    def __init__(self, classes: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Builds the layers for `[n, h, w, c]`; maps under 5x5 pool less."""
        size = min(5, *input_shape[1:3])
        pool = keras.layers.AveragePooling2D(size, 3, "valid")
        pooled = pool.compute_output_shape(input_shape)
        self.head = keras.Sequential(
            [
                keras.layers.ReLU(),
                pool,
                ConvNorm(128, 1, False, BatchStatisticsNorm),
                keras.layers.ReLU(),
                ConvNorm(768, pooled[1], False, BatchStatisticsNorm),
                keras.layers.ReLU(),
                keras.layers.GlobalAveragePooling2D(),
                classifier(self.classes),
            ]
        )
        self.head.build(input_shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Maps `[n, h, w, c]` to logits `[n, classes]`."""
        return self.head(x)


def classifier(classes: int) -> keras.layers.Dense:
    """A dense layer without bias."""
    return keras.layers.Dense(
        classes, use_bias=False, kernel_initializer="he_normal"
    )


class Supernet(keras.Model):
    """The child network that holds every architecture's shared weights.

    Args:
      config: sizes and layout.
      image_shape: (height, width, channels).
      classes: number of logits.
      cell_layer: makes the layers; takes channels, space and edge.

    Raises:
      InputError: an image size that the reductions do not divide.
    """

    def __init__(
        self,
        config: SupernetConfig,
        image_shape: tuple[int, int, int],
        classes: int,
        cell_layer: Callable[..., keras.layers.Layer] = SharedCell,
    ) -> None:
        super().__init__(name="supernet")
        check_image_size(config, image_shape)
        self.config = config
        self.space = config.space
        self.image_shape = tuple(image_shape)
        # A space with a single cell type uses it everywhere.
        names = self.space.cell_types
        self.cell_types = {
            name: names.index(name) if name in names else 0
            for name in config.layer_types
        }
        norm = BatchStatisticsNorm
        self.stem = ConvNorm(
            STEM_FACTOR * config.filters, 3, False, norm, name="stem"
        )
        self.stem.build((None, *image_shape))
        self.calibrations: list[list[keras.layers.Layer | None]] = []
        self.reductions: list[keras.layers.Layer | None] = []
        self.cells: list[keras.layers.Layer] = []
        self.aux_head: AuxiliaryHead | None = None
        edge = make_edge(find_operations(self.space.operations))
        channels = config.filters
        size = image_shape[:2]
        widths = [STEM_FACTOR * config.filters] * 2
        for number, name in enumerate(config.layer_types):
            prefix = f"layer_{number}"
            shapes = [(None, *size, width) for width in widths]
            calibration: list[keras.layers.Layer | None] = [None, None]
            reduction = None
            if name == "reduction":
                channels *= 2
                size = tuple(pixels // 2 for pixels in size)
                # The cell's inputs are the layer before, reduced twice over
                # in the published code, by two layers of their own.
                reduction = FactorizedReduction(
                    channels, False, norm, name=f"{prefix}_reduction"
                )
                reduction.build(shapes[1])
                calibration[0] = FactorizedReduction(
                    channels, True, norm, name=f"{prefix}_calibration_0"
                )
                calibration[0].build(shapes[1])
                widths = [channels, channels]
            for place, width in enumerate(widths):
                if width != channels:
                    layer = ConvNorm(
                        channels,
                        1,
                        True,
                        norm,
                        name=f"{prefix}_calibration_{place}",
                    )
                    layer.build(shapes[place])
                    calibration[place] = layer
            cell = cell_layer(
                channels,
                self.space,
                edge,
                slot_init=config.slot_init,
                name=f"{prefix}_{name}_cell",
            )
            cell.build((None, *size, channels))
            self.reductions.append(reduction)
            self.calibrations.append(calibration)
            self.cells.append(cell)
            if number == config.aux_layer:
                self.aux_head = AuxiliaryHead(classes, name="auxiliary_head")
                self.aux_head.build((None, *size, channels))
            widths = [widths[1], channels]
        self.classifier = classifier(classes)
        self.classifier.build((None, channels))
        self.built = True

    def call(
        self,
        images: tf.Tensor,
        architecture: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Runs one architecture on a batch.

        Args:
          images: float `[n, h, w, c]`.
          architecture: int32 `[cell types, nodes, 4]`.
          training: whether the auxiliary head runs.
          seed: int32 `[2]`, the randomness of dropout; none means no
            dropout.

        Returns:
          Logits `[n, classes]`, and the auxiliary head's or None.
        """
        x = self.stem(images)
        before, last = x, x
        aux_logits = None
        for number, name in enumerate(self.config.layer_types):
            if self.reductions[number] is not None:
                before, last = last, self.reductions[number](last)
            inputs = [
                tensor if layer is None else layer(tensor)
                for layer, tensor in zip(
                    self.calibrations[number], (before, last), strict=True
                )
            ]
            cell = architecture[self.cell_types[name]]
            before, last = last, self.cells[number](*inputs, cell)
            if training and number == self.config.aux_layer:
                aux_logits = self.aux_head(last)
        features = tf.reduce_mean(tf.nn.relu(last), axis=[1, 2])
        if seed is not None and self.config.keep_prob < 1:
            features = tf.nn.experimental.stateless_dropout(
                features, 1 - self.config.keep_prob, seed
            )
        return self.classifier(features), aux_logits


def check_image_size(
    config: SupernetConfig, image_shape: tuple[int, int, int]
) -> None:
    """Raises InputError if the reductions do not divide the image size."""
    divisor = config.size_divisor
    if any(size % divisor for size in image_shape[:2]):
        better = max(divisor, round(image_shape[0] / divisor) * divisor)
        raise InputError(
            f"images of {image_shape[0]}x{image_shape[1]} pixels cannot be "
            f"halved by {config.layer_types.count('reduction')} reductions; "
            f"both sides must be multiples of {divisor}: set "
            f"--image_size={better}, or choose another layout"
        )


def describe_layers(supernet: Supernet) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    height, width, _ = supernet.image_shape
    rows: list[dict[str, object]] = []

    def add(layer: keras.layers.Layer | None, *shape: int) -> None:
        if layer is not None:
            rows.append(
                {
                    "name": layer.name,
                    "type": type(layer).__name__,
                    "output_shape": list(shape),
                    "parameters": layer.count_params(),
                }
            )

    channels = supernet.config.filters
    add(supernet.stem, height, width, STEM_FACTOR * channels)
    for number, name in enumerate(supernet.config.layer_types):
        if name == "reduction":
            height, width, channels = height // 2, width // 2, 2 * channels
        add(supernet.reductions[number], height, width, channels)
        for layer in supernet.calibrations[number]:
            add(layer, height, width, channels)
        add(supernet.cells[number], height, width, channels)
        if number == supernet.config.aux_layer:
            add(supernet.aux_head, supernet.classifier.units)
    add(supernet.classifier, supernet.classifier.units)
    return rows
