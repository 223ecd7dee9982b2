"""The network of mixed cells, in which every edge holds all operations.

The layout is that of DARTS's public code (Liu et al., 2019, section 3.1): both
inputs of a cell are brought to its width by a convolution of their own, all
nodes are concatenated, and there is neither dropout nor an auxiliary head.
The shares of the operations are arguments: the network has no alphas.
"""

import functools
from collections.abc import Sequence

import keras
import tensorflow as tf

from nascore.networks.config import MixedSupernetConfig
from nascore.networks.layers import (
    BatchStatisticsNorm,
    ConvNorm,
    FactorizedReduction,
    classifier,
)
from nascore.networks.layouts import Wiring
from nascore.networks.maps import Link, Map
from nascore.networks.mixed_cell import (
    MixedCell,
    start_kernel,
)
from nascore.networks.mixed_edge import make_mixtures
from nascore.networks.operations.base import Options
from nascore.networks.operations.kernels import fan_out
from nascore.networks.stack import plan
from nascore.process.runtime import set_precision
from nascore.spaces.cells import CellSpace


class MixedSupernet(keras.Model):
    """The network of mixed cells.

    Normalizations use the statistics of the batch, as DARTS's paper has it,
    and have a scale and an offset in the stem only.

    Args:
      config: sizes and layout.
      wiring: edges of its cells.
      names: operations, in the order of an edge's shares.
      image_shape: (height, width, channels).
      classes: number of logits.
      groups: one of so many channels passes through the operations.

    Raises:
      InputError: an image size that the reductions do not divide.
    """

    def __init__(
        self,
        config: MixedSupernetConfig,
        wiring: Wiring,
        names: tuple[str, ...],
        image_shape: tuple[int, int, int],
        classes: int,
        groups: int = 1,
    ) -> None:
        stack = plan(config, image_shape, classes)
        set_precision(config.precision)
        try:
            # Shares stay float32; the layers cast images for themselves.
            super().__init__(name="mixed_supernet", autocast=False)
            self.config = config
            self.groups = groups
            self.stack = stack
            self._make_layers(wiring, names, groups)
        finally:
            set_precision("float32")

    @property
    def space(self) -> CellSpace:
        """The cells that can be derived."""
        return self.config.space

    def _make_layers(
        self, wiring: Wiring, names: tuple[str, ...], groups: int
    ) -> None:
        stack, init = self.stack, self.config.kernel_init
        self.stem = ConvNorm(
            stack.stem.channels, 3, False, BatchStatisticsNorm, name="stem"
        )
        self._build(self.stem, [self.stem.convolution], stack.image, 3)
        options = Options(
            affine=False, norm_after_pool=True, padding=stack.padding
        )
        strides = [1, *(layer.strides for layer in stack.layers)]
        mixtures = make_mixtures(names, options, strides)
        self.links: list[list[keras.layers.Layer]] = []
        self.cells: list[MixedCell] = []
        for layer in stack.layers:
            self.links.append([self._make_link(link) for link in layer.inputs])
            cell = MixedCell(
                layer.width,
                wiring,
                mixtures,
                layer.strides,
                groups,
                init,
                name=f"{layer.name}_{layer.kind}_cell",
            )
            cell.build((None, *layer.inside.shape))
            self.cells.append(cell)
        features = stack.layers[-1].output.channels
        self.classifier = classifier(stack.classes, bias=True)
        self.classifier.kernel_initializer = start_kernel(features, init)
        if init == "torch":
            self.classifier.bias_initializer = start_kernel(features, init)
        self.classifier.build((None, features))
        self.built = True

    def _make_link(self, link: Link) -> keras.layers.Layer:
        """What brings an input of a layer to the size of its cell."""
        norm = functools.partial(BatchStatisticsNorm, affine=False)
        width = link.want.channels
        if link.halves:
            reduction = FactorizedReduction(width, True, norm)
            self._build(reduction, reduction.paths, link.have)
            return reduction
        layer = ConvNorm(width, 1, True, norm)
        self._build(layer, [layer.convolution], link.have)
        return layer

    def _build(
        self,
        layer: keras.layers.Layer,
        convolutions: Sequence[keras.layers.Conv2D],
        have: Map,
        kernel_size: int = 1,
    ) -> None:
        """Builds a layer whose kernels begin as the settings say."""
        fan_in = kernel_size**2 * have.channels
        for convolution in convolutions:
            convolution.kernel_initializer = start_kernel(
                fan_in, self.config.kernel_init
            )
        layer.build((None, *have.shape))

    def call(
        self,
        images: tf.Tensor,
        shares: tf.Tensor,
        bypass: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Runs a mixture on a batch.

        Args:
          images: float `[n, h, w, c]`.
          shares: float32 `[cell types, edges, operations]`, the factors of
            the operations' outputs on each edge.
          bypass: float32 `[cell types, edges]`, those of the channels that
            pass no operation; None if all pass.

        Returns:
          Logits, float32 `[n, classes]`.
        """
        kinds = [layer.cell for layer in self.stack.layers]
        own = self._deal(shares, kinds)
        passed = None if bypass is None else self._deal(bypass, kinds)
        # Both inputs of the first layer, and one of the second.
        before, last, *rest = fan_out(self.stem(images), 3)
        for layer, links, cell in zip(
            self.stack.layers, self.links, self.cells, strict=True
        ):
            inputs = [
                link(tensor)
                for link, tensor in zip(links, (before, last), strict=True)
            ]
            nodes = cell(
                inputs,
                own[layer.cell].pop(),
                None if passed is None else passed[layer.cell].pop(),
            )
            before, last = (*rest, last)[0], tf.concat(nodes, axis=-1)
            rest = []
        features = tf.reduce_mean(last, axis=[1, 2])
        return tf.cast(self.classifier(features), tf.float32)

    def _deal(
        self, shares: tf.Tensor, kinds: Sequence[int]
    ) -> list[list[tf.Tensor]]:
        """Shares of each cell type, once for each layer of that type."""
        return [
            fan_out(share, kinds.count(kind))
            for kind, share in enumerate(tf.unstack(shares))
        ]


def describe_layers(supernet: MixedSupernet) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    stack = supernet.stack
    rows: list[dict[str, object]] = []

    def add(name: str, layer: keras.layers.Layer, *shape: int) -> None:
        rows.append(
            {
                "name": name,
                "type": type(layer).__name__,
                "output_shape": list(shape),
                "parameters": layer.count_params(),
            }
        )

    add("stem", supernet.stem, *stack.stem.shape)
    for layer, links, cell in zip(
        stack.layers, supernet.links, supernet.cells, strict=True
    ):
        for place, link in enumerate(links):
            add(f"{layer.name}_input_{place}", link, *layer.inside.shape)
        add(cell.name, cell, *layer.output.shape)
    add("classifier", supernet.classifier, stack.classes)
    return rows
