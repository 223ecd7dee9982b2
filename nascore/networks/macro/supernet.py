"""The network over all of ENAS's macro space, while it is searched.

The architecture is a tensor, so one compiled graph serves them all. Only the
chosen operations and skips run, forward and backward. ENAS (Pham et al.,
2018), section 2.3; the layout is that of its public code.
"""

import keras
import tensorflow as tf

from nascore import draws
from nascore.networks.layers import (
    BatchStatisticsNorm,
    ConvNorm,
    FactorizedReduction,
    Normalization,
    classifier,
    fused_moving_norm,
)
from nascore.networks.layouts import REDUCTION
from nascore.networks.macro.config import MOVING, MacroSupernetConfig
from nascore.networks.macro.layer import MacroSharedLayer, add_skip
from nascore.networks.macro.operations import find_branches
from nascore.networks.maps import Layer
from nascore.networks.operations.edge import Edge
from nascore.networks.stack import plan
from nascore.spaces.macro import MacroSpace


class MacroSupernet(keras.Model):
    """The network that holds every macro architecture's shared weights.

    A layer is a 1x1 convolution, normalization, relu, the chosen operation
    (convolutions with normalization and relu), the sum with the chosen skips,
    normalization; the first layer ends before the sum. Where all is halved,
    each tensor so far has a factorized reduction of its own.

    Args:
      config: sizes.
      image_shape: (height, width, channels).
      classes: number of logits.

    Raises:
      InputError: an image size that the reductions do not divide.
    """

    def __init__(
        self,
        config: MacroSupernetConfig,
        image_shape: tuple[int, int, int],
        classes: int,
    ) -> None:
        stack = plan(config, image_shape, classes)
        super().__init__(name="macro_supernet")
        self.config = config
        self.stack = stack
        self.moving = config.statistics == MOVING
        norm: Normalization = BatchStatisticsNorm
        if self.moving:
            norm = fused_moving_norm
        self.stem = ConvNorm(stack.stem.channels, 3, False, norm, name="stem")
        self.stem.build((None, *stack.image.shape))
        branches = find_branches(self.space.operations)
        edge = Edge(branches)
        # Of each layer what it runs, and the normalization of its sum; of
        # each reduction one part for each tensor.
        self.blocks: list[list[keras.layers.Layer]] = []
        for layer in stack.layers:
            if layer.kind == REDUCTION:
                self.blocks.append(self._make_reductions(layer, norm))
                continue
            run = MacroSharedLayer(
                layer.width, branches, edge, self.moving, name=layer.name
            )
            run.build((None, *layer.inside.shape))
            block = [run]
            if layer.number > 1:
                added = norm()
                added.build((None, *layer.output.shape))
                block.append(added)
            self.blocks.append(block)
        self.classifier = classifier(stack.classes)
        self.classifier.build((None, stack.layers[-1].output.channels))
        self.built = True

    @property
    def space(self) -> MacroSpace:
        """Of the architectures."""
        return self.config.space

    def _make_reductions(
        self, layer: Layer, norm: Normalization
    ) -> list[keras.layers.Layer]:
        parts = []
        for place, link in enumerate(layer.inputs):
            part = FactorizedReduction(
                layer.width, False, norm, name=f"{layer.name}_{place}"
            )
            part.build((None, *link.have.shape))
            parts.append(part)
        return parts

    def call(
        self,
        images: tf.Tensor,
        architecture: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, None]:
        """Runs one architecture on a batch.

        Args:
          images: float `[n, h, w, c]`.
          architecture: int32 `[length]`, a row of the space.
          training: whether the statistics of the batch normalize where there
            are moving ones, too; Keras hands it on to all layers.
          seed: int32 `[2]`, the randomness of dropout; none means no
            dropout.

        Returns:
          Logits, float32 `[n, classes]`; and None, for there is no auxiliary
          head.
        """
        # What decides is computed where the deciding is done; on a GPU each
        # choice would wait for the device.
        with tf.device("CPU:0"):
            values = tf.unstack(architecture, self.space.length)
            bits = [tf.equal(value, 1) for value in values]
        starts = self.space.starts
        tensors = [self.stem(images)]
        for layer, block in zip(self.stack.layers, self.blocks, strict=True):
            if layer.kind == REDUCTION:
                tensors = [
                    part(x) for part, x in zip(block, tensors, strict=True)
                ]
                continue
            first = int(starts[layer.number - 1])
            x = block[0](tensors[-1], values[first])
            for place in range(layer.number - 1):
                bit = bits[first + 1 + place]
                x, tensors[place] = add_skip(bit, x, tensors[place])
            if layer.number > 1:
                x = block[1](x)
            tensors.append(x)
        features = tf.reduce_mean(tensors[-1], axis=[1, 2])
        if seed is not None and self.config.keep_prob < 1:
            features = draws.dropout(features, 1 - self.config.keep_prob, seed)
        return tf.cast(self.classifier(features), tf.float32), None


def describe_layers(supernet: MacroSupernet) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    stack = supernet.stack
    parts: list[tuple[str, list[keras.layers.Layer], tuple[int, ...]]] = [
        ("stem", [supernet.stem], stack.stem.shape)
    ]
    for layer, block in zip(stack.layers, supernet.blocks, strict=True):
        parts.append((layer.name, block, layer.output.shape))
    parts.append(("classifier", [supernet.classifier], (stack.classes,)))
    return [
        {
            "name": name,
            "type": type(block[0]).__name__,
            "output_shape": list(shape),
            "parameters": sum(
                variable.shape.num_elements()
                for part in block
                for variable in part.trainable_variables
            ),
        }
        for name, block, shape in parts
    ]
