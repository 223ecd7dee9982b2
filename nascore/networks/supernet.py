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
    BatchStatisticsNorm,
    ConvNorm,
    FactorizedReduction,
    auxiliary_head,
    classifier,
)
from nascore.networks.maps import Layer
from nascore.networks.operations.compiled_cell import CompiledCell
from nascore.networks.shared_cell import SharedCell
from nascore.networks.stack import plan
from nascore.process.runtime import set_precision


class Supernet(keras.Model):
    """The child network that holds every architecture's shared weights.

    Args:
      config: sizes and layout.
      image_shape: (height, width, channels).
      classes: number of logits.
      cell_layer: makes the layers; takes channels, space and what all
        layers compute, a `CompiledCell`.

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
        stack = plan(config, image_shape, classes)
        set_precision(config.precision)
        try:
            super().__init__(name="supernet")
            self.config = config
            self.space = config.space
            self.stack = stack
            self._make_layers(cell_layer)
        finally:
            set_precision("float32")

    def _make_layers(
        self, cell_layer: Callable[..., keras.layers.Layer]
    ) -> None:
        stack, norm = self.stack, BatchStatisticsNorm
        self.stem = ConvNorm(stack.stem.channels, 3, False, norm, name="stem")
        self.stem.build((None, *stack.image.shape))
        # One entry for each layer; `Identity` where nothing is to be done.
        self.reductions: list[keras.layers.Layer] = []
        self.calibrations: list[list[keras.layers.Layer]] = []
        self.cells: list[keras.layers.Layer] = []
        self.aux_head: keras.Sequential | None = None
        compiled = CompiledCell(self.space)
        for layer in stack.layers:
            self._make_links(layer)
            cell = cell_layer(
                layer.width,
                self.space,
                compiled,
                slot_init=self.config.slot_init,
                name=f"{layer.name}_{layer.kind}_cell",
            )
            cell.build((None, *layer.inside.shape))
            self.cells.append(cell)
            if layer.auxiliary and stack.auxiliary is not None:
                self.aux_head = keras.Sequential(
                    auxiliary_head(stack.auxiliary, stack.classes, norm),
                    name="auxiliary_head",
                )
                self.aux_head.build((None, *layer.output.shape))
        self.classifier = classifier(stack.classes)
        self.classifier.build((None, stack.layers[-1].output.channels))
        self.built = True

    def _make_links(self, layer: Layer) -> None:
        """What brings both inputs of a layer to the size of its cell."""
        first, second = layer.inputs
        if second.halves:
            # The published code reduces the last output first, and gives
            # the cell both that and, by a reduction of its own, the last
            # output as the layer before.
            last, before = (
                FactorizedReduction(layer.width, relu, BatchStatisticsNorm)
                for relu in (False, True)
            )
            last.build((None, *second.have.shape))
            before.build((None, *first.have.shape))
            self.reductions.append(last)
            self.calibrations.append([before, keras.layers.Identity()])
            return
        calibrations = []
        for link in layer.inputs:
            calibration = keras.layers.Identity()
            if link.changes:
                calibration = ConvNorm(
                    layer.width, 1, True, BatchStatisticsNorm
                )
            calibration.build((None, *link.have.shape))
            calibrations.append(calibration)
        self.reductions.append(keras.layers.Identity())
        self.calibrations.append(calibrations)

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
        for layer in self.stack.layers:
            if layer.inputs[1].halves:
                before, last = last, self.reductions[layer.number](last)
            first, second = self.calibrations[layer.number]
            cell = architecture[layer.cell]
            output = self.cells[layer.number](first(before), second(last), cell)
            before, last = last, output
            if training and self.aux_head and layer.auxiliary:
                aux_logits = tf.cast(self.aux_head(last), tf.float32)
        features = tf.reduce_mean(tf.nn.relu(last), axis=[1, 2])
        if seed is not None and self.config.keep_prob < 1:
            features = draws.dropout(features, 1 - self.config.keep_prob, seed)
        logits = tf.cast(self.classifier(features), tf.float32)
        return logits, aux_logits


def describe_layers(supernet: Supernet) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    stack = supernet.stack
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

    add("stem", supernet.stem, *stack.stem.shape)
    for layer in stack.layers:
        name, shape = layer.name, layer.output.shape
        add(f"{name}_reduction", supernet.reductions[layer.number], *shape)
        for place, part in enumerate(supernet.calibrations[layer.number]):
            add(f"{name}_calibration_{place}", part, *shape)
        add(f"{name}_{layer.kind}_cell", supernet.cells[layer.number], *shape)
        if layer.auxiliary:
            add("auxiliary_head", supernet.aux_head, stack.classes)
    add("classifier", supernet.classifier, stack.classes)
    return rows
