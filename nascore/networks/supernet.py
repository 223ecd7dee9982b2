"""The child network during search: every shared weight once, one graph.

The architecture is a tensor, so one compiled graph serves them all. Only the
chosen operations run, forward and backward. ENAS (Pham et al., 2018),
section 2.4; the layout and the weight sharing are those of its public code.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from nascore import draws
from nascore.networks.config import SupernetConfig
from nascore.networks.layers import (
    STEM_FACTOR,
    BatchStatisticsNorm,
    ConvNorm,
    FactorizedReduction,
    auxiliary_head,
    classifier,
)
from nascore.networks.operations.base import find_operations
from nascore.networks.operations.edge import Edge
from nascore.networks.shared_cell import SharedCell
from nascore.networks.stack import check_image_size
from nascore.process.runtime import set_precision


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
        check_image_size(config.layer_types, image_shape)
        set_precision(config.precision)
        try:
            super().__init__(name="supernet")
            self._make_layers(config, image_shape, classes, cell_layer)
        finally:
            set_precision("float32")

    def _make_layers(
        self,
        config: SupernetConfig,
        image_shape: tuple[int, int, int],
        classes: int,
        cell_layer: Callable[..., keras.layers.Layer],
    ) -> None:
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
        # One entry for each layer; `Identity` where nothing is to be done.
        self.reductions: list[keras.layers.Layer] = []
        self.calibrations: list[list[keras.layers.Layer]] = []
        self.cells: list[keras.layers.Layer] = []
        self.aux_head: keras.Sequential | None = None
        edge = Edge(find_operations(self.space.operations))
        height, width, _ = image_shape
        channels = config.filters
        # Channels of the outputs of the two layers before.
        before = [STEM_FACTOR * channels] * 2
        for number, name in enumerate(config.layer_types):
            input_shape = (None, height, width)
            if name == "reduction":
                height, width, channels = height // 2, width // 2, 2 * channels
                last = before[1]
                # The published code reduces the last output first, and gives
                # the cell both that and, by a reduction of its own, the
                # last output as the layer before.
                reduction = FactorizedReduction(channels, False, norm)
                calibration = FactorizedReduction(channels, True, norm)
                for layer in (reduction, calibration):
                    layer.build((*input_shape, last))
                calibrations = [calibration, keras.layers.Identity()]
                before = [channels, channels]
            else:
                reduction = keras.layers.Identity()
                calibrations = []
                for have in before:
                    layer = keras.layers.Identity()
                    if have != channels:
                        layer = ConvNorm(channels, 1, True, norm)
                    layer.build((*input_shape, have))
                    calibrations.append(layer)
            cell = cell_layer(
                channels,
                self.space,
                edge,
                slot_init=config.slot_init,
                name=f"layer_{number}_{name}_cell",
            )
            cell.build((None, height, width, channels))
            self.reductions.append(reduction)
            self.calibrations.append(calibrations)
            self.cells.append(cell)
            if number == config.aux_layer:
                self.aux_head = keras.Sequential(
                    auxiliary_head((height, width), classes, norm),
                    name="auxiliary_head",
                )
                self.aux_head.build((None, height, width, channels))
            before = [before[1], channels]
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
            if name == "reduction":
                before, last = last, self.reductions[number](last)
            first, second = self.calibrations[number]
            cell = architecture[self.cell_types[name]]
            output = self.cells[number](first(before), second(last), cell)
            before, last = last, output
            if training and self.aux_head and number == self.config.aux_layer:
                aux_logits = tf.cast(self.aux_head(last), tf.float32)
        features = tf.reduce_mean(tf.nn.relu(last), axis=[1, 2])
        if seed is not None and self.config.keep_prob < 1:
            features = draws.dropout(features, 1 - self.config.keep_prob, seed)
        logits = tf.cast(self.classifier(features), tf.float32)
        return logits, aux_logits


def describe_layers(supernet: Supernet) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    height, width, _ = supernet.image_shape
    rows: list[dict[str, object]] = []

    def add(name: str, layer: keras.layers.Layer, *shape: int) -> None:
        if not isinstance(layer, keras.layers.Identity):
            rows.append(
                {
                    "name": name,
                    "type": type(layer).__name__,
                    "output_shape": list(shape),
                    "parameters": layer.count_params(),
                }
            )

    channels = supernet.config.filters
    classes = supernet.classifier.units
    add("stem", supernet.stem, height, width, STEM_FACTOR * channels)
    for number, name in enumerate(supernet.config.layer_types):
        if name == "reduction":
            height, width, channels = height // 2, width // 2, 2 * channels
        shape = (height, width, channels)
        layer = f"layer_{number}"
        add(f"{layer}_reduction", supernet.reductions[number], *shape)
        for place, calibration in enumerate(supernet.calibrations[number]):
            add(f"{layer}_calibration_{place}", calibration, *shape)
        add(f"{layer}_{name}_cell", supernet.cells[number], *shape)
        if supernet.aux_head and number == supernet.config.aux_layer:
            add("auxiliary_head", supernet.aux_head, classes)
    add("classifier", supernet.classifier, classes)
    return rows
